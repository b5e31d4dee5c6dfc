"""Reads JSON Lines from files that people, other programs and power cuts have had their hands on.

What is read can be stored and hashed: no NaN, no infinity, no lone surrogate, no NUL reaches the caller. What was
changed or left out for that is said through `warn`; what cannot be read at all is an error that names the line.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from fieldguide.domain import JsonValue
from fieldguide.errors import InputFileError

MAX_LINE_BYTES = 64_000_000
"""Longest line that is read (bytes, after decompression)."""
MAX_DEPTH = 200
"""Deepest nesting that is accepted; real records have fewer than ten levels."""

_BOM = b"\xef\xbb\xbf"
_NUL = b"\x00"


@dataclass(frozen=True, slots=True)
class JsonLine:
    """One object of the file."""

    number: int
    """1-based line number in the file, blank lines counted."""
    value: dict[str, JsonValue]


def read_jsonl(path: Path, *, warn: Callable[[str], None] | None = None) -> Iterator[JsonLine]:
    """Yield the objects of a JSON Lines file, one line held at a time; gzip is recognised by its first bytes.

    Blank lines are passed over, CRLF and a missing final newline are nothing special, and only `\\n` ends a line
    (U+2028 and U+0085 are text). With a warning: a byte order mark and blocks of NUL are passed over; a last line that
    was cut off in mid-write is left out; NaN and numbers beyond a double become null; lone surrogates and NUL
    characters in a text become U+FFFD.

    Args:
        path: The file.
        warn: Takes one sentence per kind of oddity, and one more with the count of further lines that have it.

    Raises:
        InputFileError: The file cannot be read, or a line is not one JSON object in UTF-8 within the bounds above.
    """
    oddities = _Oddities(path, warn)
    try:
        with open_plain(path) as stream:
            yield from _lines(path, stream, oddities)
    except (OSError, EOFError, zlib.error) as error:
        raise InputFileError(str(path), f"cannot be read: {_reason(error)}.") from error
    oddities.close()


class _Oddities:
    """Tells each kind of oddity once, and how many more lines had it."""

    def __init__(self, path: Path, warn: Callable[[str], None] | None) -> None:
        self._path = path
        self._warn = warn
        self._seen: Counter[str] = Counter()

    def note(self, number: int, kind: str) -> None:
        self._seen[kind] += 1
        if self._warn is not None and self._seen[kind] == 1:
            self._warn(f"{self._path}, line {number}: {kind}.")

    def close(self) -> None:
        for kind, count in self._seen.items():
            if self._warn is not None and count > 1:
                self._warn(f"{self._path}: {count - 1} more lines like it ({kind}).")


@contextmanager
def open_plain(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading bytes, decompressed where its first bytes say gzip, whatever its name says."""
    with path.open("rb") as stream:
        magic = stream.read(2)
        stream.seek(0)
        if magic == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=stream, mode="rb") as plain:
                yield cast(BinaryIO, plain)
        else:
            yield stream


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"the compressed data are damaged or cut off ({error})"


def _lines(path: Path, stream: BinaryIO, oddities: _Oddities) -> Iterator[JsonLine]:
    number = 0
    while raw := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(raw) > MAX_LINE_BYTES:
            raise InputFileError(str(path), f"longer than {MAX_LINE_BYTES // 10**6} MB.", line=number)
        if number == 1 and raw.startswith(_BOM):
            oddities.note(number, "starts with a byte order mark, passed over")
            raw = raw[len(_BOM) :]
        if raw.startswith(_NUL):
            oddities.note(number, "holds a block of NUL bytes, as a power cut leaves them, passed over")
            raw = raw.lstrip(_NUL)
        if raw.isspace() or not raw:
            continue
        value = _parse(path, raw, number, oddities)
        if value is not None:
            yield JsonLine(number, value)


def _parse(path: Path, raw: bytes, number: int, oddities: _Oddities) -> dict[str, JsonValue] | None:
    """Return the object of one line, or None where it is the torn end of the file."""
    unreadable_numbers: list[str] = []
    try:
        value = _decoder(unreadable_numbers).decode(raw.decode("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        if _is_torn(raw, error):
            oddities.note(number, "the last line was cut off in mid-write and is left out")
            return None
        raise InputFileError(str(path), f"{_fault(error)}.", line=number) from error
    except RecursionError as error:
        raise InputFileError(str(path), "nested too deep.", line=number) from error
    except ValueError as error:
        raise InputFileError(str(path), "holds an integer of more than 4,300 digits.", line=number) from error
    if not isinstance(value, dict):
        raise InputFileError(str(path), f"a JSON object was expected, not {_json_kind(value)}.", line=number)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _too_deep(value):
        raise InputFileError(str(path), f"nested deeper than {MAX_DEPTH} levels.", line=number)
    if unreadable_numbers:
        oddities.note(number, f"{unreadable_numbers[0]} is not a number that JSON can carry and is read as null")
    if b"\\u" in raw:
        value = _storable(value, number, oddities)
    return cast("dict[str, JsonValue]", value)


def _decoder(unreadable_numbers: list[str]) -> json.JSONDecoder:
    def constant(name: str) -> None:
        unreadable_numbers.append(name)

    def number(text: str) -> float | None:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            unreadable_numbers.append(text if len(text) < 20 else "A number beyond 1.8e308")
            return None
        return value

    return json.JSONDecoder(parse_constant=constant, parse_float=number)


def _is_torn(raw: bytes, error: json.JSONDecodeError | UnicodeDecodeError) -> bool:
    """Whether the line looks like the beginning of an object that was being written when the writer died."""
    if raw.endswith(b"\n") or not raw.startswith(b"{"):
        return False
    if isinstance(error, UnicodeDecodeError):
        return error.reason == "unexpected end of data"
    return not error.msg.startswith("Extra data")


def _fault(error: json.JSONDecodeError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 (byte {error.start + 1} of the line)"
    return f"not valid JSON ({error.msg} at character {error.pos + 1})"


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "an array"
    return "a text" if isinstance(value, str) else "a number or a truth value"


def _too_deep(value: object) -> bool:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [
            child
            for parent in layer
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        if not layer:
            return False
    return True


def _storable(value: object, number: int, oddities: _Oddities) -> object:
    if isinstance(value, str):
        if "\x00" in value:
            oddities.note(number, "a NUL character in a text is read as U+FFFD")
            value = value.replace("\x00", "\ufffd")
        if any("\ud800" <= character <= "\udfff" for character in value):
            oddities.note(number, "a lone surrogate in a text is read as U+FFFD")
            value = "".join("\ufffd" if "\ud800" <= character <= "\udfff" else character for character in value)
        return value
    if isinstance(value, list):
        return [_storable(child, number, oddities) for child in value]
    if isinstance(value, dict):
        return {
            str(_storable(key, number, oddities)): _storable(child, number, oddities) for key, child in value.items()
        }
    return value
