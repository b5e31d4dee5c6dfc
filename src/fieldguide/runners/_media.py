"""Media in the forms that wires take: data URLs, base64, short names of formats."""

from __future__ import annotations

import base64
import binascii
import re

from fieldguide.domain import Audio, Document, Image, Media, Video
from fieldguide.errors import UnsupportedError

_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.S)
_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mp4": "m4a", "image/jpg": "jpeg"}
_DEFAULTS: dict[type[Media], str] = {
    Image: "image/png",
    Audio: "audio/wav",
    Video: "video/mp4",
    Document: "application/pdf",
}


def as_base64(data: bytes) -> str:
    """Return bytes in base64."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Return the bytes that base64 text stands for; None where it is none, or not the one text that they make."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if as_base64(data) == text else None


def media_type_of(block: Media) -> str:
    """Return the media type of a block with bytes: the one given, the one its first bytes tell, or the usual one."""
    return block.media_type or _sniffed(block.data or b"") or _DEFAULTS[type(block)]


def _sniffed(data: bytes) -> str | None:
    for start, media_type in (
        (b"\x89PNG", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF8", "image/gif"),
        (b"%PDF", "application/pdf"),
        (b"ID3", "audio/mpeg"),
        (b"\xff\xfb", "audio/mpeg"),
        (b"OggS", "audio/ogg"),
        (b"fLaC", "audio/flac"),
    ):
        if data.startswith(start):
            return media_type
    if data[:4] == b"RIFF":
        return {b"WAVE": "audio/wav", b"WEBP": "image/webp"}.get(data[8:12])
    return None


def data_url(block: Media) -> str:
    """Return the address of a block: its own, or its bytes as a data URL."""
    if block.data is None:
        return block.url or ""
    return f"data:{media_type_of(block)};base64,{as_base64(block.data)}"


def from_data_url(url: str) -> tuple[bytes, str | None] | None:
    """Return bytes and media type of a data URL; None where it is another address or cannot be read."""
    found = _DATA_URL.fullmatch(url)
    if found is None or not found[2].endswith(";base64"):
        return None
    data = from_base64(found[3])
    return None if data is None else (data, found[1] or None)


def refuse_detail(block: Media, subject: str) -> None:
    """Refuse a word on how closely a picture is to be looked at, for providers that do not let one choose.

    Raises:
        UnsupportedError: There is one. `auto` asks for nothing.
    """
    if isinstance(block, Image) and block.detail not in (None, "auto"):
        raise UnsupportedError(subject, "a word on how closely to look at a picture", hint="Leave its `detail` out.")


def format_of(block: Media) -> str:
    """Return the short name of a block's format, such as `png`, `mp3`, `pdf`."""
    media_type = media_type_of(block).split(";")[0].lower()
    return _FORMATS.get(media_type) or media_type.partition("/")[2]
