"""Headers of pictures: what they say, and what is refused before anything decodes it."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.errors import FormatError
from fieldguide.formats import PictureFacts, read_picture
from fieldguide.formats._picture import MOST_PIXELS
from tests.support.pictures import (
    ANIMATED_GIF,
    ANIMATED_WEBP,
    CMYK_JPEG,
    GIF,
    JPEG,
    SVG,
    WEBP,
    chunk,
    exif,
    png,
    turned_jpeg,
)

WHOLE = {"png": png(9, 5), "jpeg": JPEG, "gif": GIF, "webp": WEBP}


def read(data: bytes) -> PictureFacts:
    """Read a picture under a short name."""
    return read_picture(data, name="p")


@pytest.mark.parametrize(
    ("data", "facts"),
    [
        (png(9, 5), PictureFacts(kind="png", width=9, height=5)),
        (JPEG, PictureFacts(kind="jpeg", width=8, height=8)),
        (GIF, PictureFacts(kind="gif", width=8, height=8)),
        (WEBP, PictureFacts(kind="webp", width=8, height=8)),
        (CMYK_JPEG, PictureFacts(kind="jpeg", width=8, height=8, cmyk=True)),
        (ANIMATED_GIF, PictureFacts(kind="gif", width=8, height=8, frames=2)),
        (ANIMATED_WEBP, PictureFacts(kind="webp", width=8, height=8, frames=2)),
        (png(9, 5, frames=3), PictureFacts(kind="png", width=9, height=5, frames=3)),
        (turned_jpeg(6), PictureFacts(kind="jpeg", width=8, height=8, orientation=6)),
        (turned_jpeg(3, "<"), PictureFacts(kind="jpeg", width=8, height=8, orientation=3)),
        (turned_jpeg(99), PictureFacts(kind="jpeg", width=8, height=8, orientation=1)),
    ],
)
def test_headers_say_kind_size_frames_turn_and_colours(data: bytes, facts: PictureFacts) -> None:
    """Whatever the file is called."""
    assert read(data) == facts


def test_a_png_may_carry_exif_too() -> None:
    """In a part of its own."""
    data = png(4, 4)
    end = data.index(b"IEND") - 4
    assert read(data[:end] + chunk(b"eXIf", exif(8)) + data[end:]).orientation == 8


@pytest.mark.parametrize("kind", WHOLE)
def test_every_cut_of_a_picture_is_refused(kind: str) -> None:
    """An engine would take half of one for a whole."""
    data = WHOLE[kind]
    for length in range(len(data)):
        with pytest.raises(FormatError):
            read(data[:length])
    assert read(data + b"what comes after the end does no harm").kind == kind


@pytest.mark.parametrize(
    "data", [png(2, 2, claimed=(60_000, 60_000)), png(2, 2, claimed=(8_001, 8_000)), png(1, 1, claimed=(65_536, 1))]
)
def test_a_picture_that_claims_too_many_pixels_is_refused_unread(data: bytes) -> None:
    """At the header, with both numbers."""
    with pytest.raises(FormatError, match=rf"claims .* pixels; pictures of up to {MOST_PIXELS // 10**6} million"):
        read(data)


def test_a_gif_and_a_webp_may_claim_as_much() -> None:
    """And are refused as well."""
    with pytest.raises(FormatError, match="claims 65,535 x 65,535 pixels"):
        read(GIF[:6] + b"\xff" * 4 + GIF[10:])
    body = b"\0\0\0\0" + b"\xff" * 6
    webp = b"WEBPVP8X" + struct.pack("<I", len(body)) + body
    with pytest.raises(FormatError, match="claims 16,777,216 x 16,777,216"):
        read(b"RIFF" + struct.pack("<I", len(webp)) + webp)


def test_pixels_that_unpack_to_more_than_was_said_are_not_unpacked() -> None:
    """A few kilobytes that would become gigabytes stop at the size of the header, in little memory."""
    bomb = zlib.compress(b"\0" * (300 << 20), 9)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", bomb) + chunk(b"IEND", b"")
    tracemalloc.start()
    with pytest.raises(FormatError, match="unpacks to more than its header says"):
        read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_pixels_that_are_missing_or_damaged_are_told_apart() -> None:
    """Fewer rows than were said are a cut; other bytes than were written are damage."""
    with pytest.raises(FormatError, match="cut short"):
        read(png(4, 4, claimed=(4, 5)))
    data = bytearray(png(9, 5))
    data[data.index(b"IDAT") + 8] ^= 0xFF
    with pytest.raises(FormatError, match="damaged"):
        read(bytes(data))


@pytest.mark.parametrize("width", [1, 2, 5, 8, 13])
@pytest.mark.parametrize("height", [1, 3, 7, 8])
def test_an_interlaced_png_has_seven_passes(width: int, height: int) -> None:
    """Its rows are counted pass by pass, as libpng does."""
    rows = b""
    for left, top, across, down in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ):  # fmt: skip
        columns = len(range(left, width, across))
        if columns:
            rows += (b"\0" + b"\7" * 3 * columns) * len(range(top, height, down))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert (read(data).width, read(data).height) == (width, height)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (SVG, "an SVG drawing"),
        (b'<?xml version="1.0"?>\n<svg/>', "an SVG drawing"),
        (b"%PDF-1.7", "a PDF document"),
        (b"BM\0\0\0\0", "a BMP picture"),
        (b"II*\0", "a TIFF picture"),
        (b"\0\0\0\x18ftypheic", "a HEIC picture"),
        (b"\0\0\0\x18ftypavif", "an AVIF picture"),
        (b"\0\0\0\x18ftypisom", "a film"),
        (b"RIFF\0\0\0\0WAVEfmt ", "begins with"),
        (b"hello", "begins with"),
        (b"", "begins with"),
        (png(1, 1, claimed=(0, 4)), "no pixels"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(data: bytes, told: str) -> None:
    """With what to do about it."""
    with pytest.raises(FormatError, match=told) as caught:
        read(data)
    assert caught.value.hint


@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damage_gives_facts_or_a_format_error_and_nothing_else(kind: str, changes: list[tuple[int, int]]) -> None:
    """Whatever bytes are changed."""
    data = bytearray(WHOLE[kind])
    for place, value in changes:
        data[place % len(data)] = value
    with contextlib.suppress(FormatError):
        read(bytes(data))


@given(
    st.binary(max_size=200), st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
)
def test_noise_after_a_true_beginning_is_a_format_error(noise: bytes, start: bytes) -> None:
    """Or a picture, if noise ever makes one; never another exception."""
    with contextlib.suppress(FormatError):
        read(start + noise)
