"""Server-sent events and lines, from bytes as they arrive."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from fieldguide.errors import ResponseFormatError

_MOST_EVENT_BYTES = 16 * 1024 * 1024


async def events(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    r"""Yield the data of each event, whatever the pieces look like.

    Comments and other fields are skipped; several data lines of one event are joined by a newline; lines end in LF,
    CR LF or CR; bytes are decoded per line, so that a character split between pieces stays whole. Data without the
    closing empty line, as of a stream that was cut, are not an event.

    Raises:
        ResponseFormatError: An event grows past 16 MiB, or is not UTF-8.

    References:
        WHATWG HTML, section "Server-sent events".
    """
    buffer = bytearray()
    data: list[str] = []
    async for piece in pieces:
        buffer += piece
        if len(buffer) > _MOST_EVENT_BYTES:
            raise ResponseFormatError("An event of the stream is larger than 16 MiB.")
        for line in _take_lines(buffer):
            if line:
                _add(line, data)
            elif data:
                yield "\n".join(data)
                data = []


async def lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """Yield the lines of a body that holds one JSON value a line; a last line without its end counts.

    Raises:
        ResponseFormatError: A line grows past 16 MiB, or is not UTF-8.
    """
    buffer = bytearray()
    async for piece in pieces:
        buffer += piece
        if len(buffer) > _MOST_EVENT_BYTES:
            raise ResponseFormatError("A line of the stream is larger than 16 MiB.")
        for line in _take_lines(buffer):
            if line.strip():
                yield line
    for line in _take_lines(buffer + b"\n"):
        if line.strip():
            yield line


def _take_lines(buffer: bytearray) -> list[str]:
    """Remove the complete lines from `buffer` and return them without their ends."""
    lines: list[str] = []
    start = 0
    while True:
        ends = [end for end in (buffer.find(b"\n", start), buffer.find(b"\r", start)) if end >= 0]
        end = min(ends, default=-1)
        if end < 0 or (buffer[end] == 0x0D and end + 1 == len(buffer)):  # a CR may still be followed by its LF
            break
        try:
            lines.append(buffer[start:end].decode("utf-8"))
        except UnicodeDecodeError as error:
            raise ResponseFormatError("The stream is not UTF-8.") from error
        start = end + (2 if buffer[end : end + 2] == b"\r\n" else 1)
    del buffer[:start]
    return lines


def _add(line: str, data: list[str]) -> None:
    name, _, value = line.partition(":")
    if name == "data":
        data.append(value.removeprefix(" "))
