"""What a projector (`mmproj`) adds to a model that looks: its weights, and what it computes with on one picture."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.planner._memory_term import MemoryTerm, term

_FIXED_BYTES = (8_000_000, 17_000_000)
"""Likely and most of what is held whatever the picture: it differs by shape and threads in no way found yet."""
_COPIES_OF_PIXELS = 6
_LAYERS_BESIDE = 5
_SOURCE = "measured with xllamacpp 2026.10 on a CPU after two pictures, seven shapes met to 11 MB; docs/vision.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Projector:
    """Numbers of a projector; None where they are not known."""

    file_bytes: int
    hidden: int | None = None
    ffn: int | None = None
    patch_pixels: int | None = None
    patches: int | None = None
    """Of one encoded picture or tile, the largest there is."""


def projector_terms(projector: Projector) -> tuple[MemoryTerm, ...]:
    """Return the weights, which llama.cpp copies and does not map, and the buffers of one picture.

    The buffers grow with the picture and are not there before the first: low is 0. Attention adds nothing by the
    square of the patches, as the engine computes it without the matrix of weights.
    """
    weights = term(
        "projector",
        projector.file_bytes,
        formula="bytes of the projector's file",
        source="header of the projector",
    )
    return weights, _buffers(projector)


def _buffers(projector: Projector) -> MemoryTerm:
    known = (projector.hidden, projector.ffn, projector.patch_pixels, projector.patches)
    hidden, ffn, side, patches = (value or 0 for value in known)
    each = 4 * (ffn + _LAYERS_BESIDE * hidden) + _COPIES_OF_PIXELS * 12 * side**2
    likely, high = _FIXED_BYTES
    return term(
        "buffers for a picture",
        likely + patches * each,
        low=0,
        high=high + patches * each,
        formula="8 MB (0 to 17) + patches x (4 x (ffn + 5 x hidden) + 6 x 12 x patch side ^ 2)",
        inputs={"patches": patches, "ffn": ffn, "hidden": hidden, "patch_side": side},
        source=_SOURCE,
    )
