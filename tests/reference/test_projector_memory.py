"""The planner's figures for a model that looks, held against the engine with a projector of random weights loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.looking import projector_for
from fieldguide.app.network_of_file import network_of_file
from fieldguide.domain import CompletionRequest, Image, Message, Text
from fieldguide.planner import Workload, engine_named, memory_plan
from tests.support.embedded import opened, settings, the_child
from tests.support.loaded_model import _held
from tests.support.pictures import png
from tests.support.tiny_gguf import tiny_gguf
from tests.support.tiny_vision import Projector, tiny_mmproj

SHAPES = [
    Projector(kind="gemma3", image=384, patch=16, hidden=384, ffn=1536, layers=3, heads=6, merge=4),
    Projector(kind="mlp", image=336, patch=14, hidden=256, ffn=1024, layers=2, heads=4, merge=1),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: str(shape.kind))
async def test_the_estimate_is_within_15_megabytes_of_what_is_held(shape: Projector, tmp_path: Path) -> None:
    """Weights, cache, engine, projector and the buffers of a picture against the process, after two pictures."""
    model = tiny_gguf(tmp_path / "m.gguf", context_length=2048)
    tiny_mmproj(tmp_path / "mmproj.gguf", shape)
    async with opened(model, settings(tmp_path, slots="1", context_tokens="2048")) as runner:
        for shade in (0, 9):
            picture = Image(data=png(90, 70, shade=shade))
            message = Message(role="user", content=(picture, Text(text="what")))
            await runner.complete(CompletionRequest(messages=(message,), max_output_tokens=2, temperature=0))
        held = _held(the_child()).pss_bytes
    network = network_of_file(model)
    engine, work = engine_named("llama.cpp"), Workload(context_tokens=2048)
    plan = memory_plan(network, "F32", engine, work)
    looking = memory_plan(network, "F32", engine, work, projector=projector_for(engine, model))
    names = [term.name for term in looking.engine_terms]
    assert names[-2:] == ["projector", "buffers for a picture"]
    assert looking.total_bytes == pytest.approx(held, abs=15e6)
    assert looking.total_low_bytes < held < looking.total_high_bytes
    assert abs(plan.total_bytes - held) > abs(looking.total_bytes - held)
