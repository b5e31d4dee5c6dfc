"""Server-sent events and lines, from bytes as they arrive."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator

from fieldguide.errors import ResponseFormatError

_MOST_EVENT_BYTES = 16 * 1024 * 1024
_END_OF_LINE = re.compile(r"\r\n|\r|\n")
_LF, _CR = 0x0A, 0x0D


async def events(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """Yield the data of each event; see `EventReader`.

    Raises:
        ResponseFormatError: An event grows past 16 MiB, or is not UTF-8.
    """
    reader = EventReader()
    async for piece in pieces:
        for data in reader.take(piece):
            yield data


async def lines(pieces: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """Yield the lines of a body that holds one JSON value a line; a last line without its end counts.

    Raises:
        ResponseFormatError: A line grows past 16 MiB, or is not UTF-8.
    """
    reader = _LineReader()
    async for piece in pieces:
        for line in reader.take(piece):
            if line.strip():
                yield line
    for line in reader.take(b"\n"):
        if line.strip():
            yield line


class EventReader:
    r"""Takes a stream apart into events, whatever the pieces look like.

    Comments and other fields are skipped; several data lines of one event are joined by a newline; lines end in LF,
    CR LF or CR; a character split between pieces stays whole. Data without the closing empty line, as of a stream that
    was cut, are not an event.

    References:
        WHATWG HTML, section "Server-sent events".
    """

    def __init__(self) -> None:
        self._lines = _LineReader()
        self._data: list[str] = []
        self._held = 0

    def take(self, piece: bytes) -> list[str]:
        """Return the data of the events that end in this piece.

        Raises:
            ResponseFormatError: An event grows past 16 MiB, or is not UTF-8.
        """
        found: list[str] = []
        data = self._data
        for line in self._lines.take(piece):
            if not line:
                if data:
                    found.append(data[0] if len(data) == 1 else "\n".join(data))
                    data.clear()
                    self._held = 0
            elif line.startswith("data:"):
                data.append(line[6:] if line.startswith(" ", 5) else line[5:])
                self._held += len(line)
            elif line == "data":
                data.append("")
        if self._held > _MOST_EVENT_BYTES:
            raise _too_large()
        return found


class _LineReader:
    """Takes bytes apart into lines without their ends. What is unfinished is looked at once, however it trickles in."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._held = 0
        self._after_cr = False

    def take(self, piece: bytes) -> list[str]:
        """Return the lines that end in this piece."""
        if self._after_cr and piece:  # the LF of a CR LF that was cut
            self._after_cr = False
            piece = piece[1:] if piece[0] == _LF else piece
        end = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if not end:
            self._keep(piece)
            return []
        self._after_cr = end == len(piece) and piece[-1] == _CR
        whole = b"".join([*self._rest, piece[:end]])
        self._rest, self._held = [], 0
        self._keep(piece[end:])
        try:
            text = whole.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ResponseFormatError("The stream is not UTF-8.") from error
        found = _END_OF_LINE.split(text) if "\r" in text else text.split("\n")
        found.pop()  # what follows the last end: nothing
        return found

    def _keep(self, rest: bytes) -> None:
        if rest:
            self._rest.append(rest)
            self._held += len(rest)
            if self._held > _MOST_EVENT_BYTES:
                raise _too_large()


def _too_large() -> ResponseFormatError:
    return ResponseFormatError("An event or a line of the stream is larger than 16 MiB.")
