"""Pictures made on this machine, against a double that keeps to the engine's interface."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.domain import CompletionRequest, Image, ImageRequest
from fieldguide.errors import (
    FormatError,
    InputFileError,
    MissingDependencyError,
    ModelLoadError,
    RunnerError,
    RunnerTimeoutError,
    SettingsError,
    UnsafeFileError,
    UnsupportedError,
    UsageError,
)
from fieldguide.formats import read_picture
from fieldguide.runners import ImageRunner, RunnerSettings
from fieldguide.runners.stable_diffusion_cpp import open_runner
from fieldguide.runners.stable_diffusion_cpp._runner import DrawingRunner
from tests.support.embedded import no_session
from tests.support.fake_stable_diffusion import install, weights


@pytest.fixture
def _engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(install(tmp_path / "site"))


async def opened(
    target: Path | str,
    home: Path,
    told: list[str] | None = None,
    *,
    deadline_s: float = 30.0,
    options: dict[str, str] | None = None,
) -> DrawingRunner:
    return await open_runner(
        str(target),
        RunnerSettings(
            home=home,
            session=no_session,  # type: ignore[arg-type]
            deadline_s=deadline_s,
            options=options or {},
            progress=None if told is None else told.append,
        ),
    )


@pytest.mark.usefixtures("_engine")
async def test_pictures_are_made_in_the_size_number_and_format_that_were_asked_for(tmp_path: Path) -> None:
    """Steps are told as they are done; options reach the engine under its own names."""
    told: list[str] = []
    options = {"steps": "3", "cfg_scale": "4.5", "seed": "7", "negative_prompt": "blurry", "threads": "2"}
    runner = await opened(weights(tmp_path / "sd.safetensors"), tmp_path, told, options=options)
    try:
        assert isinstance(runner, ImageRunner)
        assert runner.capabilities.image_generation
        made = await runner.make_images(ImageRequest(prompt="a fox", size="128x64", count=2))
        assert [read_picture(each.data or b"", name="x").width for each in made.images] == [128, 128]
        assert made.images[0].data != made.images[1].data
        again = await runner.make_images(ImageRequest(prompt="a fox", output_format="webp"))
        assert (again.images[0].data or b"").startswith(b"RIFF")
    finally:
        await runner.close()
    assert told[1:4] == ["step 1 of 3", "step 2 of 3", "step 3 of 3"]
    assert runner.model.facts["sample_steps"] == 3


@pytest.mark.usefixtures("_engine")
async def test_faults_of_the_engine_are_errors_with_a_next_step(tmp_path: Path) -> None:
    """One that fails goes on; one that dies, or takes too long, says so, and the next picture is another one's."""
    path = weights(tmp_path / "sd.safetensors")
    runner = await opened(path, tmp_path)
    with pytest.raises(RunnerError, match="out of memory"):
        await runner.make_images(ImageRequest(prompt="fail"))
    assert (await runner.make_images(ImageRequest(prompt="x", size="64x64"))).images
    with pytest.raises(RunnerError, match=r"ended by itself \(status 7\)"):
        await runner.make_images(ImageRequest(prompt="die"))
    assert (await runner.make_images(ImageRequest(prompt="x", size="64x64"))).images
    await runner.close()
    slow = await opened(path, tmp_path, deadline_s=0.5)
    with pytest.raises(RunnerTimeoutError, match="No picture within"):
        await slow.make_images(ImageRequest(prompt="slowly"))
    await slow.close()


@pytest.mark.usefixtures("_engine")
async def test_what_is_no_file_of_weights_is_refused(tmp_path: Path) -> None:
    """A checkpoint that could run code, a file that is none, one that the engine does not know, and none at all."""
    pickle = tmp_path / "sd.ckpt"
    pickle.write_bytes(b"\x80\x04.")
    with pytest.raises(UnsafeFileError):
        await opened(pickle, tmp_path)
    page = tmp_path / "sd.safetensors"
    page.write_bytes(b"<!DOCTYPE html>")
    with pytest.raises(FormatError, match="HTML"):
        await opened(page, tmp_path)
    with pytest.raises(ModelLoadError, match="Failed to load model from file"):
        await opened(weights(tmp_path / "other.safetensors", name="x"), tmp_path)
    with pytest.raises(InputFileError, match="neither a file nor a model that is here") as caught:
        await opened("sd-turbo", tmp_path)
    assert "fieldguide pull hf:" in (caught.value.hint or "")


@pytest.mark.usefixtures("_engine")
async def test_what_cannot_be_asked_is_refused_beforehand(tmp_path: Path) -> None:
    """Sizes, numbers, qualities and words that the engine would fail at, or pass over."""
    path = weights(tmp_path / "sd.safetensors")
    for option in ({"steps": "0"}, {"cfg_scale": "x"}, {"part": "half"}):
        with pytest.raises(SettingsError):
            await opened(path, tmp_path, options=option)
    runner = await opened(path, tmp_path)
    try:
        for size in ("100x100", "big", "4096x64"):
            with pytest.raises(UsageError):
                await runner.make_images(ImageRequest(prompt="x", size=size))
        with pytest.raises(UsageError):
            await runner.make_images(ImageRequest(prompt="x", count=99))
        with pytest.raises(UsageError):
            await runner.make_images(ImageRequest(prompt="x", output_format="bmp"))
        with pytest.raises(UnsupportedError):
            await runner.make_images(ImageRequest(prompt="x", quality="high"))
        with pytest.raises(UnsupportedError):
            await runner.make_images(ImageRequest(prompt="x", images=(Image(data=b"x"),)))
        with pytest.raises(UnsupportedError):
            await runner.complete(CompletionRequest(prompt="x"))
    finally:
        await runner.close()


async def test_without_the_engine_the_error_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that it is compiled while it is installed."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError) as caught:
        await opened(weights(tmp_path / "sd.safetensors"), tmp_path)
    assert "fieldguide[draw]" in (caught.value.hint or "")
    assert "compiler" in (caught.value.hint or "")


async def test_an_engine_that_cannot_be_imported_counts_as_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where its library lacks a part of the system."""
    broken = tmp_path / "site" / "stable_diffusion_cpp"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('libgomp.so.1 is not there')")
    monkeypatch.syspath_prepend(broken.parent)
    with pytest.raises(MissingDependencyError):
        await opened(weights(tmp_path / "sd.safetensors"), tmp_path)
