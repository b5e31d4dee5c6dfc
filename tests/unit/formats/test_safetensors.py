"""safetensors headers: what is read, and what is refused at which byte."""

from __future__ import annotations

import json

import pytest

from fieldguide.errors import FormatError
from fieldguide.formats import SafetensorsHeader, read_safetensors
from tests.support.model_files import FakeRemote, headed, safetensors_bytes


def header_of(content: bytes) -> SafetensorsHeader:
    """Return the header of a file that is never written."""
    return read_safetensors(FakeRemote(content))


def one(dtype: object = "F32", shape: object = (4,), offsets: object = (0, 16), **more: object) -> bytes:
    """Return a file of one tensor that says whatever it is told, before 16 bytes of data."""
    entry = {"dtype": dtype, "shape": shape, "data_offsets": offsets} | more
    return headed(json.dumps({"a": entry}).encode(), b"\0" * 16)


def test_tensors_come_in_the_order_of_their_bytes() -> None:
    """Types, shapes, places and metadata are what the header says."""
    content = safetensors_bytes(
        {"b": ("BF16", [2, 3], b"\1" * 12), "a": ("I64", [], b"\2" * 8), "none": ("F16", [0, 7], b"")},
        {"format": "pt"},
    )
    header = header_of(content)
    assert header.metadata == {"format": "pt"}
    assert [(t.name, t.type, t.shape, t.elements, t.bytes) for t in header.tensors] == [
        ("b", "BF16", (2, 3), 6, 12),
        ("a", "I64", (), 1, 8),
        ("none", "F16", (0, 7), 0, 0),
    ]
    assert content[header.tensors[0].offset :][:12] == b"\1" * 12
    assert header.warnings == ()


def test_types_smaller_than_a_byte_fill_whole_bytes() -> None:
    """Four-bit floats take half a byte each; an odd count of them fits no file."""
    assert header_of(one("F4", [32])).tensors[0].bytes == 16
    with pytest.raises(FormatError, match="cannot take"):
        header_of(headed(b'{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', b"\0\0"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (one(dtype="F99"), "unknown dtype F99"),
        (one(dtype=7), "unknown dtype"),
        (one(shape=[4.0]), "only whole numbers"),
        (one(shape=[True]), "no list"),
        (one(shape="4"), "no list"),
        (one(shape=[1] * 33 + [4]), "no list"),
        (one(offsets=[0]), "no pair"),
        (one(offsets=[-1, 16]), "no pair"),
        (one(offsets=[16, 0]), "takes bytes"),
        (one(offsets=[0, 17]), "takes bytes"),
        (one(shape=[2**62, 16]), "cannot take 16 bytes"),
        (one(shape=[10**25]), "26 digits"),
        (headed(b'{"a":{"dtype":"F32","shape":[4]}}', b"\0" * 16), "lacks one"),
        (headed(b'{"a":[]}'), "lacks one"),
        (headed(b'{"__metadata__":{"x":1}}'), "something else than texts"),
        (headed(b" {}"), "begins with"),
        (headed(b"{} x"), "malformed"),
        (headed(b'{"\\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), "half a character"),
        (headed(b'{"a":1e999}'), "only whole numbers"),
        (headed(b'{"a":' + b"[" * 100_000), "nested too deep|malformed"),
        (headed(b"{}", b"x"), "1 bytes follow"),
        (b"\0" * 8, "length of 0"),
        (b"\0" * 7, "too few"),
    ],
)
def test_what_cannot_be_is_refused(content: bytes, said: str) -> None:
    """Each field is checked against the format, against the others and against the file's size."""
    with pytest.raises(FormatError, match=said) as caught:
        header_of(content)
    assert 0 <= caught.value.offset <= len(content)


def test_holes_and_overlaps_are_refused_at_the_tensor() -> None:
    """The bytes of tensors follow each other without a gap; the byte is that of the tensor's name."""
    entries = {
        "a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
        "bird": {"dtype": "U8", "shape": [4], "data_offsets": [6, 10]},
    }
    text = json.dumps(entries).encode()
    with pytest.raises(FormatError, match="2 unused bytes") as caught:
        header_of(headed(text, b"\0" * 10))
    assert caught.value.offset == 8 + text.index(b'"bird"')
    with pytest.raises(FormatError, match="`bird` shares bytes"):
        header_of(headed(text.replace(b"[6, 10]", b"[2, 6]"), b"\0" * 6))


def test_a_key_that_stands_twice_is_refused_at_the_second() -> None:
    """Readers that keep the last and readers that keep the first would see two models."""
    entry = b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}'
    text = b'{"a":' + entry + b',"a":' + entry + b"}"
    with pytest.raises(FormatError, match="stands twice") as caught:
        header_of(headed(text))
    assert caught.value.offset == 8 + text.rindex(b'"a"')


def test_every_cut_is_an_error() -> None:
    """A file cut anywhere is refused."""
    whole = safetensors_bytes({"a": ("F32", [4], b"\0" * 16), "b": ("F32", [2, 2], b"\0" * 16)}, {"k": "v"})
    for size in range(len(whole)):
        with pytest.raises(FormatError):
            header_of(whole[:size])
