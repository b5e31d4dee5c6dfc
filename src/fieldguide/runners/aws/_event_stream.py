"""Amazon's binary event streams, from bytes as they arrive.

A parser of our own, held against botocore's in the tests: streams are read with a bearer key too, which needs no
package of Amazon's.

References:
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html, section on messages.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from fieldguide.errors import ResponseFormatError
from fieldguide.runners.aws._errors import error_of_exception

_PRELUDE_BYTES = 12
_LEAST_BYTES = 16
"""Prelude and the checksum at the end, without headers and payload."""
_MOST_BYTES = 24 * 1024 * 1024
_FIXED = {2: ">b", 3: ">h", 4: ">i", 5: ">q", 8: ">q"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMessage:
    """One message of a stream."""

    headers: Mapping[str, Any]
    payload: bytes

    @property
    def kind(self) -> str:
        """What it is: `event`, `exception` or `error`."""
        return str(self.headers.get(":message-type", "event"))

    @property
    def name(self) -> str:
        """Which event or exception it is."""
        for header in (":event-type", ":exception-type", ":error-code"):
            if header in self.headers:
                return str(self.headers[header])
        return ""


async def events_of(pieces: AsyncIterable[bytes]) -> AsyncIterator[StreamMessage]:
    """Yield the events of a stream.

    Raises:
        RunnerError: The stream tells of an exception or an error.
        ResponseFormatError: It is no event stream, damaged, or cut in the middle of a message.
    """
    async for message in messages(pieces):
        if message.kind == "exception":
            raise error_of_exception(message.name, _object(message.payload))
        if message.kind == "error":
            said = str(message.headers.get(":error-message", ""))
            raise error_of_exception(message.name, {"message": said})
        if message.name != "initial-response":
            yield message


async def messages(pieces: AsyncIterable[bytes]) -> AsyncIterator[StreamMessage]:
    """Yield the messages of a stream, each once its checksums have proved right.

    Raises:
        ResponseFormatError: It is no event stream, damaged, or cut in the middle of a message.
    """
    buffer = bytearray()
    async for piece in pieces:
        buffer += piece
        while (size := _size(buffer)) is not None and len(buffer) >= size:
            yield _message(bytes(buffer[:size]))
            del buffer[:size]
    if buffer:
        raise ResponseFormatError("The event stream broke off in the middle of a message.")


def _size(buffer: bytearray) -> int | None:
    """Return the size of the message at the beginning; None until its prelude is there."""
    if len(buffer) < _PRELUDE_BYTES:
        return None
    size, _, checksum = struct.unpack_from(">III", buffer)
    if zlib.crc32(buffer[:8]) != checksum:
        raise ResponseFormatError("A message of the event stream is damaged: its prelude fails the checksum.")
    if not _LEAST_BYTES <= size <= _MOST_BYTES:
        raise ResponseFormatError(f"A message of the event stream says that it has {size} bytes.")
    return int(size)


def _message(data: bytes) -> StreamMessage:
    (checksum,) = struct.unpack_from(">I", data, len(data) - 4)
    if zlib.crc32(data[:-4]) != checksum:
        raise ResponseFormatError("A message of the event stream is damaged: it fails its checksum.")
    (headers_bytes,) = struct.unpack_from(">I", data, 4)
    end = _PRELUDE_BYTES + headers_bytes
    if end > len(data) - 4:
        raise ResponseFormatError("A message of the event stream has headers that are longer than itself.")
    try:
        headers = _headers(data[_PRELUDE_BYTES:end])
    except (struct.error, IndexError, ValueError) as error:
        raise ResponseFormatError("A message of the event stream has headers that cannot be read.") from error
    return StreamMessage(headers=headers, payload=data[end:-4])


def _headers(data: bytes) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    place = 0
    while place < len(data):
        name_end = place + 1 + data[place]
        name = data[place + 1 : name_end].decode("utf-8")
        headers[name], place = _value(data, data[name_end], name_end + 1)
    return headers


def _value(data: bytes, kind: int, place: int) -> tuple[Any, int]:
    """Return a header's value and the place behind it."""
    if kind in {0, 1}:
        return kind == 0, place
    if kind in _FIXED:
        (number,) = struct.unpack_from(_FIXED[kind], data, place)
        return number, place + struct.calcsize(_FIXED[kind])
    if kind == 9:
        return _exactly(data, place, 16), place + 16
    if kind not in {6, 7}:
        raise ValueError(f"there is no header type {kind}")
    (size,) = struct.unpack_from(">H", data, place)
    value = _exactly(data, place + 2, size)
    return value.decode("utf-8") if kind == 7 else value, place + 2 + size


def _exactly(data: bytes, place: int, size: int) -> bytes:
    if place + size > len(data):
        raise ValueError("a header is cut")
    return data[place : place + size]


def _object(payload: bytes) -> dict[str, Any]:
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError):
        return {"message": payload.decode("utf-8", "replace")}
    return value if isinstance(value, dict) else {}
