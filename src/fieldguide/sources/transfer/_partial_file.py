"""A file on its way: which of its chunks lie in it, and what their bytes hash to."""

from __future__ import annotations

import asyncio
import errno
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import DiskSpaceError
from fieldguide.sources.transfer._journal import Journal

_STEP_BYTES = 1 << 20


@dataclass(slots=True)
class PartialFile:
    """The file at `path`, with its journal beside it. Whoever uses it holds the lock on it."""

    path: Path
    chunk_bytes: int
    free_bytes: Callable[[Path], int] | None
    size: int | None = field(default=None, init=False)
    """Of the whole; None where it is not known yet."""
    have: dict[int, int] = field(default_factory=dict, init=False)
    """Checksum of every chunk whose bytes are in the file."""
    fresh: set[int] = field(default_factory=set, init=False)
    """Chunks that came in this process: their bytes need not be held against their checksum again."""
    written: int = field(default=0, init=False)
    """Bytes in the file, those of unfinished chunks too."""
    handle: int = field(default=-1, init=False)
    sealed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set whenever a chunk is whole."""

    @property
    def journal(self) -> Journal:
        return Journal(self.path.with_name(f"{self.path.name}.journal"))

    @contextmanager
    def opened(self) -> Iterator[None]:
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            yield
        finally:
            os.close(self.handle)

    async def reserve(self, size: int) -> None:
        """Have the disk keep room for the whole file, before its first byte comes.

        Raises:
            DiskSpaceError: There is not enough.
        """
        found = os.fstat(self.handle)
        if self.free_bytes is not None:
            needed = max(0, size - found.st_blocks * 512)
            free = self.free_bytes(self.path.parent)
            if free < needed:
                raise DiskSpaceError(str(self.path.parent), needed_bytes=needed, free_bytes=free)
        os.ftruncate(self.handle, size)
        try:
            await asyncio.to_thread(os.posix_fallocate, self.handle, 0, size)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV}:
                raise  # A full disk: told by whoever writes under this folder.

    def holds(self, index: int, checksum: int | None, *hashes: Any) -> bool:
        """Read a chunk from the file into the hashes; return whether it is what was recorded, where that is asked."""
        found = self.hash_chunk(index, *hashes, checked=checksum is not None)
        return found != -1 if checksum is None else found == checksum

    def hash_chunk(self, index: int, *hashes: Any, checked: bool = True) -> int:
        """Read a chunk from the file into the hashes and return its checksum; -1 where the file ends before it."""
        buffer = memoryview(bytearray(_STEP_BYTES))
        at, end, checksum = index * self.chunk_bytes, self.end(index), 0
        while at < end:
            count = os.preadv(self.handle, [buffer[: min(_STEP_BYTES, end - at)]], at)
            if count == 0:
                return -1
            checksum = zlib.crc32(buffer[:count], checksum) if checked else 0
            for each in hashes:
                if each is not None:
                    each.update(buffer[:count])
            at += count
        return checksum

    def write(self, view: memoryview, at: int) -> None:
        left = view
        while left:
            count = os.pwrite(self.handle, left, at)
            left, at = left[count:], at + count
        self.written += len(view)

    def seal(self, index: int, checksum: int) -> None:
        self.journal.add(index, checksum)
        self.have[index] = checksum
        self.fresh.add(index)
        self.sealed.set()

    @property
    def count(self) -> int:
        return -(-(self.size or 0) // self.chunk_bytes)

    def end(self, index: int) -> int:
        return min((index + 1) * self.chunk_bytes, self.size or 0)

    def length(self, index: int) -> int:
        return self.end(index) - index * self.chunk_bytes

    def missing(self) -> list[int]:
        return [index for index in range(self.count) if index not in self.have]

    def forget(self, size: int | None) -> None:
        """Start over with a file of this size."""
        self.journal.remove()
        os.ftruncate(self.handle, 0)
        self.have, self.written, self.size = {}, 0, size

    def discard(self) -> None:
        """Leave nothing of bytes that are not what was promised."""
        self.journal.remove()
        with suppress(OSError):
            self.path.unlink()
