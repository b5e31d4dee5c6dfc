"""What a picture says of itself: kind, size, frames, colours and how it is turned, without decoding it.

Engines decode whatever they are given: they take half a picture for a whole one, the first frame for a film, and a
header that promises 60,000 x 60,000 pixels at its word. What is read here is enough to refuse such a file first.

References:
    PNG (W3C Recommendation, third edition), chunks IHDR, IDAT, acTL, eXIf; JPEG (ITU-T T.81, annex B); GIF89a;
    WebP container (developers.google.com/speed/webp/docs/riff_container); Exif 2.3, tag 0x0112.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn, TypeAlias

from fieldguide.errors import FormatError

PictureKind: TypeAlias = Literal["png", "jpeg", "gif", "webp"]

MOST_PIXELS = 64_000_000
"""Pixels of the largest picture that is taken; Anthropic, the one provider that states a bound, takes 8,000 x 8,000."""
_MOST_SIDE = 65_535
_PNG = b"\x89PNG\r\n\x1a\n"
_STARTS: tuple[tuple[bytes, PictureKind], ...] = (
    (_PNG, "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_JPEG_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ORIENTATION = 0x0112
_STEP_BYTES = 1 << 20
_ELSE = (
    (b"%PDF", "a PDF document"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\1\0", "an icon"),
    (b"\x1aE\xdf\xa3", "a film"),
)
_BRANDS = {b"avif": "an AVIF picture", b"heic": "a HEIC picture", b"heix": "a HEIC picture", b"mif1": "a HEIF picture"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFacts:
    """What the headers say; the file is whole as far as they tell."""

    kind: PictureKind
    width: int
    """In pixels, as stored: before it is turned."""
    height: int
    frames: int = 1
    orientation: int = 1
    """How it is to be turned before it is shown (Exif: 1 is upright, 6 a quarter to the right)."""
    cmyk: bool = False
    """Whether its colours are those of print."""


def read_picture(data: bytes, *, name: str) -> PictureFacts:
    """Return what a PNG, JPEG, GIF or WebP picture says of itself.

    Args:
        data: The whole file.
        name: What it is called in errors.

    Raises:
        FormatError: It is of another kind, damaged, cut short, or claims more pixels than any picture that is taken.
    """
    facts = _read(data, name)
    _check_size(facts, name)
    return facts


def picture_kind(data: bytes) -> PictureKind | None:
    """Return the kind of a picture by its first bytes alone; None where it is none that models take."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return next((kind for start, kind in _STARTS if data.startswith(start)), None)


def _read(data: bytes, name: str) -> PictureFacts:
    readers = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _webp}
    found = picture_kind(data)
    try:
        if found is not None:
            return readers[found](data, name)
    except (struct.error, IndexError):
        _cut(data, name)
    kind = other_kind(data)
    raise FormatError(
        name,
        0,
        f"it is {kind}" if kind else f"no picture that is known: it begins with {data[:8]!r}",
        hint="Convert it to PNG or JPEG first.",
    )


def other_kind(data: bytes) -> str | None:
    """Return what a file is that is none of the pictures that models take; None where it is not known."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in head):
        return "an SVG drawing, which has no pixels"
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "a film or a picture in a film's wrapping")
    return next((kind for start, kind in _ELSE if data.startswith(start)), None)


def _check_size(facts: PictureFacts, name: str) -> None:
    if facts.width < 1 or facts.height < 1:
        raise FormatError(name, 0, "the picture has no pixels", hint="Give another one.")
    if facts.width * facts.height > MOST_PIXELS or max(facts.width, facts.height) > _MOST_SIDE:
        raise FormatError(
            name,
            0,
            f"it claims {facts.width:,} x {facts.height:,} pixels; pictures of up to {MOST_PIXELS // 10**6} million "
            "are taken",
            hint="Make it smaller first: models look at one to four million pixels at most.",
        )


def _cut(data: bytes, name: str) -> NoReturn:
    raise FormatError(
        name, len(data), "the picture is cut short: it ends before it says so", hint="Fetch or save it again."
    )


def _damaged(name: str, offset: int, reason: str) -> NoReturn:
    raise FormatError(name, offset, reason, hint="Fetch or save it again.")


def _png(data: bytes, name: str) -> PictureFacts:
    chunks = _png_chunks(data, name)
    kind, _, header = next(chunks, (b"", 0, b""))
    if kind != b"IHDR" or len(header) != 13:
        _damaged(name, 8, "a PNG picture without its header")
    width, height, depth, colours, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    facts = PictureFacts(kind="png", width=width, height=height)
    if colours not in _PNG_CHANNELS or depth not in {1, 2, 4, 8, 16}:
        _damaged(name, 24, "a PNG picture of a kind of colour that does not exist")
    _check_size(facts, name)  # before anything is inflated
    pixels = _Inflated(name, _png_bytes(width, height, depth * _PNG_CHANNELS[colours], interlaced))
    frames, orientation, ended = 1, 1, False
    for kind, offset, body in chunks:
        if kind == b"IDAT":
            pixels.take(body, offset)
        elif kind == b"acTL":
            frames = max(1, struct.unpack(">I", body[:4])[0])
        elif kind == b"eXIf":
            orientation = _orientation(body)
        ended = kind == b"IEND"
    if not ended or not pixels.whole:
        _cut(data, name)
    return PictureFacts(kind="png", width=width, height=height, frames=frames, orientation=orientation)


def _png_chunks(data: bytes, name: str) -> Iterator[tuple[bytes, int, bytes]]:
    offset = len(_PNG)
    while offset < len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        body = data[offset + 8 : offset + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, offset + 8 + length)
        if zlib.crc32(kind + body) != checksum:
            _damaged(name, offset, f"the part {kind!r} of the PNG picture is damaged")
        yield kind, offset, body
        if kind == b"IEND":
            return
        offset += 12 + length


def _png_bytes(width: int, height: int, bits: int, interlaced: int) -> int:
    """Return the bytes of all rows, each with the byte that says how it is filtered."""
    passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
    total = 0
    for left, top, across, down in passes:
        columns, rows = (width - left + across - 1) // across, (height - top + down - 1) // down
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


class _Inflated:
    """Counts what compressed data unpack to, a step at a time, and stops where it is more than was said."""

    def __init__(self, name: str, expected: int) -> None:
        self._name, self._expected, self._found = name, expected, 0
        self._stream = zlib.decompressobj()

    def take(self, body: bytes, offset: int) -> None:
        try:
            while body and not self._stream.eof:
                self._found += len(self._stream.decompress(body, _STEP_BYTES))
                if self._found > self._expected:
                    _damaged(self._name, offset, "the picture unpacks to more than its header says")
                body = self._stream.unconsumed_tail
        except zlib.error:
            _damaged(self._name, offset, "the pixels of the PNG picture are damaged")

    @property
    def whole(self) -> bool:
        return self._found == self._expected


def _jpeg(data: bytes, name: str) -> PictureFacts:
    facts, orientation, offset = None, 1, 2
    while (found := _JPEG_MARKER.search(data, offset)) is not None:
        marker, offset = found[1][0], found.end()
        if marker == 0xD9:
            if facts is None:
                _damaged(name, found.start(), "a JPEG picture without its header")
            return PictureFacts(
                kind="jpeg", width=facts[1], height=facts[0], orientation=orientation, cmyk=facts[2] == 4
            )
        if marker in {0x01, 0xD8}:
            continue
        (length,) = struct.unpack_from(">H", data, offset)
        if length < 2 or offset + length > len(data):
            _cut(data, name)
        if marker in _JPEG_FRAME:
            facts = struct.unpack_from(">HHB", data, offset + 3)
        elif marker == 0xE1 and data[offset + 2 : offset + 8] == b"Exif\0\0":
            orientation = _orientation(data[offset + 8 : offset + length])
        offset += length
    _cut(data, name)


def _gif(data: bytes, name: str) -> PictureFacts:
    width, height, packed = struct.unpack_from("<HHB", data, 6)
    offset, frames = 13 + _gif_colours(packed), 0
    while True:
        block = data[offset]
        if block == 0x3B:
            return PictureFacts(kind="gif", width=width, height=height, frames=max(1, frames))
        if block == 0x2C:
            frames += 1
            offset += 10 + _gif_colours(data[offset + 9]) + 1
        elif block == 0x21:
            offset += 2
        else:
            _damaged(name, offset, "the GIF picture is damaged")
        while data[offset] != 0:
            offset += 1 + data[offset]
        offset += 1


def _gif_colours(packed: int) -> int:
    return 3 * 2 ** ((packed & 7) + 1) if packed & 0x80 else 0


def _webp(data: bytes, name: str) -> PictureFacts:
    end = 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        _cut(data, name)
    size, frames, orientation, offset = None, 0, 1, 12
    while offset + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, offset)
        body = data[offset + 8 : offset + 8 + length]
        if offset + 8 + length > end:
            _cut(data, name)
        if kind == b"VP8X":
            size = 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
        elif kind == b"VP8 ":
            size = size or tuple(side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        elif kind == b"VP8L":
            (bits,) = struct.unpack_from("<I", body, 1)
            size = size or (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
        elif kind == b"ANMF":
            frames += 1
        elif kind == b"EXIF":
            orientation = _orientation(body.removeprefix(b"Exif\0\0"))
        offset += 8 + length + length % 2
    if size is None:
        _damaged(name, 12, "a WebP picture without pixels")
    return PictureFacts(kind="webp", width=size[0], height=size[1], frames=max(1, frames), orientation=orientation)


def _orientation(exif: bytes) -> int:
    """Return what Exif data say of how the picture is turned; 1 where they say nothing that can be read."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, first)
        for index in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", exif, first + 2 + 12 * index)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
