"""Bytes of a model file, wherever it lies, and a reader that asks for few of them."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol

from fieldguide.errors import FormatError, InputFileError

FIRST_CHUNK_BYTES = 64 << 10
LARGEST_CHUNK_BYTES = 1 << 20


class ByteSource(Protocol):
    """Random access to the bytes of one file: on disk, or behind a server that answers ranges."""

    @property
    def name(self) -> str:
        """What messages call it: a path or an address."""

    @property
    def size_bytes(self) -> int:
        """The size of the whole file."""

    def read(self, offset: int, length: int) -> bytes:
        """Return the bytes from `offset`; fewer than `length` only where the file has become shorter.

        Args:
            offset: 0 to `size_bytes`.
            length: Such that `offset + length` is at most `size_bytes`.
        """


class FileSource:
    """A file on disk, read by position: a file that shrinks while it is read gives an error and no signal."""

    def __init__(self, path: Path) -> None:
        """Open the file.

        Raises:
            InputFileError: It is missing, is not a plain file, or cannot be read.
        """
        self.name = str(path)
        self._handle = -1
        try:
            # Not blocking: a pipe by the name of a model must not hang the program.
            self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            plain = os.path.isfile(self._handle)  # noqa: PTH113 - of what was opened, not of what the path names now
            self.size_bytes = os.fstat(self._handle).st_size
        except OSError as error:
            self.close()
            raise InputFileError(self.name, f"cannot be read ({error.strerror}).", hint="Check the path.") from None
        if not plain:
            self.close()
            raise InputFileError(self.name, "is not a plain file.", hint="Give the path of a model file.")

    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes, or fewer where the file has become shorter."""
        pieces, got = [], 0
        while got < length:
            try:
                piece = os.pread(self._handle, min(length - got, 1 << 30), offset + got)
            except OSError as error:
                raise InputFileError(self.name, f"cannot be read ({error.strerror}).", hint="Check the disk.") from None
            if not piece:
                break
            pieces.append(piece)
            got += len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Give the file back."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> FileSource:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the file back."""
        self.close()


def read_exactly(source: ByteSource, offset: int, length: int) -> bytes:
    """Return `length` bytes of a part that lies within the file.

    Raises:
        FormatError: The file became shorter while it was read.
    """
    piece = source.read(offset, length)
    if len(piece) != length:
        raise FormatError(source.name, offset + len(piece), "the file became shorter while it was read")
    return piece


class Cursor:
    """Reads forward and never past a bound; asks the source for chunks that grow, and holds one at a time."""

    def __init__(self, source: ByteSource, *, most_bytes: int) -> None:
        """Start at byte 0; no byte from `most_bytes` on is read."""
        self._source = source
        self._end = min(source.size_bytes, most_bytes)
        self._bounded = source.size_bytes > most_bytes
        self._chunk_bytes = FIRST_CHUNK_BYTES
        self._buffer = b""
        self._start = 0
        self.offset = 0
        """Where the next byte comes from."""

    @property
    def left_bytes(self) -> int:
        """Bytes between here and the bound."""
        return self._end - self.offset

    def error(self, offset: int, reason: str) -> FormatError:
        """Return the error for a fault at `offset`."""
        return FormatError(self._source.name, offset, reason)

    def need(self, count: int, what: str) -> None:
        """Refuse a length or count of bytes that the file does not hold.

        Raises:
            FormatError: Fewer bytes are left.
        """
        if count > self.left_bytes:
            if self._bounded:
                raise self.error(
                    self.offset, f"{what} reaches beyond byte {self._end}, the most that a header may take"
                )
            reason = "the file ends in the middle of its header, as after an interrupted download"
            raise self.error(self.offset, f"{reason} ({what} needs {count} bytes and {self.left_bytes} are left)")

    def take(self, count: int, what: str) -> bytes:
        """Return the next `count` bytes."""
        buffer, at = self.window(count, what)
        self.offset += count
        return buffer[at : at + count]

    def window(self, count: int, what: str) -> tuple[bytes, int]:
        """Return a buffer that holds the next `count` bytes and where they begin in it; moves nothing."""
        self.need(count, what)
        at = self.offset - self._start
        if at < 0 or at + count > len(self._buffer):
            self._fill(count)
            at = 0
        return self._buffer, at

    def skip(self, count: int, what: str) -> None:
        """Pass over bytes without reading those that are not at hand yet."""
        self.need(count, what)
        self.offset += count

    def _fill(self, count: int) -> None:
        at = self.offset - self._start
        kept = self._buffer[at:] if 0 <= at <= len(self._buffer) else b""
        start = self.offset + len(kept)
        length = min(max(count - len(kept), self._chunk_bytes), self._end - start)
        self._buffer = kept + read_exactly(self._source, start, length)
        self._start = self.offset
        self._chunk_bytes = min(2 * self._chunk_bytes, LARGEST_CHUNK_BYTES)
