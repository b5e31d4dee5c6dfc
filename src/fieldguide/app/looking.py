"""What a model that looks needs besides: the projector that lies beside its file or comes with a pull."""

from __future__ import annotations

from pathlib import Path

from fieldguide.errors import FieldguideError
from fieldguide.formats import ProjectorFacts
from fieldguide.planner import Engine, Projector

_MOST_TOKENS = {"qwen2vl_merger": 4096, "qwen2.5vl_merger": 4096, "qwen3vl_merger": 4096, "pixtral": 1024}
"""Tokens that llama.cpp makes of a picture at most, where the file says nothing of it (`set_limit_image_tokens`)."""
_MERGE = {"qwen2vl_merger": 2, "qwen2.5vl_merger": 2, "qwen3vl_merger": 2}


def projector_for(engine: Engine, path: Path | None) -> Projector | None:
    """Return the projector that llama.cpp would load with a GGUF file; None with other engines, and where none lies."""
    from fieldguide.runners.llama_cpp import projector_beside  # A runner is loaded by those who need it only.

    if engine.name != "llama.cpp" or path is None or path.suffix.lower() != ".gguf":
        return None
    try:
        found = projector_beside(path)
    except FieldguideError:
        return None
    return None if found is None else projector_of(found[0], file_bytes=found[1])


def projector_of(facts: ProjectorFacts, *, file_bytes: int) -> Projector:
    """Return a projector as the planner counts it."""
    return Projector(
        file_bytes=file_bytes,
        hidden=facts.width,
        ffn=facts.feed_forward,
        patch_pixels=facts.patch_pixels,
        patches=_patches(facts),
    )


def _patches(facts: ProjectorFacts) -> int | None:
    """Return the patches of the largest picture that is encoded at once."""
    kind = facts.kind or ""
    if kind in _MOST_TOKENS:
        return _MOST_TOKENS[kind] * (facts.merge or _MERGE.get(kind, 1)) ** 2
    if not facts.patch_pixels:
        return None
    if facts.max_pixels:
        return facts.max_pixels // facts.patch_pixels**2
    return (facts.image_pixels // facts.patch_pixels) ** 2 if facts.image_pixels else None
