"""Pictures from a provider, kept as files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app import draw as module
from fieldguide.app.draw import Drawn, draw, picture_format
from fieldguide.app.references import ModelOptions, OpenedModel
from fieldguide.app.wiring import open_house
from fieldguide.domain import Capabilities, Image, ImageRequest, ImageResult, ResolvedModel
from fieldguide.errors import InputFileError, UnsupportedError

PNG = b"\x89PNG\r\n\x1a\n..."


@dataclass
class Provider:
    """Answers with two pictures and an address."""

    model: ResolvedModel = field(default_factory=lambda: ResolvedModel(name="painter", reference="p:painter"))
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(text=False, chat=False, image_generation=True)
    )

    async def make_images(self, request: ImageRequest) -> ImageResult:
        images = (Image(data=PNG), Image(data=b"\xff\xd8\xff.."), Image(url="https://pictures.test/3"))
        return ImageResult(images=images, revised_prompts=(f"A fine {request.prompt}",))

    async def close(self) -> None:
        pass


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    """Put the provider where a reference would be resolved."""
    made = Provider()

    async def opened(*_: Any) -> OpenedModel:
        return OpenedModel(runner=made, provider="p", licence=None, took=None)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "open_model", opened)
    return made


async def drawn(out: Path) -> Drawn:
    """Have a cat drawn."""
    return await draw(open_house({}, environment={}), "p:painter", ImageRequest(prompt="cat"), out, ModelOptions())


async def test_each_picture_is_a_file_and_an_address_is_told(provider: Provider, tmp_path: Path) -> None:
    """Files are numbered, formats known by content, and nothing is fetched from an address."""
    found = await drawn(tmp_path / "cat.png")
    assert (tmp_path / "cat.png").read_bytes() == PNG
    assert [picture.format for picture in found.pictures] == ["png", "jpeg", None]
    assert found.pictures[1].file == str(tmp_path / "cat-2.png")
    assert (found.pictures[2].file, found.pictures[2].url) == (None, "https://pictures.test/3")
    assert [picture.revised_prompt for picture in found.pictures] == ["A fine cat", None, None]
    assert len(list(tmp_path.iterdir())) == 2


async def test_a_missing_folder_is_told_before_the_provider_is_asked(tmp_path: Path) -> None:
    """Nothing is paid for a picture that cannot be kept."""
    with pytest.raises(InputFileError):
        await drawn(tmp_path / "no" / "cat.png")


async def test_a_model_of_words_is_refused(provider: Provider, tmp_path: Path) -> None:
    """What makes no pictures says so."""
    provider.capabilities = Capabilities(text=True, chat=True)
    with pytest.raises(UnsupportedError, match="making pictures"):
        await drawn(tmp_path / "cat.png")


def test_a_format_is_known_by_its_first_bytes() -> None:
    """Names are not believed, and what is unknown is None."""
    assert picture_format(b"RIFF\x00\x00\x00\x00WEBPVP8 ") == "webp"
    assert picture_format(b"hello") is None
