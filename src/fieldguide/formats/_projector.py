"""What the header of a projector (`mmproj`) says: the part of a model in GGUF that looks or listens.

References:
    Keys and names of tensors: llama.cpp, `tools/mtmd/clip-impl.h` and `clip.cpp` (ggml-org, 2026), `conversion/`.
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.formats._gguf import GgufHeader
from fieldguide.formats._gguf_values import GgufArray

_OF_LLAVA = frozenset({"mlp", "mlp_norm", "ldp", "ldpv2"})
"""Kinds whose older files state the width of CLIP's own head where newer ones state that of the text model."""
_WIDTH_UNKNOWN = frozenset({"ldp", "ldpv2", "resampler", "adapter"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectorFacts:
    """What is known of a projector; None where its header does not say."""

    kind: str | None
    """How it turns what it sees into tokens, such as `idefics3` or `qwen2vl_merger`."""
    sees: bool
    hears: bool
    text_width: int | None
    """Embedding length that its text model must have."""
    image_pixels: int | None
    """Side of the square that it looks at; 0 or None where the size follows the picture."""
    patch_pixels: int | None
    merge: int | None
    """Patches along a side that become one token; None where the kind has a number of its own."""
    longest_pixels: int | None
    """Longest side before a picture is cut into tiles."""
    min_pixels: int | None
    max_pixels: int | None
    width: int | None
    """Of its own encoder."""
    layers: int | None
    heads: int | None
    feed_forward: int | None
    tile_candidates: tuple[tuple[int, int], ...] = ()
    """Sizes that a picture may be brought to (width, height), where the kind chooses among some."""


def projector_of(header: GgufHeader) -> ProjectorFacts | None:
    """Return what a header says of a projector; None where the file is a model that speaks."""
    if header.text("general.architecture") != "clip" and header.text("general.type") != "mmproj":
        return None
    kind = header.text("clip.projector_type") or header.text("clip.vision.projector_type")
    number = header.number
    hears = header.value("clip.has_audio_encoder") is True
    return ProjectorFacts(
        kind=kind or header.text("clip.audio.projector_type"),
        sees=header.value("clip.has_vision_encoder") is True or (kind is None and not hears),
        hears=hears,
        text_width=_text_width(header, kind),
        image_pixels=number("clip.vision.image_size"),
        patch_pixels=number("clip.vision.patch_size"),
        merge=number("clip.vision.spatial_merge_size") or number("clip.vision.projector.scale_factor"),
        longest_pixels=number("clip.vision.preproc_image_size"),
        min_pixels=number("clip.vision.image_min_pixels"),
        max_pixels=number("clip.vision.image_max_pixels"),
        width=number("clip.vision.embedding_length"),
        layers=number("clip.vision.block_count"),
        heads=number("clip.vision.attention.head_count"),
        feed_forward=number("clip.vision.feed_forward_length"),
        tile_candidates=_candidates(header),
    )


def _text_width(header: GgufHeader, kind: str | None) -> int | None:
    if kind in _OF_LLAVA or kind is None:
        last = next((tensor for tensor in header.tensors if tensor.name == "mm.2.bias"), None)
        if last is not None:
            return last.shape[0]
    if kind in _WIDTH_UNKNOWN:
        return None
    stated = header.number("clip.vision.projection_dim")
    return stated if stated is not None else header.number("clip.audio.projection_dim")


def _candidates(header: GgufHeader) -> tuple[tuple[int, int], ...]:
    found = header.value("clip.vision.image_grid_pinpoints")
    if not isinstance(found, GgufArray) or found.values is None:
        return ()
    sides = [side for side in found.values if isinstance(side, int)]
    return tuple(zip(sides[::2], sides[1::2], strict=False))
