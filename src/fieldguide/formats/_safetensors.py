"""Headers of safetensors files.

References:
    The format in the README of the safetensors project, and `safetensors/src/tensor.rs` (version 0.8).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NoReturn

from fieldguide.errors import FormatError
from fieldguide.formats._caution import name_warnings, shown
from fieldguide.formats._json import parse_json_object
from fieldguide.formats._source import ByteSource, read_exactly
from fieldguide.formats._tensor import TensorInfo

MOST_HEADER_BYTES = 8 << 20
"""The format allows 100 MB; the longest header of a real model is below 5 MB, and a reader's memory grows with it."""
MOST_TENSORS = 65_536
_MANY_EMPTY = 16
_MOST_DIMENSIONS = 32
_METADATA = "__metadata__"
_FIELDS = {"dtype", "shape", "data_offsets"}
_MOST_NUMBER = (1 << 63) - 1

TYPE_BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E5M2FNUZ": 8,
    "F8_E4M3FNUZ": 8, "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32,
    "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetensorsHeader:
    """Everything that the head of one safetensors file says."""

    name: str
    metadata: Mapping[str, str]
    tensors: tuple[TensorInfo, ...]
    """In the order of their bytes."""
    header_bytes: int
    """Length of the JSON text; the data begin 8 bytes later."""
    file_bytes: int
    warnings: tuple[str, ...]


def read_safetensors(source: ByteSource, *, file: str | None = None) -> SafetensorsHeader:
    """Return the header of a safetensors file; `parameters` of its tensors are their elements.

    Args:
        source: Its bytes.
        file: What its tensors call it; the last part of the source's name where None.

    Raises:
        FormatError: The file is something else, or its header is damaged, contradicts itself or the file's size.
        InputFileError: The file cannot be read.
    """
    length = _header_length(source)
    raw = read_exactly(source, 8, length)
    if raw[:1] != b"{":
        raise FormatError(source.name, 8, f"the header begins with {raw[:1]!r} and not with an opening brace")
    found = parse_json_object(raw, name=source.name, offset=8, floats=False)
    return _Reader(source, raw, found, file or PurePath(source.name).name).header()


def _header_length(source: ByteSource) -> int:
    if source.size_bytes < 8:
        raise FormatError(source.name, 0, f"the file has {source.size_bytes} bytes, too few for the header's length")
    length = int.from_bytes(read_exactly(source, 0, 8), "little")
    if length == 0:
        raise FormatError(source.name, 0, "the header has a length of 0")
    if length > source.size_bytes - 8:
        reason = f"the header claims {length} bytes and {source.size_bytes - 8} are left"
        raise FormatError(source.name, 0, f"{reason}; this is no safetensors file, or its download was interrupted")
    if length > MOST_HEADER_BYTES:
        raise FormatError(source.name, 0, f"the header claims {length} bytes; at most {MOST_HEADER_BYTES} are read")
    return length


class _Reader:
    """Checks one header against the format and the file's size."""

    def __init__(self, source: ByteSource, raw: bytes, found: dict[str, Any], file: str) -> None:
        self._source, self._raw, self._found = source, raw, found
        self._file = file
        self._data_offset = 8 + len(raw)
        self._data_bytes = source.size_bytes - self._data_offset
        self._extra: list[str] = []

    def header(self) -> SafetensorsHeader:
        metadata = self._metadata(self._found.pop(_METADATA, {}))
        if len(self._found) > MOST_TENSORS:
            self._fail(None, f"the header has {len(self._found)} tensors; at most {MOST_TENSORS} are read")
        tensors = [self._tensor(name, entry) for name, entry in self._found.items()]
        tensors.sort(key=lambda tensor: (tensor.offset, tensor.bytes))
        self._check_places(tensors)
        return SafetensorsHeader(
            name=self._source.name,
            metadata=metadata,
            tensors=tuple(tensors),
            header_bytes=len(self._raw),
            file_bytes=self._source.size_bytes,
            warnings=tuple(self._warnings(tensors)),
        )

    def _fail(self, key: str | None, reason: str) -> NoReturn:
        """Refuse, at the byte where the key stands."""
        at = -1
        if key is not None:
            forms = (json.dumps(key), json.dumps(key, ensure_ascii=False))
            at = max(self._raw.find(form.encode("utf-8", "surrogatepass")) for form in forms)
        raise FormatError(self._source.name, 8 + max(at, 0), reason)

    def _metadata(self, found: Any) -> dict[str, str]:
        if not isinstance(found, dict) or any(not isinstance(value, str) for value in found.values()):
            self._fail(_METADATA, "__metadata__ holds something else than texts")
        return found

    def _tensor(self, name: str, entry: Any) -> TensorInfo:
        told = f"the tensor `{shown(name)}`"
        if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
            self._fail(name, f"{told} lacks one of dtype, shape and data_offsets")
        if entry.keys() > _FIELDS:
            self._extra.append(name)
        kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(kind, str) or kind not in TYPE_BITS:
            self._fail(name, f"{told} has the unknown dtype {shown(str(kind), 40)}")
        if not _numbers(shape) or len(shape) > _MOST_DIMENSIONS:
            self._fail(name, f"{told} has a shape that is no list of up to {_MOST_DIMENSIONS} sizes")
        if not _numbers(offsets) or len(offsets) != 2:
            self._fail(name, f"{told} has data_offsets that are no pair of positions")
        begin, end = offsets
        if not begin <= end <= self._data_bytes:
            reason = f"{told} takes bytes {begin} to {end} of {self._data_bytes} bytes of data"
            self._fail(name, f"{reason}; the download was interrupted or the header is wrong")
        elements = math.prod(shape)
        if elements * TYPE_BITS[kind] != 8 * (end - begin):
            self._fail(name, f"{told} of {elements} elements of {kind} cannot take {end - begin} bytes")
        return TensorInfo(
            name=name,
            shape=tuple(shape),
            type=kind,
            offset=self._data_offset + begin,
            bytes=end - begin,
            elements=elements,
            parameters=elements,
            file=self._file,
        )

    def _check_places(self, tensors: list[TensorInfo]) -> None:
        end = self._data_offset
        for tensor in tensors:
            if tensor.offset < end:
                self._fail(tensor.name, f"the tensor `{shown(tensor.name)}` shares bytes with the one before it")
            if tensor.offset > end:
                self._fail(tensor.name, f"{tensor.offset - end} unused bytes stand before `{shown(tensor.name)}`")
            end = tensor.offset + tensor.bytes
        if end != self._source.size_bytes:
            left = self._source.size_bytes - end
            raise FormatError(self._source.name, end, f"{left} bytes follow the last tensor; the format allows none")

    def _warnings(self, tensors: list[TensorInfo]) -> list[str]:
        found = name_warnings("tensor", (tensor.name for tensor in tensors))
        if self._extra:
            found.append(f"the tensor `{shown(self._extra[0])}` has a field that the format does not know")
        empty = sum(tensor.elements == 0 for tensor in tensors)
        if empty > _MANY_EMPTY:
            found.append(f"{empty} tensors hold nothing")
        return found


def _numbers(value: Any) -> bool:
    """Return whether a value is a list of whole numbers from 0 to 2^63 - 1."""
    if not isinstance(value, list):
        return False
    return all(type(number) is int and 0 <= number <= _MOST_NUMBER for number in value)
