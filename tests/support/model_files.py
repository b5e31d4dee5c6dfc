"""GGUF and safetensors files of any shape, sound or not, written without any library."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Order = Literal["<", ">"]
_CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
UINT32, FLOAT32, BOOL, STRING, ARRAY, UINT16, INT32, UINT64 = 4, 6, 7, 8, 9, 2, 5, 10
_SIZES = {0: (1, 4), 1: (1, 2), 2: (32, 18), 8: (32, 34), 12: (256, 144), 30: (1, 2)}
"""Elements and bytes of a block of the types that tests use."""


@dataclass
class Typed:
    """A value with its GGUF type; of an array also the type of its elements."""

    kind: int
    value: Any
    element: int = STRING


def typed(value: Any) -> Typed:
    """Return a value with the type that writers give it."""
    if isinstance(value, Typed):
        return value
    if isinstance(value, bool):
        return Typed(BOOL, value)
    if isinstance(value, int):
        return Typed(UINT32, value)
    if isinstance(value, float):
        return Typed(FLOAT32, value)
    if isinstance(value, list):
        return Typed(ARRAY, value, typed(value[0]).kind if value else STRING)
    return Typed(STRING, value)


def gguf_bytes(
    facts: Mapping[str, Any] | None = None,
    tensors: Sequence[tuple[str, tuple[int, ...], int]] = (),
    *,
    version: int = 3,
    order: Order = "<",
    alignment: int = 32,
    fill: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a whole file.

    Args:
        facts: Metadata; the architecture is `llama` where there are none.
        tensors: Name, shape and number of type.
        version: 1 writes lengths of 32 bits.
        order: Of bytes.
        alignment: Of tensors; other than 32 it must stand in `facts` too.
        fill: The byte that a tensor consists of, by its name; 0 otherwise.
    """
    facts = {"general.architecture": "llama"} if facts is None else facts
    length = order + ("I" if version == 1 else "Q")
    head = struct.pack(order + "I", version)
    head += struct.pack(length, len(tensors)) + struct.pack(length, len(facts))
    for key, value in facts.items():
        head += _string(key, length) + _value(typed(value), order, length)
    data = b""
    for name, shape, kind in tensors:
        data += b"\0" * (-len(data) % alignment)
        head += _string(name, length) + struct.pack(order + "I", len(shape))
        head += b"".join(struct.pack(length, size) for size in shape)
        head += struct.pack(order + "I", kind) + struct.pack(order + "Q", len(data))
        data += (fill or {}).get(name, b"\0") * tensor_bytes(shape, kind)
    head = b"GGUF" + head
    return head + b"\0" * (-len(head) % alignment) + data


def tensor_bytes(shape: Sequence[int], kind: int) -> int:
    """Return how many bytes a tensor of a type takes."""
    elements = 1
    for size in shape:
        elements *= size
    block, size = _SIZES[kind]
    return elements // block * size


def _string(text: str | bytes, length: str) -> bytes:
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack(length, len(raw)) + raw


def _value(value: Typed, order: str, length: str) -> bytes:
    return struct.pack(order + "I", value.kind) + _inside(value, order, length)


def _inside(value: Typed, order: str, length: str) -> bytes:
    if value.kind == STRING:
        return _string(value.value, length)
    if value.kind == ARRAY:
        items = b"".join(_inside(Typed(value.element, item), order, length) for item in value.value)
        return struct.pack(order + "I", value.element) + struct.pack(length, len(value.value)) + items
    return struct.pack(order + _CODES[value.kind], value.value)


def llama_facts(**changed: Any) -> dict[str, Any]:
    """Return the metadata of a llama of two layers; `_` in a name stands for the dot after `llama`."""
    facts: dict[str, Any] = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.context_length": 512,
        "llama.embedding_length": 32,
        "llama.feed_forward_length": 64,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
    }
    return facts | {f"llama.{name}": value for name, value in changed.items()}


def safetensors_bytes(
    tensors: Mapping[str, tuple[str, Sequence[int], bytes]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """Return a whole file of tensors with dtype, shape and bytes."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": metadata}
    data = b""
    for name, (kind, shape, raw) in tensors.items():
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    return headed(json.dumps(header, separators=(",", ":")).encode(), data)


def headed(text: bytes, data: bytes = b"") -> bytes:
    """Return a safetensors file with this very header."""
    return struct.pack("<Q", len(text)) + text + data


@dataclass
class FakeRemote:
    """A file behind a server that answers ranges, with what was asked of it."""

    content: bytes
    name: str = "https://hub.example/model.gguf"
    asked: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """The size of the whole file."""
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        """Return a range and note it."""
        self.asked.append((offset, length))
        return self.content[offset : offset + length]

    @property
    def fetched_bytes(self) -> int:
        """Bytes that went over the wire."""
        return sum(length for _, length in self.asked)


def written(path: Path, content: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(content)
    return path
