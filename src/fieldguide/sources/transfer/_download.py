"""Brings one file: chunks over several connections, each recorded once its bytes are written, hashed as they join up.

A task follows behind the chunks and hashes what lies in the file, so that what is checked is what is kept. A chunk of
an earlier, killed process whose bytes are no longer what was recorded is brought again, and nothing else. Where every
chunk is as it came and the whole is still not what was promised, the server sent wrong bytes: chunks are asked for
again one by one until the whole is right.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import time
import zlib
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import DiskSpaceError, IntegrityError, OfflineError
from fieldguide.sources.transfer._exchange import Exchange, Opened
from fieldguide.sources.transfer._faults import Faults
from fieldguide.sources.transfer._journal import Journal, Subject
from fieldguide.sources.transfer._pace import SpeedLimit
from fieldguide.sources.transfer._progress import Progress
from fieldguide.sources.transfer._refusals import FaultError, RefusalError
from fieldguide.sources.transfer._remote import RemoteFile

_STEP_BYTES = 1 << 20
_LEAST_BYTES_PER_S = 512.0
"""A connection slower than this for as long as the idle timeout counts as silent, unless a speed limit is set."""
_MOST_STARTS = 3
"""How often a file is begun anew because it changed on its server, or because the server took to ignoring ranges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A file that is here, whole, and what it took."""

    path: Path
    sha256: str
    size_bytes: int
    etag: str | None
    received_bytes: int
    """Bytes of the file that came over the network this time."""


@dataclass(slots=True)
class Download:
    """One file on its way."""

    exchange: Exchange
    path: Path
    slots: asyncio.Semaphore
    limit: SpeedLimit
    progress: Progress
    number: int
    free_bytes: Callable[[Path], int] | None
    sleep: Callable[[float], Coroutine[Any, Any, None]]
    handle: int = field(default=-1, init=False)
    size: int | None = field(default=None, init=False)
    etag: str | None = field(default=None, init=False)
    have: dict[int, int] = field(default_factory=dict, init=False)
    """Checksum of every chunk whose bytes are in the file."""
    fresh: set[int] = field(default_factory=set, init=False)
    """Chunks that came in this process: their bytes need not be held against their checksum again."""
    written: int = field(default=0, init=False)
    """Bytes in the file, those of unfinished chunks too."""
    received: int = field(default=0, init=False)
    ranges: bool = field(default=True, init=False)
    """Whether the server answers ranges."""
    _sealed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    @property
    def file(self) -> RemoteFile:
        return self.exchange.file

    @property
    def chunk_bytes(self) -> int:
        return self.exchange.settings.chunk_bytes

    @property
    def journal(self) -> Journal:
        return Journal(self.path.with_name(f"{self.path.name}.journal"))

    async def run(self) -> Downloaded:
        self.size = self.file.size_bytes
        self.progress.note(self.number, 0, self.size)
        with self._opened():
            for _ in range(_MOST_STARTS):
                try:
                    return await self._bring()
                except _NoRangesError:
                    continue  # With the chunks that are here.
                except _ChangedError:
                    self._forget()
            raise IntegrityError(
                self.file.name,
                expected="a file that stays as it is",
                actual="one that changes on the server while it is brought",
            )

    @contextmanager
    def _opened(self) -> Iterator[None]:
        self.handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            yield
        finally:
            os.close(self.handle)

    async def _bring(self) -> Downloaded:
        if (sha256 := await self._whole_already()) is not None:
            return self._finished(sha256, None)
        self._take_up()
        if self.size == 0:
            return self._finished(hashlib.sha256(), _git(self.file, 0))
        missing = self._missing() if self.size is not None else [0]
        if self.size is None or missing:
            await self._first(missing[0])
        if self.size is None:
            return await self._checked(*await self._stream_of_unknown_length())
        return await self._checked(*await self._rest())

    async def _whole_already(self) -> Any:
        """Return the hash of a file that an earlier process had finished and checked; None where there is none."""
        found = os.fstat(self.handle).st_size
        if self.file.sha256 is None or not found or self.size not in (None, found) or self.journal.read() is not None:
            return None
        self.size, sha256 = found, hashlib.sha256()
        for index in range(self._count):
            await asyncio.to_thread(self._hash_chunk, index, sha256)
        if sha256.hexdigest() == self.file.sha256:
            return sha256
        self.size = self.file.size_bytes
        return None

    def _take_up(self) -> None:
        """Go on with what an earlier process left, where it is of the same file."""
        before = self.journal.read()
        if before is None or os.fstat(self.handle).st_size != before[0].size_bytes:
            return
        subject, chunks = before
        same = subject.sha256 is not None and subject.sha256 == self.file.sha256
        if not same and (subject.sha256, subject.url) != (self.file.sha256, self.file.url):
            return
        if subject.chunk_bytes != self.chunk_bytes or self.size not in (None, subject.size_bytes):
            return
        if not same and subject.etag is None:
            return  # Nothing says whether the server still has the same file.
        self.size, self.have, self.etag = subject.size_bytes, chunks, subject.etag
        self.written = sum(self._length(index) for index in chunks)

    async def _first(self, index: int) -> None:
        """Bring one chunk, and learn from it whether ranges are answered and whether the file is the one expected."""
        faults = Faults(self.exchange.settings)
        while True:
            before = self.received
            try:
                async with self.slots:
                    end = None if self.size is None else self._end(index)
                    first = index * self.chunk_bytes
                    async with self.exchange.open(first, end or first + self.chunk_bytes, etag=self.etag) as opened:
                        await self._learn(opened)
                        if self.size is None:
                            return  # Asked for again without a range.
                        if not self.ranges:
                            await self._read_whole(opened)
                            return
                        await self._read_chunk(index, opened, _Reached(at=first))
                        return
            except RefusalError as refusal:
                if refusal.status == 416 and self.size is None:
                    return  # An empty file has no range to give.
                raise
            except FaultError as fault:
                self.written = sum(self._length(each) for each in self.have)
                await self._pause(faults, fault, gained=self.received - before)
                if not self.ranges:
                    return

    async def _learn(self, opened: Opened) -> None:
        """Take over what the first answer says of the file."""
        self.ranges = opened.response.status == 206
        size = opened.size_bytes
        if self.size is not None and size is not None and size != self.size:
            if self.file.size_bytes is None:
                raise _ChangedError
            self._discard()
            raise IntegrityError(
                self.file.name, expected=f"{self.size} bytes", actual=f"{size} bytes, as the server says"
            )
        if self.have and self.file.sha256 is None and opened.etag != self.etag:
            raise _ChangedError
        self.etag = opened.etag
        if self.size is None:
            self.size = size
        if self.size is None:
            return
        await self._reserve(self.size)
        subject = Subject(
            url=self.file.url,
            size_bytes=self.size,
            chunk_bytes=self.chunk_bytes,
            sha256=self.file.sha256,
            etag=self.etag,
        )
        self.journal.start(subject, self.have)

    async def _reserve(self, size: int) -> None:
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

    async def _rest(self) -> tuple[Any, Any]:
        """Bring every chunk that is missing while a follower hashes; return the hashes of the whole."""
        todo: asyncio.Queue[int] = asyncio.Queue()
        for index in self._missing():
            todo.put_nowait(index)
        workers = min(self.exchange.settings.connections, todo.qsize()) or 1
        work = [self._work(todo) for _ in range(workers)] if self.ranges else [self._stream_again(todo)]
        tasks: list[asyncio.Task[Any]] = [asyncio.ensure_future(each) for each in work]
        follower = asyncio.ensure_future(self._follow(todo))
        try:
            await asyncio.wait([follower, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():  # A worker ends only by a fault.
                    task.result()
            return await follower
        finally:
            for task in (*tasks, follower):
                task.cancel()
            await asyncio.gather(*tasks, follower, return_exceptions=True)

    async def _follow(self, todo: asyncio.Queue[int]) -> tuple[Any, Any]:
        sha256, git = hashlib.sha256(), _git(self.file, self.size or 0)
        for index in range(self._count):
            while True:
                while index not in self.have:
                    self._sealed.clear()
                    await self._sealed.wait()
                trial, second = sha256.copy(), git.copy() if git is not None else None
                known = None if index in self.fresh else self.have[index]
                if await asyncio.to_thread(self._holds, index, known, trial, second):
                    sha256, git = trial, second
                    break
                self.written -= self._length(index)
                del self.have[index]  # Not what was recorded: damaged since, or never written before a power cut.
                todo.put_nowait(index)
        return sha256, git

    def _holds(self, index: int, checksum: int | None, *hashes: Any) -> bool:
        """Read a chunk from the file into the hashes; return whether it is what was recorded, where that is asked."""
        found = self._hash_chunk(index, *hashes, checked=checksum is not None)
        return found != -1 if checksum is None else found == checksum

    def _hash_chunk(self, index: int, *hashes: Any, checked: bool = True) -> int:
        """Read a chunk from the file into the hashes and return its checksum; -1 where the file ends before it."""
        buffer = memoryview(bytearray(_STEP_BYTES))
        at, end, checksum = index * self.chunk_bytes, self._end(index), 0
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

    async def _work(self, todo: asyncio.Queue[int]) -> None:
        while True:
            index = await todo.get()
            await self._bring_chunk(index)

    async def _bring_chunk(self, index: int) -> None:
        """Bring one chunk; after a fault, from the byte that was reached."""
        faults = Faults(self.exchange.settings)
        reached = _Reached(at=index * self.chunk_bytes)
        while True:
            before = reached.at
            try:
                async with (
                    self.slots,
                    self.exchange.open(reached.at, self._end(index), etag=self.etag) as opened,
                ):
                    self._same(opened)
                    if opened.response.status == 200 and self._count > 1:
                        raise _ChangedError if opened.etag != self.etag else _NoRangesError
                    await self._read_chunk(index, opened, reached)
                    return
            except FaultError as fault:
                await self._pause(faults, fault, gained=reached.at - before)

    def _same(self, opened: Opened) -> None:
        """Hold an answer against what is known of the file.

        Raises:
            _ChangedError: The server has another file now.
        """
        if opened.size_bytes is not None and opened.size_bytes != self.size:
            if self.file.sha256 is None:
                raise _ChangedError
            raise FaultError(f"the server says {opened.size_bytes} bytes where it said {self.size}")
        if self.file.sha256 is None and self.etag is not None and opened.etag not in (None, self.etag):
            raise _ChangedError

    async def _read_chunk(self, index: int, opened: Opened, reached: _Reached) -> None:
        end = self._end(index)
        async for piece in self._pieces(opened):
            view = memoryview(piece)[: end - reached.at]
            self._write(view, reached.at)
            reached.took(view)
            self.progress.note(self.number, self.written, self.size)
            if reached.at == end:
                self._seal(index, reached.checksum)
                return
        raise FaultError(f"the connection closed {end - reached.at} bytes before the end of a range")

    async def _read_whole(self, opened: Opened) -> None:
        """Take every chunk that is missing out of a stream of the whole file.

        Raises:
            FaultError: The stream ended too early.
        """
        index, reached = 0, _Reached(at=0)
        async for piece in self._pieces(opened):
            view = memoryview(piece)
            while view and index < self._count:
                part = view[: self._end(index) - reached.at]
                view = view[len(part) :]
                if index not in self.have:
                    self._write(part, reached.at)
                reached.took(part)
                if reached.at == self._end(index):
                    if index not in self.have:
                        self._seal(index, reached.checksum)
                    index, reached = index + 1, _Reached(at=reached.at)
            self.progress.note(self.number, self.written, self.size)
            if view:
                raise FaultError("more bytes came than the server had said")
        if index < self._count:
            self.written = sum(self._length(each) for each in self.have)
            raise FaultError("the connection closed before the end of the file")

    async def _stream_again(self, todo: asyncio.Queue[int]) -> None:
        """Read the whole file anew, from a server that answers no ranges, for as long as a chunk is missing."""
        faults = Faults(self.exchange.settings)
        while True:
            await todo.get()
            while self._missing():
                held = len(self.have)
                try:
                    async with self.slots, self.exchange.open(0, None, etag=None) as opened:
                        self._same(opened)
                        await self._read_whole(opened)
                except FaultError as fault:
                    await self._pause(faults, fault, gained=(len(self.have) - held) * self.chunk_bytes)

    async def _stream_of_unknown_length(self) -> tuple[Any, Any]:
        """Read a file whose length its server does not tell: to its end, and from the start after every fault."""
        faults = Faults(self.exchange.settings)
        while True:
            sha256 = hashlib.sha256()
            self.written = 0
            try:
                async with self.slots, self.exchange.open(0, None, etag=None) as opened:
                    self.etag = opened.etag
                    async for piece in self._pieces(opened):
                        self._write(memoryview(piece), self.written)
                        sha256.update(piece)
                        self.progress.note(self.number, self.written, None)
            except FaultError as fault:
                await self._pause(faults, fault, gained=0)
                continue
            self.size = self.written
            os.ftruncate(self.handle, self.size)
            git = _git(self.file, self.size)
            if git is not None:
                for index in range(self._count):
                    await asyncio.to_thread(self._hash_chunk, index, git)
            return sha256, git

    async def _pieces(self, opened: Opened) -> Any:
        """Yield bytes as they come, within the speed limit."""
        settings = self.exchange.settings
        since, came = time.monotonic(), 0
        async for piece in opened.pieces(settings.idle_timeout_s):
            self.received += len(piece)
            came += len(piece)
            now = time.monotonic()
            if now - since > settings.idle_timeout_s:
                if settings.limit_bytes_per_s is None and came / (now - since) < _LEAST_BYTES_PER_S:
                    raise FaultError(f"only {came} bytes came in {now - since:.0f} s")
                since, came = now, 0
            await self.limit.take(len(piece))  # Before it is handed over: whoever has enough does not come back.
            yield piece

    def _write(self, view: memoryview, at: int) -> None:
        left = view
        while left:
            count = os.pwrite(self.handle, left, at)
            left, at = left[count:], at + count
        self.written += len(view)

    def _seal(self, index: int, checksum: int) -> None:
        self.journal.add(index, checksum)
        self.have[index] = checksum
        self.fresh.add(index)
        self._sealed.set()

    async def _checked(self, sha256: Any, git: Any) -> Downloaded:
        if self.file.size_bytes not in (None, self.size):
            self._discard()
            raise IntegrityError(self.file.name, expected=f"{self.file.size_bytes} bytes", actual=f"{self.size} bytes")
        if self._broken_promise(sha256, git) is not None and self._count:
            sha256, git = await self._repaired()
        return self._finished(sha256, git)

    def _broken_promise(self, sha256: Any, git: Any) -> tuple[str, str] | None:
        """Return what was promised and what came; None where every promise is kept."""
        if self.file.sha256 is not None and sha256.hexdigest() != self.file.sha256:
            return self.file.sha256, sha256.hexdigest()
        if git is not None and git.hexdigest() != self.file.git_sha1:
            return f"git object {self.file.git_sha1}", git.hexdigest()
        return None

    def _finished(self, sha256: Any, git: Any) -> Downloaded:
        if (broken := self._broken_promise(sha256, git)) is not None:
            self._discard()
            raise IntegrityError(self.file.name, expected=broken[0], actual=broken[1])
        os.ftruncate(self.handle, self.size or 0)
        os.fsync(self.handle)
        self.journal.remove()
        self.progress.note(self.number, self.size or 0, self.size, now=True)
        return Downloaded(
            path=self.path,
            sha256=sha256.hexdigest(),
            size_bytes=self.size or 0,
            etag=self.etag,
            received_bytes=self.received,
        )

    async def _repaired(self) -> tuple[Any, Any]:
        """Ask for chunk after chunk again; where one differs now, hash the whole anew. Returns the last hashes."""
        if not self.ranges:
            self.have, self.written = {}, 0
            return await self._rest()
        sha256, git = hashlib.sha256(), _git(self.file, self.size or 0)
        for index in range(self._count):
            before = self.have.pop(index)
            self.written -= self._length(index)
            await self._bring_chunk(index)
            await asyncio.to_thread(self._hash_chunk, index, sha256, git)
            if self.have[index] != before:
                whole, object_id = sha256.copy(), None if git is None else git.copy()
                for later in range(index + 1, self._count):
                    await asyncio.to_thread(self._hash_chunk, later, whole, object_id)
                if self._broken_promise(whole, object_id) is None:
                    return whole, object_id
        return sha256, git

    async def _pause(self, faults: Faults, fault: FaultError, *, gained: int) -> None:
        """Wait before asking again.

        Raises:
            OfflineError: It has happened too often.
        """
        wait_s = faults.count(fault, gained=gained)
        if wait_s is None:
            raise OfflineError(f"{self.file.name} could not be brought: {fault}.") from fault
        await self.sleep(wait_s)

    def _forget(self) -> None:
        """Start over: the file on the server is another one now."""
        self.journal.remove()
        os.ftruncate(self.handle, 0)
        self.have, self.written, self.etag, self.size = {}, 0, None, self.file.size_bytes
        self.ranges = True

    def _discard(self) -> None:
        """Leave nothing of bytes that are not what was promised."""
        self.journal.remove()
        with suppress(OSError):
            self.path.unlink()

    @property
    def _count(self) -> int:
        return -(-(self.size or 0) // self.chunk_bytes)

    def _end(self, index: int) -> int:
        return min((index + 1) * self.chunk_bytes, self.size or 0)

    def _length(self, index: int) -> int:
        return self._end(index) - index * self.chunk_bytes

    def _missing(self) -> list[int]:
        return [index for index in range(self._count) if index not in self.have]


class _ChangedError(Exception):
    """The server has another file now."""


class _NoRangesError(Exception):
    """The server has sent the whole file where a part was asked for."""


@dataclass(slots=True)
class _Reached:
    """How far a chunk has come, over all its connections."""

    at: int
    checksum: int = 0

    def took(self, view: memoryview) -> None:
        self.checksum = zlib.crc32(view, self.checksum)
        self.at += len(view)


def _git(file: RemoteFile, size: int) -> Any:
    """Return the hash by which git knows a file of this size; None where nothing asks for it."""
    return None if file.git_sha1 is None else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
