"""Files are known by their first bytes, and what is wrong with one is told before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.attachments import attached, check_taken
from fieldguide.domain import Audio, Capabilities, Document, Image
from fieldguide.errors import InputFileError, UnsupportedError
from tests.support.pictures import GIF, JPEG, SVG, WEBP, png

PNG, WAV = png(3, 2), b"RIFF\0\0\0\0WAVEfmt "


def test_the_first_bytes_say_what_a_file_is(tmp_path: Path) -> None:
    """Whatever its name says."""
    for data, media_type in ((PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")):
        (tmp_path / "x.bin").write_bytes(data)
        assert attached(images=[str(tmp_path / "x.bin")]) == (Image(data=data, media_type=media_type),)
    for data, media_type in ((WAV, "audio/wav"), (b"ID3\4", "audio/mpeg"), (b"\xff\xfb\x90\0", "audio/mpeg")):
        (tmp_path / "x.png").write_bytes(data)
        assert attached(audio=[str(tmp_path / "x.png")]) == (Audio(data=data, media_type=media_type),)
    for data, media_type in ((b"%PDF-1.7", "application/pdf"), ("gr\u00fcn".encode(), "text/plain")):
        (tmp_path / "n.txt").write_bytes(data)
        assert attached(files=[str(tmp_path / "n.txt")]) == (Document(data=data, name="n.txt", media_type=media_type),)
    assert attached(images=["https://example.org/a.png"]) == (Image(url="https://example.org/a.png"),)


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("images", b"<html>", "no picture that is known"),
        ("images", WAV, "no picture that is known"),
        ("images", SVG, "an SVG drawing"),
        ("images", PNG[:-9], "cut short"),
        ("images", png(2, 2, claimed=(60_000, 60_000)), "claims 60,000 x 60,000 pixels"),
        ("images", b"", "is empty"),
        ("audio", PNG, "is not a WAV or MP3"),
        ("files", b"\0\1\2", "is not a PDF"),
        ("images", None, "cannot be read"),
    ],
)
def test_another_kind_of_file_is_refused(kind: str, data: bytes | None, told: str, tmp_path: Path) -> None:
    """With its name and the kinds that are taken."""
    path = tmp_path / "given"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputFileError, match=told):
        attached(**{kind: [str(path)]})


def test_a_picture_that_is_too_large_is_refused_by_its_size(tmp_path: Path) -> None:
    """It is not read to its end."""
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.write(PNG)
        file.truncate(1 << 33)
    with pytest.raises(InputFileError, match="larger than 20 MiB"):
        attached(images=[str(path)])


@pytest.mark.parametrize("block", [Image(data=PNG), Audio(data=WAV), Document(data=b"x")])
def test_what_a_model_cannot_take_is_an_error(block: Image | Audio | Document) -> None:
    """With what to do instead."""
    with pytest.raises(UnsupportedError) as caught:
        check_taken([block], Capabilities(text=False, chat=True), subject="m")
    assert caught.value.hint
    check_taken([block], Capabilities(text=False, chat=True, images=True, audio=True, documents=True), subject="m")
