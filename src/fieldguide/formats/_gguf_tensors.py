"""Tensor infos of a GGUF file: names, shapes, types, and whether their bytes lie within the file and apart."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.formats._caution import name_warnings, shown
from fieldguide.formats._ggml_types import GGML_TYPES, RETIRED_TYPES, GgmlType
from fieldguide.formats._gguf_values import ValueReader
from fieldguide.formats._source import ByteSource, Cursor
from fieldguide.formats._tensor import TensorInfo

MOST_TENSORS = 65_536
_MOST_DIMENSIONS = 4
_LONGEST_NAME_BYTES = 64
"""As the specification says; llama.cpp itself takes one less (GGML_MAX_NAME counts the final zero)."""
_MOST_ELEMENTS = 1 << 62
_TABLES = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
"""Frequencies of positions: computed and never trained."""


@dataclass(frozen=True, slots=True)
class _Stated:
    """A tensor as the header states it."""

    name: str
    shape: tuple[int, ...]
    type: GgmlType
    elements: int
    bytes: int
    offset: int
    """Within the data part."""
    stated_at: int
    """Where the header states the offset."""


@dataclass(frozen=True, slots=True)
class TensorInfos:
    """All tensors of a file before they are placed in it."""

    cursor: Cursor
    stated: list[_Stated]

    def placed(
        self, source: ByteSource, *, data_offset: int, alignment: int, file: str
    ) -> tuple[tuple[TensorInfo, ...], list[str]]:
        """Return the tensors with their places in the file, in the file's order, and what is odd about them.

        Raises:
            FormatError: A tensor is not aligned, leaves the file, or shares bytes with another.
        """
        warnings = name_warnings("tensor", (tensor.name for tensor in self.stated))
        empty = [tensor.name for tensor in self.stated if tensor.elements == 0]
        if empty:
            warnings.append(f"the tensor `{shown(empty[0])}` has a dimension of 0; {len(empty)} in all")
        if any(len(tensor.name.encode()) == _LONGEST_NAME_BYTES for tensor in self.stated):
            warnings.append(f"a tensor name of {_LONGEST_NAME_BYTES} bytes, one more than llama.cpp takes")
        end, hole = 0, False
        for tensor in sorted(self.stated, key=lambda tensor: (tensor.offset, tensor.bytes)):
            self._check_place(source, tensor, data_offset, alignment, end)
            hole |= tensor.offset > -(-end // alignment) * alignment
            end = max(end, tensor.offset + tensor.bytes)
        if hole:
            warnings.append("there are unused bytes between tensors, which llama.cpp refuses")
        if source.size_bytes > data_offset + -(-end // alignment) * alignment:
            after = source.size_bytes - data_offset - end
            warnings.append(f"{after} bytes follow the last tensor at byte {data_offset + end}")
        return tuple(_info(tensor, data_offset, file) for tensor in self.stated), warnings

    def _check_place(self, source: ByteSource, tensor: _Stated, data_offset: int, alignment: int, end: int) -> None:
        name = shown(tensor.name)
        if tensor.offset % alignment:
            reason = f"the tensor `{name}` begins at {tensor.offset}, no multiple of {alignment}"
            raise self.cursor.error(tensor.stated_at, reason)
        start = data_offset + tensor.offset
        if (start + tensor.bytes > source.size_bytes and tensor.bytes) or tensor.offset >= 1 << 63:
            reason = f"the tensor `{name}` takes bytes {start} to {start + tensor.bytes} of a file of "
            reason += f"{source.size_bytes}; the download was interrupted or the header is wrong"
            raise self.cursor.error(tensor.stated_at, reason)
        if tensor.offset < end and tensor.bytes:
            raise self.cursor.error(tensor.stated_at, f"the tensor `{name}` shares bytes with the one before it")


def read_tensors(reader: ValueReader, *, count: int, count_offset: int) -> TensorInfos:
    """Return what the header states of each tensor.

    Args:
        reader: Stands after the metadata.
        count: As the header claims it.
        count_offset: Where the header claims it.

    Raises:
        FormatError: A name, a shape, a type or a count is impossible.
    """
    cursor = reader.cursor
    least = reader.least_string_bytes + 1 + 4 + 4 + 8
    if count > MOST_TENSORS or count * least > cursor.left_bytes:
        most = min(MOST_TENSORS, cursor.left_bytes // least)
        reason = f"the header claims {count} tensors and the file can hold {most}"
        raise cursor.error(count_offset, f"{reason}; it is damaged, or its download was interrupted")
    stated: list[_Stated] = []
    names: set[str] = set()
    for _ in range(count):
        at = cursor.offset
        tensor = _read_tensor(reader)
        if tensor.name in names:
            raise cursor.error(at, f"the tensor `{shown(tensor.name)}` stands twice")
        names.add(tensor.name)
        stated.append(tensor)
    return TensorInfos(cursor, stated)


def _read_tensor(reader: ValueReader) -> _Stated:
    name = reader.name("a tensor's name", _LONGEST_NAME_BYTES)
    shape_at = reader.cursor.offset
    shape, elements = _read_shape(reader, name)
    type_at = reader.cursor.offset
    kind = reader.u32("a tensor's type")
    known = GGML_TYPES.get(kind)
    if known is None:
        what = f"the retired type {RETIRED_TYPES[kind]}" if kind in RETIRED_TYPES else f"the unknown type {kind}"
        raise reader.cursor.error(type_at, f"the tensor `{shown(name)}` has {what}")
    row = shape[0] if shape else 1
    if row % known.block_elements:
        reason = f"the rows of `{shown(name)}` have {row} elements, no multiple of {known.block_elements}"
        raise reader.cursor.error(shape_at, f"{reason} as {known.name} needs")
    at = reader.cursor.offset
    offset = reader.u64("a tensor's offset")
    size = elements // known.block_elements * known.block_bytes
    return _Stated(name, shape, known, elements, size, offset, at)


def _read_shape(reader: ValueReader, name: str) -> tuple[tuple[int, ...], int]:
    at = reader.cursor.offset
    dimensions = reader.u32("the count of dimensions")
    if dimensions > _MOST_DIMENSIONS:
        reason = f"the tensor `{shown(name)}` claims {dimensions} dimensions; {_MOST_DIMENSIONS} are the most"
        raise reader.cursor.error(at, reason)
    shape, elements = [], 1
    for _ in range(dimensions):
        at = reader.cursor.offset
        # Version 1 has dimensions of 32 bits, as its lengths are.
        size = reader.length("a dimension")
        elements *= size
        if size > _MOST_ELEMENTS or elements > _MOST_ELEMENTS:
            raise reader.cursor.error(at, f"the tensor `{shown(name)}` claims a dimension of {size}")
        shape.append(size)
    return tuple(shape), elements


def _info(tensor: _Stated, data_offset: int, file: str) -> TensorInfo:
    return TensorInfo(
        name=tensor.name,
        shape=tensor.shape,
        type=tensor.type.name,
        offset=data_offset + tensor.offset,
        bytes=tensor.bytes,
        elements=tensor.elements,
        parameters=0 if tensor.name in _TABLES else tensor.elements,
        file=file,
    )
