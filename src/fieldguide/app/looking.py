"""What a model that looks needs besides: the projector that lies beside its file or comes with a pull."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fieldguide.errors import FieldguideError
from fieldguide.formats import ProjectorFacts
from fieldguide.planner import MemoryPlan, Projector, projector_terms

_MOST_TOKENS = {"qwen2vl_merger": 4096, "qwen2.5vl_merger": 4096, "qwen3vl_merger": 4096, "pixtral": 1024}
"""Tokens that llama.cpp makes of a picture at most, where the file says nothing of it (`set_limit_image_tokens`)."""
_MERGE = {"qwen2vl_merger": 2, "qwen2.5vl_merger": 2, "qwen3vl_merger": 2}


def with_projector(memory: MemoryPlan, path: Path | None) -> MemoryPlan:
    """Return a plan with the projector beside a GGUF file counted, where llama.cpp would load one."""
    from fieldguide.runners.llama_cpp import projector_beside  # A runner is loaded by those who need it only.

    if memory.engine.name != "llama.cpp" or path is None or path.suffix.lower() != ".gguf":
        return memory
    try:
        found = projector_beside(path)
    except FieldguideError:
        return memory
    return memory if found is None else with_terms(memory, projector_of(found[0], file_bytes=found[1]))


def with_terms(memory: MemoryPlan, projector: Projector) -> MemoryPlan:
    """Return a plan with the terms of a projector among the engine's."""
    return replace(memory, engine_terms=(*memory.engine_terms, *projector_terms(projector)))


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
