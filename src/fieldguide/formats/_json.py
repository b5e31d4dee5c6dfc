"""JSON objects from untrusted files: bounded in size and numbers, strict, and without a key that stands twice."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from fieldguide.errors import FormatError
from fieldguide.formats._caution import shown
from fieldguide.formats._source import ByteSource, read_exactly

_MOST_DIGITS = 19
"""Of a whole number: below 2^63 and a little more."""


class _TwiceError(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class _UnfitError(ValueError):
    """A value that the reader refuses, with the words of the refusal."""


def read_json_object(source: ByteSource, *, most_bytes: int) -> dict[str, Any]:
    """Return the object that a whole JSON file holds.

    Raises:
        FormatError: It is larger than `most_bytes`, is no JSON object, or a key stands twice in one object.
    """
    if source.size_bytes > most_bytes:
        raise FormatError(source.name, 0, f"the file takes {source.size_bytes} bytes; at most {most_bytes} are read")
    raw = read_exactly(source, 0, source.size_bytes)
    return parse_json_object(raw, name=source.name, offset=0, floats=True)


def parse_json_object(raw: bytes, *, name: str, offset: int, floats: bool) -> dict[str, Any]:
    """Return the object that `raw` holds.

    Args:
        raw: UTF-8 text.
        name: Of the file, for messages.
        offset: Where `raw` begins in it.
        floats: Whether numbers with a fraction or an exponent are allowed.

    Raises:
        FormatError: As `read_json_object`.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(name, offset + error.start, "the JSON text is not UTF-8") from None

    def fail(character: int, reason: str) -> NoReturn:
        raise FormatError(name, offset + len(text[:character].encode("utf-8")), reason) from None

    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_whole,
            parse_float=float if floats else _no_float,
            parse_constant=_no_constant,
        )
    except json.JSONDecodeError as error:
        fail(error.pos, f"the JSON text is malformed ({error.msg[:1].lower()}{error.msg[1:]})")
    except _TwiceError as error:
        fail(max(text.rfind(json.dumps(error.key)), 0), f"the key `{shown(error.key)}` stands twice in one object")
    except _UnfitError as error:
        fail(0, str(error))
    except RecursionError:
        fail(0, "the JSON text is nested too deep")
    if not isinstance(value, dict):
        fail(0, "the JSON text is no object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    for key in found:
        if not key.isascii() and any("\ud800" <= letter <= "\udfff" for letter in key):
            raise _UnfitError(f"the JSON key `{shown(key)}` holds half a character")
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _TwiceError(key)
            seen.add(key)
    return found


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise _UnfitError(f"the JSON text holds a whole number of {len(digits)} digits")
    return int(digits)


def _no_float(digits: str) -> NoReturn:
    raise _UnfitError(f"the JSON text holds the number {shown(digits, 40)} where only whole numbers belong")


def _no_constant(word: str) -> NoReturn:
    raise _UnfitError(f"the JSON text holds {word}, which JSON does not know")
