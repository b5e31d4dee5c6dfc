"""GGUF headers of versions 1 to 3 in both byte orders.

References:
    The specification, ggml `docs/gguf.md`, and its reader in llama.cpp, `ggml/src/gguf.cpp`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from fieldguide.errors import FormatError
from fieldguide.formats._caution import has_markup, name_warnings, shown, template_warnings
from fieldguide.formats._gguf_hyper import check_hyper_parameters
from fieldguide.formats._gguf_tensors import read_tensors
from fieldguide.formats._gguf_values import MOST_KEYS, GgufArray, GgufValue, Scalar, ValueReader
from fieldguide.formats._source import ByteSource, Cursor
from fieldguide.formats._tensor import TensorInfo

MAGIC = b"GGUF"
MOST_HEADER_BYTES = 128 << 20
_DEFAULT_ALIGNMENT = 32
_LARGEST_ALIGNMENT = 1 << 20
_MANY_KEYS = 1024
_VERSIONS = (1, 2, 3)

ByteOrder = Literal["little", "big"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """Everything that the head of one GGUF file says."""

    name: str
    version: int
    byte_order: ByteOrder
    metadata: Mapping[str, GgufValue]
    tensors: tuple[TensorInfo, ...]
    alignment: int
    data_offset: int
    """Where the bytes of tensors begin."""
    file_bytes: int
    warnings: tuple[str, ...]

    def value(self, key: str) -> Scalar | GgufArray | None:
        """Return what stands under a key, or None."""
        found = self.metadata.get(key)
        return None if found is None else found.value

    def text(self, key: str) -> str | None:
        """Return a string, or None where there is none under this key."""
        found = self.value(key)
        return found if isinstance(found, str) else None

    def number(self, key: str) -> int | None:
        """Return a whole number, or None where there is none under this key."""
        found = self.value(key)
        return found if isinstance(found, int) and not isinstance(found, bool) else None


def read_gguf(source: ByteSource, *, file: str | None = None) -> GgufHeader:
    """Return the header of a GGUF file; time and memory are bounded whatever the file says.

    Args:
        source: Its bytes.
        file: What its tensors call it; the last part of the source's name where None.

    Raises:
        FormatError: The file is not GGUF, or its header is damaged, contradicts itself or the file's size.
        InputFileError: The file cannot be read.
    """
    cursor = Cursor(source, most_bytes=MOST_HEADER_BYTES)
    cursor.need(4, "the magic number")
    if cursor.take(4, "the magic number") != MAGIC:
        raise cursor.error(0, "the file does not begin with GGUF")
    version, order = _version(cursor)
    reader = ValueReader(cursor, order=order, wide=version > 1)
    tensors_at = cursor.offset
    tensors = reader.length("the count of tensors")
    metadata = _metadata(reader)
    alignment = _alignment(cursor, metadata)
    check_hyper_parameters(source.name, metadata)
    infos = read_tensors(reader, count=tensors, count_offset=tensors_at)
    data_offset = -(-cursor.offset // alignment) * alignment
    _require_data(cursor, version, source, data_offset)
    placed, warnings = infos.placed(
        source, data_offset=data_offset, alignment=alignment, file=file or PurePath(source.name).name
    )
    return GgufHeader(
        name=source.name,
        version=version,
        byte_order="little" if order == "<" else "big",
        metadata=metadata,
        tensors=placed,
        alignment=alignment,
        data_offset=data_offset,
        file_bytes=source.size_bytes,
        warnings=(*_of_form(version, order), *reader.warnings[:20], *warnings, *_of_texts(metadata)),
    )


def _version(cursor: Cursor) -> tuple[int, Literal["<", ">"]]:
    raw = cursor.take(4, "the version")
    for order in ("<", ">"):
        version = int(struct.unpack(order + "I", raw)[0])
        if version in _VERSIONS:
            return version, "<" if order == "<" else ">"
    raise cursor.error(4, f"version {int.from_bytes(raw, 'little')} of GGUF is unknown; versions 1 to 3 are read")


def _metadata(reader: ValueReader) -> dict[str, GgufValue]:
    cursor = reader.cursor
    at = cursor.offset
    count = reader.length("the count of keys")
    least = reader.least_string_bytes + 6  # a key of a byte, a type and a value of a byte
    if count > MOST_KEYS or count * least > cursor.left_bytes:
        most = min(MOST_KEYS, cursor.left_bytes // least)
        reason = f"the header claims {count} keys and the file can hold {most}"
        raise cursor.error(at, f"{reason}; it is damaged, or its download was interrupted")
    found: dict[str, GgufValue] = {}
    for _ in range(count):
        at = cursor.offset
        key = reader.key()
        if key in found:
            raise cursor.error(at, f"the key `{shown(key)}` stands twice")
        found[key] = reader.value(key)
    return found


def _alignment(cursor: Cursor, metadata: Mapping[str, GgufValue]) -> int:
    found = metadata.get("general.alignment")
    if found is None:
        return _DEFAULT_ALIGNMENT
    if found.type != "uint32" or not isinstance(found.value, int):
        raise cursor.error(found.offset, f"general.alignment is of type {found.type} and not uint32")
    value = found.value
    if not 0 < value <= _LARGEST_ALIGNMENT or value & (value - 1):
        raise cursor.error(found.offset, f"general.alignment is {value}, no power of two up to {_LARGEST_ALIGNMENT}")
    return value


def _require_data(cursor: Cursor, version: int, source: ByteSource, data_offset: int) -> None:
    """Refuse a file of version 1 that ends before its data part.

    Later versions have files of vocabularies alone, which the converter leaves without padding; version 1 had not.
    """
    if version == 1 and data_offset > source.size_bytes:
        raise cursor.error(source.size_bytes, f"the file ends before its data part at byte {data_offset}")


def _of_form(version: int, order: str) -> list[str]:
    found = []
    if version == 1:
        found.append("version 1 of GGUF: engines of today do not load it; convert the model again")
    if order == ">":
        found.append("big-endian: engines on usual machines do not load it")
    return found


def _of_texts(metadata: Mapping[str, GgufValue]) -> list[str]:
    found = name_warnings("key", metadata)
    if len(metadata) > _MANY_KEYS:
        found.append(f"{len(metadata)} keys of metadata; models have a few dozen")
    for key, value in metadata.items():
        if not isinstance(value.value, str):
            continue
        if key.startswith("tokenizer.chat_template"):
            found += template_warnings(value.value)
        elif key.startswith("general."):
            found += _of_text(key, value.value)
    return list(dict.fromkeys(found))


def _of_text(key: str, text: str) -> list[str]:
    found = []
    if has_markup(text):
        found.append(f"`{shown(key)}` holds markup; a web page must escape it")
    if any(not letter.isprintable() and letter not in "\n\r\t" for letter in text[:4096]):
        found.append(f"`{shown(key)}` holds control characters")
    return found


def fault(header: GgufHeader, key: str, reason: str) -> FormatError:
    """Return the error for the value of a key."""
    return FormatError(header.name, header.metadata[key].offset, reason)
