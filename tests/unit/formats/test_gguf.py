"""GGUF headers: what is read, in every version and byte order, and what is refused at which byte."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from fieldguide.errors import FormatError
from fieldguide.formats import FileSource, GgufArray, GgufHeader, read_gguf
from tests.support.model_files import (
    ARRAY,
    BOOL,
    FLOAT32,
    INT32,
    STRING,
    FakeRemote,
    Order,
    Typed,
    gguf_bytes,
    llama_facts,
    tensor_bytes,
    written,
)

TENSORS = [("token_embd.weight", (32, 10), 0), ("blk.0.attn_q.weight", (256, 4), 12), ("output_norm.weight", (32,), 0)]


def header_of(content: bytes) -> GgufHeader:
    """Return the header of a file that is never written."""
    return read_gguf(FakeRemote(content))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_is_read_in_both_byte_orders(version: int, order: Order) -> None:
    """Values, arrays and tensors are the same whatever the width of lengths and the order of bytes."""
    facts = llama_facts() | {
        "general.name": "bird",
        "a.float": 0.5,
        "a.int": Typed(INT32, -7),
        "a.flag": True,
        "a.flags": Typed(ARRAY, [True, False], BOOL),
        "a.words": ["one", "two"],
        "a.none": Typed(ARRAY, [], STRING),
    }
    header = header_of(gguf_bytes(facts, TENSORS, version=version, order=order))
    assert header.version == version
    assert header.byte_order == ("little" if order == "<" else "big")
    assert [header.value(key) for key in ("a.float", "a.int", "a.flag")] == [0.5, -7, True]
    words, flags = header.value("a.words"), header.value("a.flags")
    assert isinstance(words, GgufArray)
    assert isinstance(flags, GgufArray)
    assert (words.values, words.count) == (("one", "two"), 2)
    assert flags.values == (True, False)
    assert [(t.name, t.shape, t.bytes) for t in header.tensors] == [
        (name, shape, tensor_bytes(shape, kind)) for name, shape, kind in TENSORS
    ]
    assert header.tensors[0].offset == header.data_offset
    assert header.tensors[1].type == "Q4_K"
    assert bool(header.warnings) == (version == 1 or order == ">")


def test_a_long_array_stays_in_the_file() -> None:
    """Of a vocabulary the count, the place and a hash are kept, of many numbers only the count and the place."""
    facts = llama_facts() | {
        "tokenizer.ggml.tokens": [f"token {i}" for i in range(50_000)],
        "tokenizer.ggml.scores": Typed(ARRAY, [0.0] * 50_000, FLOAT32),
    }
    header = header_of(gguf_bytes(facts))
    tokens, scores = header.value("tokenizer.ggml.tokens"), header.value("tokenizer.ggml.scores")
    assert isinstance(tokens, GgufArray)
    assert isinstance(scores, GgufArray)
    assert (tokens.count, tokens.values) == (50_000, None)
    assert tokens.sha256 is not None
    assert (scores.count, scores.bytes, scores.values) == (50_000, 200_000, None)


def test_a_file_of_a_vocabulary_alone_needs_no_padding() -> None:
    """The converter leaves such files without padding; version 1 had none of them, and there it is a cut file."""
    whole = gguf_bytes({"general.architecture": "llama"}).rstrip(b"\0")
    assert header_of(whole).tensors == ()
    with pytest.raises(FormatError, match="ends before its data part"):
        header_of(gguf_bytes({"general.architecture": "llama"}, version=1).rstrip(b"\0"))


def test_every_cut_is_an_error_that_names_a_byte() -> None:
    """A file cut anywhere before the end of its last tensor is refused, at a byte within the file."""
    whole = gguf_bytes(llama_facts() | {"a.words": ["one", "two"]}, TENSORS)
    for size in range(4, len(whole)):
        with pytest.raises(FormatError) as caught:
            header_of(whole[:size])
        assert 0 <= caught.value.offset <= size


def faulty(**changes: int | bytes) -> bytes:
    """Return a file of one tensor whose stated numbers can be changed."""
    name = changes.get("name", b"a")
    assert isinstance(name, bytes)
    head = b"GGUF" + struct.pack("<IQQ", 3, changes.get("tensors", 1), 0)
    head += struct.pack("<Q", len(name)) + name + struct.pack("<I", changes.get("dimensions", 1))
    head += struct.pack("<Q", changes.get("size", 32)) + struct.pack("<I", changes.get("type", 0))
    head += struct.pack("<Q", changes.get("offset", 0))
    return head + b"\0" * (-len(head) % 32) + b"\0" * 128


@pytest.mark.parametrize(
    ("content", "offset", "said"),
    [
        (faulty(size=2**63), 37, "dimension of 9223372036854775808"),
        (faulty(size=2**32), 49, "takes bytes"),
        (faulty(type=1000), 45, "unknown type 1000"),
        (faulty(type=4), 45, "retired type Q4_2"),
        (faulty(type=2, size=33), 33, "no multiple of 32"),
        (faulty(offset=2**64 - 64), 49, "takes bytes"),
        (faulty(offset=3), 49, "no multiple of 32"),
        (faulty(tensors=2**63), 8, "claims"),
        (faulty(name=b"n" * 65), 24, "at most 64"),
        (faulty(name=b""), 24, "empty"),
        (faulty(name=b"a\xff"), 33, "not UTF-8"),
        (gguf_bytes({"a": Typed(ARRAY, [], ARRAY)}), 37, "holds arrays"),
        (gguf_bytes({"a": 1}).replace(struct.pack("<II", 4, 1), struct.pack("<II", 99, 1)), 33, "unknown type 99"),
        (gguf_bytes(llama_facts(block_count=2**32 - 1)), 98, "no model has"),
        (gguf_bytes({"general.architecture": "llama", "llama.block_count": "two"}), 98, "no whole number"),
        (gguf_bytes({"general.alignment": 48}), 53, "power of two"),
    ],
)
def test_what_cannot_be_is_refused_at_its_byte(content: bytes, offset: int, said: str) -> None:
    """Each number is compared with what the file can hold before anything is done with it."""
    with pytest.raises(FormatError, match=said) as caught:
        header_of(content)
    assert caught.value.offset == offset


def test_what_stands_twice_is_refused() -> None:
    """A key or a tensor that stands twice would show two readers two models."""
    once = gguf_bytes({"aa": 1, "ab": 2})
    with pytest.raises(FormatError, match="stands twice"):
        header_of(once.replace(b"ab", b"aa"))
    with pytest.raises(FormatError, match="stands twice"):
        header_of(gguf_bytes({}, [("a", (32,), 0), ("a", (32,), 0)]))


def test_tensors_that_share_bytes_are_refused() -> None:
    """Of two tensors at one place the second is named."""
    one, two = ("a", (32,), 0), ("b", (32,), 0)
    whole = gguf_bytes({}, [one, two])
    with pytest.raises(FormatError, match="`b` shares bytes"):
        header_of(whole.replace(struct.pack("<IQ", 0, 128), struct.pack("<IQ", 0, 0), 1))


def test_odd_but_lawful_things_are_told() -> None:
    """Unused bytes and dimensions of 0 are read with a warning."""
    assert any("follow the last tensor" in text for text in header_of(gguf_bytes({}, TENSORS) + b"x" * 99).warnings)
    assert any("dimension of 0" in text for text in header_of(gguf_bytes({}, [("a", (0,), 0)])).warnings)
    hole = gguf_bytes({}, [("a", (8,), 0), ("b", (8,), 0)]) + b"\0" * 64
    moved = hole.replace(struct.pack("<IQ", 0, 32), struct.pack("<IQ", 0, 96), 1)
    assert any("between tensors" in text for text in header_of(moved).warnings)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """There is no memory map: a file cut under the reader gives an error and no signal."""
    path = written(tmp_path / "m.gguf", gguf_bytes(llama_facts() | {"t": ["x" * 100] * 3000}, TENSORS))
    with FileSource(path) as source:
        with path.open("r+b") as file:
            file.truncate(90_000)
        with pytest.raises(FormatError, match="became shorter"):
            read_gguf(source)
