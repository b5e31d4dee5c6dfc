"""Have a provider or stable-diffusion.cpp make pictures, and keep them as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fieldguide.app.references import ModelOptions, open_model
from fieldguide.app.wiring import House
from fieldguide.domain import ImageRequest, Usage
from fieldguide.errors import InputFileError, ResponseFormatError, UnsupportedError
from fieldguide.runners import ImageRunner

_STARTS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
    b"GIF8": "gif",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture that came."""

    file: str | None
    """Where it was written; None where the provider gave only an address."""
    url: str | None
    format: str | None
    """By its first bytes; None where they are of no known kind."""
    bytes: int | None
    revised_prompt: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What was made, and by whom."""

    model: str
    reference: str
    pictures: tuple[Picture, ...]
    usage: Usage
    seconds: float | None


async def draw(house: House, reference: str, request: ImageRequest, out: Path, options: ModelOptions) -> Drawn:
    """Return the pictures that a model makes, written to `out`; several get `-2`, `-3` before their ending.

    An address is not fetched: it is told.

    Raises:
        UnsupportedError: The model makes no pictures.
        InputFileError: The file cannot be written.
        FieldguideError: The model cannot be opened or asked.
    """
    if not out.parent.is_dir():
        raise InputFileError(str(out), "cannot be written: there is no such folder.", hint="Make the folder first.")
    opened = await open_model(house, reference, options)
    try:
        runner = opened.runner
        if not (runner.capabilities.image_generation and isinstance(runner, ImageRunner)):
            hint = "Name one that does, such as openai:gpt-image-1 or stable-diffusion.cpp:FILE."
            raise UnsupportedError(runner.model.name, "making pictures", hint=hint)
        result = await runner.make_images(request)
    finally:
        await opened.runner.close()
    prompts = (*result.revised_prompts, *(None for _ in result.images))
    pictures = []
    for number, (image, revised) in enumerate(zip(result.images, prompts, strict=False), start=1):
        place = out if number == 1 else out.with_name(f"{out.stem}-{number}{out.suffix}")
        if image.data is not None:
            _write(place, image.data)
        elif image.url is None:
            raise ResponseFormatError("The provider answered with neither a picture nor an address.")
        pictures.append(
            Picture(
                file=None if image.data is None else str(place),
                url=image.url,
                format=None if image.data is None else picture_format(image.data),
                bytes=None if image.data is None else len(image.data),
                revised_prompt=revised,
            )
        )
    return Drawn(
        model=runner.model.name,
        reference=runner.model.reference,
        pictures=tuple(pictures),
        usage=result.usage,
        seconds=result.latency.e2e_latency_s,
    )


def picture_format(data: bytes) -> str | None:
    """Return what a picture is by its first bytes; None where that is not known."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((name for start, name in _STARTS.items() if data.startswith(start)), None)


def _write(place: Path, data: bytes) -> None:
    try:
        place.write_bytes(data)
    except OSError as error:
        raise InputFileError(
            str(place), f"cannot be written: {error.strerror}.", hint="Name a file that can be."
        ) from error
