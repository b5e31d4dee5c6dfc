"""Client JSON, read with care: what is not of the type it should be is refused by name, what is not known is listed."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from fieldguide.domain import JsonValue
from fieldguide.server._errors import RequestError

MOST_DEPTH = 64
MOST_MESSAGES = 10_000
_MOST_SCHEMA_BYTES = 64 * 1024
_MOST_SCHEMA_DEPTH = 32
_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),(.*)", re.S)


def parse_body(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises:
        RequestError: It is none, or nested too deeply.
    """
    try:
        value = _DECODER.decode(body.decode("utf-8-sig"))
    except RecursionError:
        raise RequestError(f"The body is nested deeper than {MOST_DEPTH} levels.") from None
    except ValueError:
        raise RequestError("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise RequestError("The body is not a JSON object.")
    if body.count(b"[") + body.count(b"{") > MOST_DEPTH and deeper(value, MOST_DEPTH):
        raise RequestError(f"The body is nested deeper than {MOST_DEPTH} levels.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def deeper(value: object, most: int) -> bool:
    """Whether a value is nested deeper than `most`, found level by level."""
    level: list[object] = [value]
    for _ in range(most + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


class Fields:
    """The fields of one object of a request. Those that nobody asks for are unknown, and listed."""

    __slots__ = ("known", "notes", "value", "where")

    def __init__(self, value: object, where: str, notes: list[str]) -> None:
        """`where` names the object for messages; empty for the body itself."""
        if not isinstance(value, dict):
            raise RequestError(f"{where or 'The body'} is not an object.", param=where or None)
        self.value: dict[str, Any] = value
        self.where, self.notes = where, notes
        self.known: set[str] = set()

    def name(self, field: str) -> str:
        """Return how a field is called in messages."""
        return f"{self.where}.{field}" if self.where else field

    def get(self, field: str) -> Any:
        """Return what stands in a field, whatever it is; None where nothing does."""
        self.known.add(field)
        return self.value.get(field)

    def _typed(self, field: str, kinds: type | tuple[type, ...], what: str) -> Any:
        value = self.get(field)
        if value is None:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise RequestError(f"{self.name(field)} is not {what}.", param=self.name(field))
        return value

    def text(self, field: str) -> str | None:
        """Return a text."""
        value: str | None = self._typed(field, str, "a text")
        return value

    def needed_text(self, field: str) -> str:
        """Return a text that has to be there."""
        value = self.text(field)
        if not value:
            raise RequestError(f"{self.name(field)} is missing.", param=self.name(field))
        return value

    def flag(self, field: str) -> bool | None:
        """Return a truth value."""
        value: bool | None = self._typed(field, bool, "true or false")
        return value

    def count(self, field: str, *, least: int = 0) -> int | None:
        """Return a whole number."""
        value: int | None = self._typed(field, int, "a whole number")
        if value is not None and not least <= value < 2**53:
            raise RequestError(f"{self.name(field)} is below {least}.", param=self.name(field))
        return value

    def whole(self, field: str) -> int | None:
        """Return a whole number, of either sign."""
        value: int | None = self._typed(field, int, "a whole number")
        return value

    def number(self, field: str) -> float | None:
        """Return a number."""
        value: float | None = self._typed(field, (int, float), "a number")
        return value

    def items(self, field: str) -> list[Any] | None:
        """Return a list."""
        value: list[Any] | None = self._typed(field, list, "a list")
        return value

    def object(self, field: str) -> dict[str, Any] | None:
        """Return an object."""
        value: dict[str, Any] | None = self._typed(field, dict, "an object")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """Return one text or several."""
        value = self.get(field)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise RequestError(f"{self.name(field)} is neither a text nor a list of texts.", param=self.name(field))

    def inner(self, field: str) -> Fields | None:
        """Return the fields of an object within this one."""
        value = self.get(field)
        return None if value is None else Fields(value, self.name(field), self.notes)

    def own(self, names: Collection[str]) -> dict[str, JsonValue]:
        """Return those of some fields that hold something, as they stand."""
        self.known.update(names)
        return {name: self.value[name] for name in names if self.value.get(name) is not None}

    def end(self) -> None:
        """List what is not known; it goes no further."""
        if len(self.known) < len(self.value) or not self.known.issuperset(self.value):
            for field in self.value:
                if field not in self.known:
                    self.note(field)

    def note(self, field: str) -> None:
        """List a field that goes no further."""
        name = self.name(field)
        if len(self.notes) < 32 and name not in self.notes:
            self.notes.append(name)


def checked_schema(schema: Mapping[str, JsonValue] | None, where: str) -> Mapping[str, JsonValue] | None:
    """Return a JSON schema that is small enough for any engine to compile.

    Raises:
        RequestError: It is too large or too deep.
    """
    if schema is None:
        return None
    if deeper(schema, _MOST_SCHEMA_DEPTH):
        raise RequestError(f"{where} is nested deeper than {_MOST_SCHEMA_DEPTH} levels.", param=where)
    if len(json.dumps(schema)) > _MOST_SCHEMA_BYTES:
        raise RequestError(f"{where} is larger than {_MOST_SCHEMA_BYTES // 1024} KiB.", param=where)
    return schema


_NEVER = frozenset(
    {
        "api_base",
        "api_key",
        "authorization",
        "authorization_token",
        "base_url",
        "extra_headers",
        "headers",
        "mcp_servers",
        "server_url",
    }
)


def checked_foreign(value: dict[str, Any], where: str) -> dict[str, Any]:
    """Return a tool or block of a kind that only one provider knows, to be sent to that provider as it stands.

    Raises:
        RequestError: It names a server or a key: where requests go is the operator's to say.
    """
    level: list[object] = [value]
    while level:
        for each in level:
            if isinstance(each, dict) and (named := _NEVER & {str(name).lower() for name in each}):
                raise RequestError(f"{where} may not name {min(named)}: this gateway's operator does.", param=where)
            if isinstance(each, dict) and each.get("type") in ("url", "image_url") and "url" in each:
                raise RequestError(f"{where} may not give an address to be fetched.", param=where)
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return value


def from_base64(text: str, where: str) -> bytes:
    """Return the bytes of base64 text.

    Raises:
        RequestError: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise RequestError(f"{where} is not base64.", param=where) from None


def from_address(url: str, where: str, media_hosts: Collection[str]) -> tuple[bytes | None, str | None, str | None]:
    """Return (bytes, media type, address) of something given by an address: of a data URL its bytes.

    Any other address is passed to the provider, and fetched by nobody here, only where the operator has allowed its
    host by name.

    Raises:
        RequestError: It is neither.
    """
    found = _DATA_URL.fullmatch(url)
    if found is not None and found[2].endswith(";base64"):
        return from_base64(found[3], where), found[1] or None, None
    if _allowed(url, media_hosts):
        return None, None, url
    raise RequestError(f"{where} has to be a data URL: this gateway does not let addresses be fetched.", param=where)


def _allowed(url: str, media_hosts: Collection[str]) -> bool:
    if not url.isascii() or not url.isprintable() or any(char in url for char in "\\ @#"):
        return False
    try:
        parts = urlsplit(url)
        plain = parts.scheme == "https" and parts.port in {None, 443} and parts.hostname is not None
    except ValueError:
        return False
    return plain and url.startswith(f"https://{parts.hostname}") and parts.hostname in media_hosts
