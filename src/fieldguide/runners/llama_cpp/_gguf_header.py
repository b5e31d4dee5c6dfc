"""The few facts of a GGUF header that decide how the file is run, read within bounds and without the engine."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"GGUF"
_LEAST_BYTES = 32
_MOST_HEADER_BYTES = 256 * 1024 * 1024
_MOST_KEYS = 65_536
_MOST_SIDES = 4
_MOST_LISTED = 4096
"""Longest list of numbers that is kept: one per layer."""
_CHUNK_BYTES = 1024 * 1024
_CUT = "ends in the middle of its GGUF header, as after an interrupted download"
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


class HeaderError(ValueError):
    """The file is not a whole GGUF header; the message completes the sentence "FILE ..."."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What the header says; None where it does not."""

    architecture: str | None = None
    name: str | None = None
    file_type: int | None = None
    """Number of the commonest quantization, as in llama.cpp's `llama_ftype` (2 is Q4_0)."""
    chat_template_sha256: str | None = None
    context_length_tokens: int | None = None
    """Most tokens that the model was trained for."""
    kv_bytes_per_token: int | None = None
    """Bytes of a 16-bit key/value cache per token, all layers counted as full attention (an upper bound)."""


def read_header(path: Path) -> GgufHeader:
    """Return the header of a GGUF file.

    Raises:
        HeaderError: The file is something else, or its header is cut or absurd.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return _header(_metadata(_Cursor(file, path.stat().st_size)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """One tensor as the header lists it."""

    name: str
    sides: tuple[int, ...]
    """Length of a row first."""
    type_number: int
    """As in ggml's `ggml_type` (0 is F32)."""


def read_tensors(path: Path) -> tuple[dict[str, object], list[StoredTensor]]:
    """Return the facts of a header, short lists of numbers included, and its tensors; a list of texts is its length.

    Raises:
        HeaderError: The file is something else, or its header is cut or absurd.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        cursor = _Cursor(file, path.stat().st_size)
        facts, count = _facts(cursor, lists=True)
        if count > _MOST_KEYS:
            raise HeaderError(f"is damaged: its GGUF header claims to hold {count} tensors")
        return facts, [_tensor(cursor) for _ in range(count)]


def _tensor(cursor: _Cursor) -> StoredTensor:
    name, sides = cursor.text(), int(cursor.number("I"))
    if sides > _MOST_SIDES:
        raise HeaderError(f"is damaged: a tensor claims to have {sides} dimensions")
    shape = tuple(cursor.count() for _ in range(sides))
    kind = int(cursor.number("I"))
    cursor.count()  # where its numbers are
    return StoredTensor(name=name, sides=shape, type_number=kind)


class _Cursor:
    """Reads forward through the head of a file and never past the bounds."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        self._file, self._most = file, min(size_bytes, _MOST_HEADER_BYTES)
        self._buffer = b""
        self._position = 0
        self._dropped = 0

    def take(self, count: int) -> bytes:
        if count > self._most:
            raise HeaderError("is damaged: its GGUF header holds a value that is longer than the file")
        end = self._position + count
        if end > len(self._buffer):
            if self._dropped + end > self._most:
                raise HeaderError(_CUT)
            self._dropped += self._position
            self._buffer = self._buffer[self._position :] + self._file.read(max(count, _CHUNK_BYTES))
            self._position, end = 0, count
            if end > len(self._buffer):
                raise HeaderError(_CUT)
        piece = self._buffer[self._position : end]
        self._position = end
        return piece

    def number(self, code: str) -> int | float | bool:
        value: int | float | bool = struct.unpack("<" + code, self.take(struct.calcsize(code)))[0]
        return value

    def count(self) -> int:
        return int(self.number("Q"))

    def text(self) -> str:
        return self.take(self.count()).decode("utf-8", "replace")


def _metadata(cursor: _Cursor) -> dict[str, int | float | bool | str]:
    """Return the scalar values and texts of the header; arrays are passed over."""
    facts, _ = _facts(cursor, lists=False)
    return {key: value for key, value in facts.items() if isinstance(value, int | float | str)}


def _facts(cursor: _Cursor, *, lists: bool) -> tuple[dict[str, object], int]:
    """Return the facts of the header and the number of its tensors."""
    start = cursor.take(4) if cursor._most >= 4 else b""
    if start != _MAGIC:
        raise HeaderError(_what_else(start + cursor.take(max(min(cursor._most - len(start), 60), 0))))
    if cursor._most < _LEAST_BYTES:
        raise HeaderError("is a GGUF file cut to a few bytes")
    version = cursor.number("I")
    if version not in {2, 3}:
        raise HeaderError(_version(int(version)))
    tensors, keys = cursor.count(), cursor.count()
    if keys > _MOST_KEYS:
        raise HeaderError(f"is damaged: its GGUF header claims to hold {keys} facts")
    found: dict[str, object] = {}
    for _ in range(keys):
        key, kind = cursor.text(), int(cursor.number("I"))
        if kind != _ARRAY:
            found[key] = cursor.text() if kind == _STRING else cursor.number(_scalar(kind))
        elif (listed := _array(cursor)) is not None and lists:
            found[key] = listed
    return found, tensors


def _scalar(kind: int) -> str:
    if kind not in _SCALARS:
        raise HeaderError(f"is damaged: its GGUF header holds a value of unknown type {kind}")
    return _SCALARS[kind]


def _array(cursor: _Cursor) -> int | list[int | float | bool] | None:
    """Return a short list of numbers, or the length of a list of texts; None for a long list, which is passed over."""
    kind, count = int(cursor.number("I")), cursor.count()
    if kind == _STRING:
        for _ in range(count):  # ends by the bound on bytes, whatever the count
            cursor.take(cursor.count())
        return count
    code = _scalar(kind)
    raw = cursor.take(count * struct.calcsize(code))
    return list(struct.unpack(f"<{count}{code}", raw)) if count <= _MOST_LISTED else None


def _what_else(start: bytes) -> str:
    if not start:
        return "is not a GGUF file: it is empty"
    folded = start.lstrip().lower()
    if folded.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "is not a GGUF file: it is an HTML page, as a server sends instead of a file that needs a login"
    if folded.startswith(b"version https://git-lfs"):
        return "is not a GGUF file: it is a Git LFS pointer, which stands for the file"
    return f"is not a GGUF file: it starts with {start[:16]!r}"


def _version(version: int) -> str:
    if version & 0xFFFF == 0:
        return "is a big-endian GGUF file, which this machine cannot run"
    return f"is a GGUF file of version {version}; versions 2 and 3 can be run"


def _header(found: dict[str, int | float | bool | str]) -> GgufHeader:
    architecture, name, template = (
        value if isinstance(value := found.get(key), str) else None
        for key in ("general.architecture", "general.name", "tokenizer.chat_template")
    )

    def number(key: str) -> int | None:
        value = found.get(f"{architecture}.{key}")
        return value if isinstance(value, int) and 0 < value < 2**31 else None

    file_type = found.get("general.file_type")
    return GgufHeader(
        architecture=architecture,
        name=name,
        file_type=file_type if isinstance(file_type, int) else None,
        chat_template_sha256=None if template is None else hashlib.sha256(template.encode("utf-8")).hexdigest(),
        context_length_tokens=number("context_length"),
        kv_bytes_per_token=_kv_bytes(
            layers=number("block_count"),
            embedding=number("embedding_length"),
            heads=number("attention.head_count"),
            kv_heads=number("attention.head_count_kv") or number("attention.head_count"),
            key=number("attention.key_length"),
            value=number("attention.value_length"),
        ),
    )


def _kv_bytes(
    *,
    layers: int | None,
    embedding: int | None,
    heads: int | None,
    kv_heads: int | None,
    key: int | None,
    value: int | None,
) -> int | None:
    if layers is None or kv_heads is None or heads is None or (embedding is None and (key is None or value is None)):
        return None
    head = (embedding or 0) // heads
    return layers * kv_heads * ((key or head) + (value or head)) * 2
