"""The planner's tokens of a picture, held against what llama.cpp counts with projectors of random weights loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.domain import CompletionRequest, Image, ImageRule, Message, Text
from fieldguide.planner import image_tokens, rule_in_engine
from fieldguide.runners.llama_cpp._runner import LlamaCppRunner
from tests.support.embedded import opened, settings
from tests.support.pictures import png
from tests.support.tiny_gguf import tiny_gguf
from tests.support.tiny_vision import Projector, tiny_mmproj, tiny_vision_model

SIZES = [(40, 30), (28, 28), (280, 140), (300, 500), (501, 77), (640, 480)]


async def counted(runner: LlamaCppRunner, *sizes: tuple[int, int]) -> int:
    """Return the tokens of a prompt with pictures of these sizes."""
    pictures = [Image(data=png(width, height)) for width, height in sizes]
    message = Message(role="user", content=(*pictures, Text(text="what")))
    answer = await runner.complete(CompletionRequest(messages=(message,), max_output_tokens=1, temperature=0))
    assert answer.usage.input_tokens is not None
    return answer.usage.input_tokens


def planned(rule: ImageRule, size: tuple[int, int]) -> int:
    held, _ = rule_in_engine(rule, "llama.cpp")
    return image_tokens(held, width_px=size[0], height_px=size[1]).tokens


@pytest.mark.parametrize(
    ("kind", "shapes"),
    [
        ("mlp", (Projector(kind="mlp", merge=1), Projector(kind="mlp", merge=1, image=56, patch=14, layers=1))),
        ("gemma3", (Projector(kind="gemma3"), Projector(kind="gemma3", image=96, layers=1))),
    ],
)
async def test_pictures_drawn_on_a_square_take_the_planned_tokens(
    kind: str, shapes: tuple[Projector, ...], tmp_path: Path
) -> None:
    """Whatever their size; marks around a picture, the same for both projectors, are counted with a second picture."""
    around = set()
    for number, shape in enumerate(shapes):
        folder = tmp_path / str(number)
        folder.mkdir()
        model = tiny_gguf(folder / "m.gguf", context_length=2048)
        tiny_mmproj(folder / "mmproj.gguf", shape)
        rule = ImageRule(scheme="square", patch=shape.patch, merge=shape.merge, side=shape.image)
        async with opened(model, settings(folder, slots="1", context_tokens="2048")) as runner:
            (one,) = {await counted(runner, size) for size in SIZES}
            two = await counted(runner, *SIZES[:2])
        around.add(two - one - planned(rule, SIZES[1]))
    (marks,) = around
    assert marks >= 0
    assert kind != "mlp" or marks == 0


async def test_pictures_of_their_own_size_take_the_planned_tokens(tmp_path: Path) -> None:
    """Qwen2-VL: sides rounded to 28 pixels, at least 8 tokens, one picture beside another counted as alone."""
    model = tiny_vision_model(tmp_path, kind="qwen2vl_merger")
    rule = ImageRule(scheme="multiple", patch=14, merge=2, least_pixels=3136, most_pixels=12_845_056)
    async with opened(model, settings(tmp_path, slots="1", context_tokens="2048")) as runner:
        alone = [await counted(runner, size) for size in SIZES]
        more = [await counted(runner, SIZES[0], size) - alone[0] for size in SIZES]
    expected = [planned(rule, size) for size in SIZES]
    assert len(set(expected)) > 3
    assert len({count - plan for count, plan in zip(alone, expected, strict=True)}) == 1
    assert len({count - plan for count, plan in zip(more, expected, strict=True)}) == 1
