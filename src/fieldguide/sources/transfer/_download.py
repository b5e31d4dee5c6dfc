"""Brings one file: chunks over several connections, each recorded once its bytes are written, hashed as they join up.

A task follows behind the chunks and hashes what lies in the file, so that what is checked is what is kept. A chunk of
an earlier, killed process whose bytes are no longer what was recorded is brought again, and nothing else. Where every
chunk is as it came and the whole is still not what was promised, the server sent wrong bytes: chunks are asked for
again one by one until the whole is right.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
import zlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import IntegrityError, OfflineError
from fieldguide.sources.transfer._exchange import Exchange, Opened
from fieldguide.sources.transfer._faults import Faults
from fieldguide.sources.transfer._journal import Subject
from fieldguide.sources.transfer._pace import SpeedLimit
from fieldguide.sources.transfer._partial_file import PartialFile
from fieldguide.sources.transfer._progress import Progress
from fieldguide.sources.transfer._refusals import FaultError, RefusalError
from fieldguide.sources.transfer._remote import RemoteFile

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
    part: PartialFile
    slots: asyncio.Semaphore
    limit: SpeedLimit
    progress: Progress
    number: int
    sleep: Callable[[float], Coroutine[Any, Any, None]]
    etag: str | None = field(default=None, init=False)
    received: int = field(default=0, init=False)
    ranges: bool = field(default=True, init=False)
    """Whether the server answers ranges."""

    @property
    def file(self) -> RemoteFile:
        return self.exchange.file

    async def run(self) -> Downloaded:
        self.part.size = self.file.size_bytes
        self.progress.note(self.number, 0, self.part.size)
        with self.part.opened():
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

    async def _bring(self) -> Downloaded:
        if (sha256 := await self._whole_already()) is not None:
            return self._finished(sha256, None)
        self._take_up()
        if self.part.size == 0:
            return self._finished(hashlib.sha256(), _git(self.file, 0))
        missing = self.part.missing() if self.part.size is not None else [0]
        if self.part.size is None or missing:
            await self._first(missing[0])
        if self.part.size is None:
            return await self._checked(*await self._stream_of_unknown_length())
        return await self._checked(*await self._rest())

    async def _whole_already(self) -> Any:
        """Return the hash of a file that an earlier process had finished and checked; None where there is none."""
        found = os.fstat(self.part.handle).st_size
        if (
            self.file.sha256 is None
            or not found
            or self.part.size not in (None, found)
            or self.part.journal.read() is not None
        ):
            return None
        self.part.size, sha256 = found, hashlib.sha256()
        for index in range(self.part.count):
            await asyncio.to_thread(self.part.hash_chunk, index, sha256)
        if sha256.hexdigest() == self.file.sha256:
            return sha256
        self.part.size = self.file.size_bytes
        return None

    def _take_up(self) -> None:
        """Go on with what an earlier process left, where it is of the same file."""
        before = self.part.journal.read()
        if before is None or os.fstat(self.part.handle).st_size != before[0].size_bytes:
            return
        subject, chunks = before
        same = subject.sha256 is not None and subject.sha256 == self.file.sha256
        if not same and (subject.sha256, subject.address) != (self.file.sha256, self.file.address):
            return
        if subject.chunk_bytes != self.part.chunk_bytes or self.part.size not in (None, subject.size_bytes):
            return
        if not same and subject.etag is None:
            return  # Nothing says whether the server still has the same file.
        self.part.size, self.part.have, self.etag = subject.size_bytes, chunks, subject.etag
        self.part.written = sum(self.part.length(index) for index in chunks)

    async def _first(self, index: int) -> None:
        """Bring one chunk, and learn from it whether ranges are answered and whether the file is the one expected."""
        faults = Faults(self.exchange.settings)
        while True:
            before = self.received
            try:
                async with self.slots:
                    end = None if self.part.size is None else self.part.end(index)
                    first = index * self.part.chunk_bytes
                    async with self.exchange.open(
                        first, end or first + self.part.chunk_bytes, etag=self.etag
                    ) as opened:
                        await self._learn(opened)
                        if self.part.size is None:
                            return  # Asked for again without a range.
                        if not self.ranges:
                            await self._read_whole(opened)
                            return
                        await self._read_chunk(index, opened, _Reached(at=first))
                        return
            except RefusalError as refusal:
                if refusal.status == 416 and self.part.size is None:
                    return  # An empty file has no range to give.
                raise
            except FaultError as fault:
                self.part.written = sum(self.part.length(each) for each in self.part.have)
                await self._pause(faults, fault, gained=self.received - before)
                if not self.ranges:
                    return

    async def _learn(self, opened: Opened) -> None:
        """Take over what the first answer says of the file."""
        self.ranges = opened.response.status == 206
        size = opened.size_bytes
        if self.part.size is not None and size is not None and size != self.part.size:
            if self.file.size_bytes is None:
                raise _ChangedError
            self.part.discard()
            raise IntegrityError(
                self.file.name, expected=f"{self.part.size} bytes", actual=f"{size} bytes, as the server says"
            )
        if self.part.have and self.file.sha256 is None and opened.etag != self.etag:
            raise _ChangedError
        self.etag = opened.etag
        if self.part.size is None:
            self.part.size = size
        if self.part.size is None:
            return
        await self.part.reserve(self.part.size)
        subject = Subject(
            address=self.file.address,
            size_bytes=self.part.size,
            chunk_bytes=self.part.chunk_bytes,
            sha256=self.file.sha256,
            etag=self.etag,
        )
        self.part.journal.start(subject, self.part.have)

    async def _rest(self) -> tuple[Any, Any]:
        """Bring every chunk that is missing while a follower hashes; return the hashes of the whole."""
        todo: asyncio.Queue[int] = asyncio.Queue()
        for index in self.part.missing():
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
        sha256, git = hashlib.sha256(), _git(self.file, self.part.size or 0)
        for index in range(self.part.count):
            while True:
                while index not in self.part.have:
                    self.part.sealed.clear()
                    await self.part.sealed.wait()
                trial, second = sha256.copy(), git.copy() if git is not None else None
                known = None if index in self.part.fresh else self.part.have[index]
                if await asyncio.to_thread(self.part.holds, index, known, trial, second):
                    sha256, git = trial, second
                    break
                self.part.written -= self.part.length(index)
                del self.part.have[index]  # Not what was recorded: damaged since, or never written before a power cut.
                todo.put_nowait(index)
        return sha256, git

    async def _work(self, todo: asyncio.Queue[int]) -> None:
        while True:
            index = await todo.get()
            await self._bring_chunk(index)

    async def _bring_chunk(self, index: int) -> None:
        """Bring one chunk; after a fault, from the byte that was reached."""
        faults = Faults(self.exchange.settings)
        reached = _Reached(at=index * self.part.chunk_bytes)
        while True:
            before = reached.at
            try:
                async with (
                    self.slots,
                    self.exchange.open(reached.at, self.part.end(index), etag=self.etag) as opened,
                ):
                    self._same(opened)
                    if opened.response.status == 200 and self.part.count > 1:
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
        if opened.size_bytes is not None and opened.size_bytes != self.part.size:
            if self.file.sha256 is None:
                raise _ChangedError
            raise FaultError(f"the server says {opened.size_bytes} bytes where it said {self.part.size}")
        if self.file.sha256 is None and self.etag is not None and opened.etag not in (None, self.etag):
            raise _ChangedError

    async def _read_chunk(self, index: int, opened: Opened, reached: _Reached) -> None:
        end = self.part.end(index)
        async for piece in self._pieces(opened):
            view = memoryview(piece)[: end - reached.at]
            self.part.write(view, reached.at)
            reached.took(view)
            self.progress.note(self.number, self.part.written, self.part.size)
            if reached.at == end:
                self.part.seal(index, reached.checksum)
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
            while view and index < self.part.count:
                part = view[: self.part.end(index) - reached.at]
                view = view[len(part) :]
                if index not in self.part.have:
                    self.part.write(part, reached.at)
                reached.took(part)
                if reached.at == self.part.end(index):
                    if index not in self.part.have:
                        self.part.seal(index, reached.checksum)
                    index, reached = index + 1, _Reached(at=reached.at)
            self.progress.note(self.number, self.part.written, self.part.size)
            if view:
                raise FaultError("more bytes came than the server had said")
        if index < self.part.count:
            self.part.written = sum(self.part.length(each) for each in self.part.have)
            raise FaultError("the connection closed before the end of the file")

    async def _stream_again(self, todo: asyncio.Queue[int]) -> None:
        """Read the whole file anew, from a server that answers no ranges, for as long as a chunk is missing."""
        faults = Faults(self.exchange.settings)
        while True:
            await todo.get()
            while self.part.missing():
                held = len(self.part.have)
                try:
                    async with self.slots, self.exchange.open(0, None, etag=None) as opened:
                        self._same(opened)
                        await self._read_whole(opened)
                except FaultError as fault:
                    await self._pause(faults, fault, gained=(len(self.part.have) - held) * self.part.chunk_bytes)

    async def _stream_of_unknown_length(self) -> tuple[Any, Any]:
        """Read a file whose length its server does not tell: to its end, and from the start after every fault."""
        faults = Faults(self.exchange.settings)
        while True:
            sha256 = hashlib.sha256()
            self.part.written = 0
            try:
                async with self.slots, self.exchange.open(0, None, etag=None) as opened:
                    self.etag = opened.etag
                    async for piece in self._pieces(opened):
                        self.part.write(memoryview(piece), self.part.written)
                        sha256.update(piece)
                        self.progress.note(self.number, self.part.written, None)
            except FaultError as fault:
                await self._pause(faults, fault, gained=0)
                continue
            self.part.size = self.part.written
            os.ftruncate(self.part.handle, self.part.size)
            git = _git(self.file, self.part.size)
            if git is not None:
                for index in range(self.part.count):
                    await asyncio.to_thread(self.part.hash_chunk, index, git)
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

    async def _checked(self, sha256: Any, git: Any) -> Downloaded:
        if self.file.size_bytes not in (None, self.part.size):
            self.part.discard()
            raise IntegrityError(
                self.file.name, expected=f"{self.file.size_bytes} bytes", actual=f"{self.part.size} bytes"
            )
        if self._broken_promise(sha256, git) is not None and self.part.count:
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
            self.part.discard()
            raise IntegrityError(self.file.name, expected=broken[0], actual=broken[1])
        os.ftruncate(self.part.handle, self.part.size or 0)
        os.fsync(self.part.handle)
        if self.file.sha256 is not None or self.etag is None:
            self.part.journal.remove()  # Else it alone says that the file is whole, should another of the order fail.
        self.progress.note(self.number, self.part.size or 0, self.part.size, now=True)
        return Downloaded(
            path=self.part.path,
            sha256=sha256.hexdigest(),
            size_bytes=self.part.size or 0,
            etag=self.etag,
            received_bytes=self.received,
        )

    async def _repaired(self) -> tuple[Any, Any]:
        """Ask for chunk after chunk again; where one differs now, hash the whole anew. Returns the last hashes."""
        if not self.ranges:
            self.part.have, self.part.written = {}, 0
            return await self._rest()
        sha256, git = hashlib.sha256(), _git(self.file, self.part.size or 0)
        for index in range(self.part.count):
            before = self.part.have.pop(index)
            self.part.written -= self.part.length(index)
            await self._bring_chunk(index)
            await asyncio.to_thread(self.part.hash_chunk, index, sha256, git)
            if self.part.have[index] != before:
                whole, object_id = sha256.copy(), None if git is None else git.copy()
                for later in range(index + 1, self.part.count):
                    await asyncio.to_thread(self.part.hash_chunk, later, whole, object_id)
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
        self.part.forget(self.file.size_bytes)
        self.etag, self.ranges = None, True


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
