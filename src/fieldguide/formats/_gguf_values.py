"""The metadata of a GGUF file: every length and count is compared with the bytes that are left before it is used."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fieldguide.formats._caution import shown
from fieldguide.formats._source import Cursor

MOST_KEYS = 65_536
MOST_STRINGS = 4_194_304
"""In all arrays of a file together; the largest vocabularies with their merges have a sixth of it."""
_LONGEST_KEY_BYTES = 65_535
"""As the specification says (ggml, docs/gguf.md)."""
_MOST_KEY_BYTES = 16 << 20
"""Of all keys together."""
_LONGEST_STRING_BYTES = 64 << 20
_KEPT_TEXT_BYTES = 1 << 20
"""Longest text that is kept; a longer one, as a tokenizer in JSON, is passed over, and its place noted."""
_MOST_TEXT_BYTES = 8 << 20
"""Of all texts that are kept."""
_MOST_KEPT = 1024
"""Elements of an array that are kept; a longer one is passed over, and its place noted."""
_MOST_ELEMENTS_KEPT = 262_144
"""Of all arrays that are kept."""
_KEPT_STRING_BYTES = 256
"""Longest string of an array that is kept."""
STRING, ARRAY = 8, 9
_BOOL = 7
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
TYPE_NAMES = {
    0: "uint8", 1: "int8", 2: "uint16", 3: "int16", 4: "uint32", 5: "int32", 6: "float32", 7: "bool",
    8: "string", 9: "array", 10: "uint64", 11: "int64", 12: "float64",
}  # fmt: skip

Scalar: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufArray:
    """An array of the metadata, or a text too long to be kept; what is long stays in the file."""

    type: str
    """Of its elements; `byte` of a text."""
    count: int
    offset: int
    """Where its first element begins."""
    bytes: int
    values: tuple[Scalar, ...] | None
    """None of an array too long to be kept."""
    sha256: str | None
    """Of its bytes as stored, of arrays of strings only: others are passed over unread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufValue:
    """One value of the metadata."""

    type: str
    value: Scalar | GgufArray
    offset: int
    """Where the value begins, after its type."""


class ValueReader:
    """Reads typed values in one byte order and one width of lengths; collects what is odd and no fault."""

    def __init__(self, cursor: Cursor, *, order: Literal["<", ">"], wide: bool) -> None:
        """Read from `cursor`; `wide` lengths have 64 bits, those of version 1 have 32."""
        self.cursor = cursor
        self.warnings: list[str] = []
        self._order = order
        self._length = struct.Struct(order + ("Q" if wide else "I"))
        self._u32 = struct.Struct(order + "I")
        self._u64 = struct.Struct(order + "Q")
        self._strings = 0
        self._key_bytes = 0
        self._text_bytes = 0
        self._elements_kept = 0

    def length(self, what: str) -> int:
        """Return a length or count, not compared with anything yet."""
        return int(self._length.unpack(self.cursor.take(self._length.size, what))[0])

    def u32(self, what: str) -> int:
        """Return an unsigned number of 32 bits."""
        return int(self._u32.unpack(self.cursor.take(4, what))[0])

    def u64(self, what: str) -> int:
        """Return an unsigned number of 64 bits."""
        return int(self._u64.unpack(self.cursor.take(8, what))[0])

    @property
    def least_string_bytes(self) -> int:
        """What an empty string takes."""
        return self._length.size

    def raw_string(self, what: str, longest_bytes: int = _LONGEST_STRING_BYTES) -> bytes:
        """Return the bytes of a string."""
        at = self.cursor.offset
        length = self.length(f"the length of {what}")
        if length > longest_bytes:
            raise self.cursor.error(at, f"{what} claims {length} bytes; at most {longest_bytes} are read")
        return self.cursor.take(length, what)

    def name(self, what: str, longest_bytes: int = _LONGEST_KEY_BYTES) -> str:
        """Return a string that names something: UTF-8 and not empty."""
        at = self.cursor.offset
        raw = self.raw_string(what, longest_bytes)
        if not raw:
            raise self.cursor.error(at, f"{what} is empty")
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.cursor.error(at + self._length.size + error.start, f"{what} is not UTF-8") from None

    def key(self) -> str:
        """Return the next key."""
        at = self.cursor.offset
        key = self.name("a key")
        self._key_bytes += self.cursor.offset - at
        if self._key_bytes > _MOST_KEY_BYTES:
            raise self.cursor.error(at, f"the keys take more than {_MOST_KEY_BYTES} bytes")
        return key

    def value(self, key: str) -> GgufValue:
        """Return the value of `key`."""
        at = self.cursor.offset
        kind = self.u32("the type of a value")
        if kind not in TYPE_NAMES:
            raise self.cursor.error(at, f"the value of `{shown(key)}` has the unknown type {kind}")
        at = self.cursor.offset
        value = self._array(key) if kind == ARRAY else self._text(key) if kind == STRING else self._scalar(kind, key)
        return GgufValue(type=TYPE_NAMES[kind], value=value, offset=at)

    def _text(self, key: str) -> str | GgufArray:
        what = f"the value of `{shown(key)}`"
        at = self.cursor.offset
        length = self.length(f"the length of {what}")
        if length > _LONGEST_STRING_BYTES:
            raise self.cursor.error(at, f"{what} claims {length} bytes; at most {_LONGEST_STRING_BYTES} are read")
        start = self.cursor.offset
        if length > _KEPT_TEXT_BYTES or self._text_bytes + length > _MOST_TEXT_BYTES:
            self.cursor.skip(length, what)
            self.warnings.append(f"{what} takes {length} bytes and was passed over")
            return GgufArray(type="byte", count=length, offset=start, bytes=length, values=None, sha256=None)
        self._text_bytes += length
        raw = self.cursor.take(length, what)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.warnings.append(f"{what} is not UTF-8")
            return raw.decode("utf-8", "replace")

    def _scalar(self, kind: int, key: str) -> Scalar:
        what = f"the value of `{shown(key)}`"
        code = _SCALARS[kind]
        size = struct.calcsize(code)
        number: int | float = struct.unpack(self._order + code, self.cursor.take(size, what))[0]
        return self._bool(number, what) if kind == _BOOL else number

    def _bool(self, number: int | float, what: str) -> bool:
        if number not in {0, 1}:
            self.warnings.append(f"{what} is a bool stored as {number}; 0 and 1 are the only ones")
        return bool(number)

    def _array(self, key: str) -> GgufArray:
        what = f"the array `{shown(key)}`"
        at = self.cursor.offset
        kind = self.u32(f"the element type of {what}")
        if kind == ARRAY:
            raise self.cursor.error(at, f"{what} holds arrays, which no reader of GGUF supports")
        if kind not in TYPE_NAMES:
            raise self.cursor.error(at, f"{what} has elements of the unknown type {kind}")
        at = self.cursor.offset
        count = self.length(f"the count of {what}")
        size = self.least_string_bytes if kind == STRING else struct.calcsize(_SCALARS[kind])
        if count * size > self.cursor.left_bytes:
            left = self.cursor.left_bytes
            reason = f"{what} claims {count} elements of {size} bytes or more and {left} are left"
            raise self.cursor.error(at, f"{reason}; it is damaged, or its download was interrupted")
        start = self.cursor.offset
        values: tuple[Scalar, ...] | None
        sha256 = None
        if kind == STRING:
            values, sha256 = self._string_array(count, what)
        else:
            values = self._numbers(kind, count, what)
        return GgufArray(
            type=TYPE_NAMES[kind],
            count=count,
            offset=start,
            bytes=self.cursor.offset - start,
            values=values,
            sha256=sha256,
        )

    def _numbers(self, kind: int, count: int, what: str) -> tuple[Scalar, ...] | None:
        code = _SCALARS[kind]
        if not self._keeps(count):
            self.cursor.skip(count * struct.calcsize(code), what)
            return None
        numbers = struct.unpack(f"{self._order}{count}{code}", self.cursor.take(count * struct.calcsize(code), what))
        return tuple(self._bool(number, what) for number in numbers) if kind == _BOOL else numbers

    def _keeps(self, count: int) -> bool:
        """Return whether the elements of an array are kept, and count them if so."""
        if count > _MOST_KEPT or self._elements_kept + count > _MOST_ELEMENTS_KEPT:
            return False
        self._elements_kept += count
        return True

    def _string_array(self, count: int, what: str) -> tuple[tuple[str, ...] | None, str]:
        """Return the strings of a short array, and the sha256 of the bytes of any."""
        self._strings += count
        if self._strings > MOST_STRINGS:
            raise self.cursor.error(
                self.cursor.offset, f"{what} and those before hold more than {MOST_STRINGS} strings"
            )
        digest = hashlib.sha256()
        kept: list[str] | None = [] if self._keeps(count) else None
        left = count
        while left:
            run, pieces, passed = self._run(left, what, keep=kept is not None)
            digest.update(run)
            left -= passed
            if kept is not None and all(len(piece) <= _KEPT_STRING_BYTES for piece in pieces):
                kept += [piece.decode("utf-8", "replace") for piece in pieces]
            else:
                kept = None
        return None if kept is None else tuple(kept), digest.hexdigest()

    def _run(self, most: int, what: str, *, keep: bool) -> tuple[bytes, list[bytes], int]:
        """Return the bytes of as many whole strings as are at hand (1 or more), the strings if asked, and how many."""
        cursor, unpack, width = self.cursor, self._length.unpack_from, self._length.size
        first = unpack(*cursor.window(width, what))[0]
        if first > _LONGEST_STRING_BYTES:
            raise cursor.error(cursor.offset, f"a string of {what} claims {first} bytes")
        cursor.need(width + first, f"a string of {what}")
        buffer, start = cursor.window(width + first, what)
        at, end, count = start, min(len(buffer), start + cursor.left_bytes), 0
        pieces: list[bytes] = []
        while count < most and at + width <= end:
            after = at + width + unpack(buffer, at)[0]
            if after > end:
                break
            if keep:
                pieces.append(buffer[at + width : after])
            at, count = after, count + 1
        cursor.skip(at - start, what)
        return buffer[start:at], pieces, count
