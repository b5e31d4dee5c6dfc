"""How many pixels a picture will unpack to, read from its head; nothing is unpacked."""

from __future__ import annotations

_PLAIN_MARKERS = frozenset({0x01, *range(0xD0, 0xDA)})
"""Of JPEG: those without a length behind them."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Of JPEG: the markers of frames, whose heads hold the size."""


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a PNG, GIF, WebP or JPEG; None where its head does not say.

    References:
        W3C PNG 3rd edition 11.2.1; GIF89a 18; RFC 9649 2.5-2.7; ITU-T T.81 B.2.2.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _numbers(data, 16, 4, "big") if data[12:16] == b"IHDR" else None
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _numbers(data, 6, 2, "little")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return _jpeg(data) if data.startswith(b"\xff\xd8") else None


def _numbers(data: bytes, start: int, width: int, order: str) -> tuple[int, int] | None:
    if len(data) < start + 2 * width:
        return None
    first, second = data[start : start + width], data[start + width : start + 2 * width]
    return int.from_bytes(first, order), int.from_bytes(second, order)  # type: ignore[arg-type]


def _webp(data: bytes) -> tuple[int, int] | None:
    kind = data[12:16]
    if kind == b"VP8X":
        found = _numbers(data, 24, 3, "little")
        return None if found is None else (found[0] + 1, found[1] + 1)
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        found = _numbers(data, 26, 2, "little")
        return None if found is None else (found[0] & 0x3FFF, found[1] & 0x3FFF)
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:  # filling
            place += 1
        elif marker in _PLAIN_MARKERS:
            place += 2
        elif marker in _FRAMES:
            height, width = int.from_bytes(data[place + 5 : place + 7]), int.from_bytes(data[place + 7 : place + 9])
            return width, height
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return None
