"""Small real pictures, and broken and hostile ones made of them, without any library."""

from __future__ import annotations

import base64
import struct
import zlib

JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk"
    "eFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAIAAgD"
    "ASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAWEAEBAQAAAAAAAAAAAAAAAAAAA0L/xAAVAQEBAAAAAAAAAAAAAAAAAAABBf/EABoR"
    "AAAHAAAAAAAAAAAAAAAAAAABAgU0gbH/2gAMAwEAAhEDEQA/AIsNAFwkqrCFhvjJvTH/2Q=="
)
CMYK_JPEG = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdfYmdoZz5NcXlwZHhc"
    "ZWdj/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EABcAAAMBAAAAAAAAAAAAAAAAAAEEBgf/xAAaEAABBQEAAAAAAAAAAAAAAAAAAwZEg8JC/9oADgRD"
    "AE0AWQBLAAA/AFmJOr0TC/IX3BsyaAf/2Q=="
)
WEBP = base64.b64decode(
    "UklGRkgAAABXRUJQVlA4IDwAAACQAgCdASoIAAgAAsBMJagCdLoBQAPsAr//cAAXAAD+7Wefrr6bXf0bNKYzevyhM/B8vpv+AE3Shf6aAAA="
)
ANIMATED_WEBP = base64.b64decode(
    "UklGRtYAAABXRUJQVlA4WAoAAAACAAAABwAABwAAQU5JTQYAAAAAAAAAAABBTk1GUAAAAAAAAAAAAAcAAAcAAAAAAAJWUDggOAAAAFABAJ0BKggA"
    "CAAFQHwlqAAEdAAA/ucSjtvH+rzA/+Tfc1wrtf8mj3+aSXn8G/86tOAN/g3xcAAAQU5NRlIAAAAAAAAAAAAHAAAHAAAAAAAAVlA4IDoAAABUAQCd"
    "ASoIAAgAAAB8JagABHQAAP7qAT8oiD/0QcWqio2W9inIbf5crw/7AtXluzUkbAqlm5IwAAAA"
)
GIF = base64.b64decode("R0lGODdhCAAIAIEAAMgoKBQ83AAAAAAAACwAAAAACAAIAAAIGwADCAwAoCCAgQQNIjR4cCDDhQodRhT4UGLBgAA7")
ANIMATED_GIF = base64.b64decode(
    "R0lGODdhCAAIAIEAAMgoKBQ83AAAAAAAACwAAAAACAAIAAAIGwADCAwAoCCAgQQNIjR4cCDDhQodRhT4UGLBgAAh+QQBAAACACwAAAAACAAIAIHI"
    "KCgUPNwAAAAAAAAIHgABCAQgoKCAgQQNIjR4cCBDhgEiBoAokWJEiwECAgA7"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>'


def png(width: int, height: int, *, shade: int = 0, claimed: tuple[int, int] | None = None, frames: int = 1) -> bytes:
    """Return a PNG of colours that run; `shade` makes another one, `claimed` lets its header lie."""
    rows = b"".join(
        b"\0" + bytes((x * 7 + y * 3 + channel * 50 + shade) % 256 for x in range(width) for channel in range(3))
        for y in range(height)
    )
    wide, high = claimed or (width, height)
    animated = chunk(b"acTL", struct.pack(">II", frames, 0)) if frames > 1 else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + animated + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a part of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def exif(orientation: int, order: str = ">") -> bytes:
    """Return Exif data that say how a picture is to be turned."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    return mark + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def turned_jpeg(orientation: int, order: str = ">") -> bytes:
    """Return a JPEG that is to be turned before it is shown."""
    body = b"Exif\0\0" + exif(orientation, order)
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + JPEG[2:]
