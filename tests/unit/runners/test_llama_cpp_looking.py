"""What the embedded engine makes of pictures, on tiny vision models that really run."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.domain import Completion, CompletionRequest, Image, Message, Text
from fieldguide.errors import (
    ContextLengthExceededError,
    InvalidRequestError,
    ModelLoadError,
    SettingsError,
    UnsupportedError,
)
from fieldguide.runners.llama_cpp._runner import LlamaCppRunner
from tests.support import pictures
from tests.support.embedded import opened, settings
from tests.support.pictures import png
from tests.support.tiny_gguf import tiny_gguf
from tests.support.tiny_vision import Projector, tiny_mmproj, tiny_vision_model

KINDS = ("idefics3", "gemma3", "mlp", "qwen2vl_merger")


def shown(*images: bytes | str, words: str = "what is it") -> CompletionRequest:
    """Return a question about pictures, given by their bytes or address."""
    blocks = [Image(data=each) if isinstance(each, bytes) else Image(url=each) for each in images]
    message = Message(role="user", content=(*blocks, Text(text=words)))
    return CompletionRequest(messages=(message,), max_output_tokens=8, temperature=0)


async def tokens(runner: LlamaCppRunner, *images: bytes) -> int:
    """Return what the engine counted of a question about pictures."""
    count = (await runner.complete(shown(*images))).usage.input_tokens
    assert count is not None
    return count


@pytest.mark.parametrize("kind", KINDS)
async def test_a_model_answers_on_what_it_sees(kind: str, tmp_path: Path) -> None:
    """llama.cpp loads the projector beside the model; another picture gives another answer, the same one the same."""
    model = tiny_vision_model(tmp_path, kind=kind)
    async with opened(model, settings(tmp_path, slots="1")) as runner:
        assert runner.capabilities.images
        assert runner.model.facts["projector"] == kind
        first = await runner.complete(shown(png(40, 30)))
        again = await runner.complete(shown(png(40, 30)))
        blind = await runner.complete(shown())
        others = {(await runner.complete(shown(png(40, 30, shade=shade)))).text for shade in (60, 120, 180)}
    assert first.text == again.text
    assert first.usage.output_tokens == 8
    assert (first.usage.input_tokens or 0) > (blind.usage.input_tokens or 0)
    if kind != "qwen2vl_merger":  # whose random text model says much the same to everything
        assert others - {first.text}


async def test_several_pictures_each_take_their_tokens(tmp_path: Path) -> None:
    """Of a kind that brings every picture to one size, each further picture takes the same number of tokens."""
    async with opened(tiny_vision_model(tmp_path, kind="mlp"), settings(tmp_path, slots="1")) as runner:
        one, two = await tokens(runner, png(40, 30)), await tokens(runner, png(9, 9), png(300, 20))
        three = await tokens(runner, *[png(40, 30)] * 3)
    assert (two - one, three - two) == (16, 16)  # (32 / 8) ** 2 each


async def test_a_stream_sees_what_a_whole_answer_sees(tmp_path: Path) -> None:
    """The pieces join to the same text."""
    async with opened(tiny_vision_model(tmp_path), settings(tmp_path, slots="1")) as runner:
        whole = await runner.complete(shown(png(20, 20)))
        last = [piece async for piece in runner.stream(shown(png(20, 20)))][-1]
    assert isinstance(last, Completion)
    assert (last.text, last.usage.input_tokens) == (whole.text, whole.usage.input_tokens)


@pytest.mark.parametrize("data", [pictures.JPEG, pictures.GIF, pictures.WEBP, png(5, 7)])
async def test_each_kind_of_picture_is_decoded_by_the_engine(data: bytes, tmp_path: Path) -> None:
    """PNG, JPEG, GIF and WebP."""
    async with opened(tiny_vision_model(tmp_path), settings(tmp_path, slots="1")) as runner:
        assert (await runner.complete(shown(data))).text


async def test_the_projector_is_part_of_what_a_model_is(tmp_path: Path) -> None:
    """Two projectors make two models, and none a third, in every record."""
    model = tiny_vision_model(tmp_path)
    other = tiny_mmproj(tmp_path / "other.gguf", Projector(layers=1))
    keys = []
    for given in (str(tmp_path / "mmproj-tiny.gguf"), str(other), "none"):
        async with opened(model, settings(tmp_path, mmproj=given)) as runner:
            keys.append(runner.model.model_key)
            assert runner.capabilities.images is (given != "none")
    assert len(set(keys)) == 3


async def test_a_text_model_asked_to_look_refuses_before_anything_is_sent(tmp_path: Path) -> None:
    """With how it could be made to see."""
    async with opened(tiny_gguf(tmp_path / "t.gguf"), settings(tmp_path)) as runner:
        assert not runner.capabilities.images
        with pytest.raises(UnsupportedError, match="does not support pictures") as caught:
            await runner.complete(shown(png(4, 4)))
        with pytest.raises(UnsupportedError):
            _ = [piece async for piece in runner.stream(shown(png(4, 4)))]
    assert "mmproj" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("picture", "error", "told"),
    [
        (pictures.SVG, InvalidRequestError, "an SVG drawing"),
        (pictures.JPEG[:-40], InvalidRequestError, "cut short"),
        (png(9, 9)[:-20], InvalidRequestError, "cut short"),
        (png(2, 2, claimed=(60_000, 60_000)), InvalidRequestError, "claims 60,000 x 60,000"),
        (b"%PDF-1.7", InvalidRequestError, "a PDF document"),
        (pictures.ANIMATED_GIF, UnsupportedError, "moving pictures"),
        (pictures.ANIMATED_WEBP, UnsupportedError, "moving pictures"),
        (pictures.CMYK_JPEG, UnsupportedError, "colours of print"),
        (pictures.turned_jpeg(6), UnsupportedError, "Exif orientation 6"),
        ("https://example.org/a.png", UnsupportedError, "by their address"),
        ("file:///etc/passwd", UnsupportedError, "by their address"),
    ],
)
async def test_what_the_engine_would_misread_is_refused(
    picture: bytes | str, error: type[Exception], told: str, tmp_path: Path
) -> None:
    """Each with a reason of its own, and the next question is answered as if nothing had been."""
    async with opened(tiny_vision_model(tmp_path), settings(tmp_path, slots="1")) as runner:
        with pytest.raises(error, match=told):
            await runner.complete(shown(png(4, 4), picture))
        assert (await runner.complete(shown(png(4, 4)))).text


async def test_pictures_that_do_not_fit_the_context_are_refused_with_both_counts(tmp_path: Path) -> None:
    """As a prompt that is too long is."""
    model = tiny_vision_model(tmp_path, kind="mlp")
    async with opened(model, settings(tmp_path, slots="1", context_tokens="256")) as runner:
        with pytest.raises(ContextLengthExceededError) as caught:
            await runner.complete(shown(*[png(8, 8)] * 20))
        assert (await runner.complete(shown(png(8, 8)))).text
    assert caught.value.limit_tokens == 256


async def test_a_projector_of_another_model_is_passed_over_or_refused(tmp_path: Path) -> None:
    """Beside the model it is passed over with a word; named, it is an error that says both widths."""
    model = tiny_gguf(tmp_path / "m.gguf")
    wide = tiny_mmproj(tmp_path / "mmproj.gguf", Projector(text=64))
    async with opened(model, settings(tmp_path)) as runner:
        assert not runner.capabilities.images
    with pytest.raises(SettingsError, match="width 64, and this one has 32"):
        async with opened(model, settings(tmp_path, mmproj=str(wide))):
            pass
    with pytest.raises(SettingsError, match="no projector but a model that speaks"):
        async with opened(model, settings(tmp_path, mmproj=str(model))):
            pass
    with pytest.raises(SettingsError, match="cannot be read"):
        async with opened(model, settings(tmp_path, mmproj=str(tmp_path / "gone.gguf"))):
            pass


async def test_a_projector_is_no_model(tmp_path: Path) -> None:
    """Who names it is told to name the model."""
    with pytest.raises(ModelLoadError, match="part of a model that looks"):
        async with opened(tiny_mmproj(tmp_path / "mmproj.gguf"), settings(tmp_path)):
            pass


async def test_a_projector_the_engine_does_not_know_is_a_load_error(tmp_path: Path) -> None:
    """With the engine's own reason, and how to go on without it."""
    model = tiny_gguf(tmp_path / "m.gguf")
    tiny_mmproj(tmp_path / "mmproj.gguf", Projector(kind="telepathy"))
    with pytest.raises(ModelLoadError, match=r"telepathy|projector") as caught:
        async with opened(model, settings(tmp_path)):
            pass
    assert "mmproj=none" in (caught.value.hint or "")
    async with opened(model, settings(tmp_path, mmproj="none")) as runner:
        assert not runner.capabilities.images
