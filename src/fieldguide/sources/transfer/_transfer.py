"""Brings one file or several over a few connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from fieldguide.sources.transfer._download import Download, Downloaded
from fieldguide.sources.transfer._exchange import Exchange
from fieldguide.sources.transfer._pace import SpeedLimit
from fieldguide.sources.transfer._partial_file import PartialFile
from fieldguide.sources.transfer._progress import Progress, Told
from fieldguide.sources.transfer._remote import RemoteFile, TransferSettings


class Transfer:
    """Brings files. `PATH.journal` beside an unfinished file says which of its chunks are here."""

    def __init__(
        self,
        settings: TransferSettings,
        *,
        free_bytes: Callable[[Path], int] | None = None,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        """Take settings; the other arguments take the place of disk and clock in tests."""
        self._settings = settings
        self._free_bytes = free_bytes
        self._sleep = sleep

    def fetch(self, file: RemoteFile, path: Path, *, told: Told = lambda done, total: None) -> Downloaded:
        """Bring a file to `path` and return what came; an unfinished one that lies there is gone on with.

        The caller holds the lock on `path`, and removes the journal with it or once it is moved. Every promise of
        `file` is checked. What is finished outlives an interruption; a file that is not what was promised is removed.

        Raises:
            IntegrityError: The bytes or their number are not what was promised.
            DiskSpaceError: They do not fit.
            OfflineError: The server cannot be reached or breaks off again and again.
            RefusalError: The server will not give the file.
            OSError: The file cannot be written.
        """
        return self.fetch_all([(file, path)], told=told)[0]

    def fetch_all(
        self, files: Sequence[tuple[RemoteFile, Path]], *, told: Told = lambda done, total: None
    ) -> list[Downloaded]:
        """Bring several files over the same connections, in order of need; see `fetch`."""
        return asyncio.run(self.fetch_all_async(files, told=told))

    async def fetch_all_async(
        self, files: Sequence[tuple[RemoteFile, Path]], *, told: Told = lambda done, total: None
    ) -> list[Downloaded]:
        """Do the same inside a running event loop."""
        session = self._settings.new_session()
        progress = Progress(told=told, files=len(files))
        slots = asyncio.Semaphore(self._settings.connections)
        limit = SpeedLimit(self._settings.limit_bytes_per_s)
        downloads = [
            Download(
                exchange=Exchange(session=session, file=file, settings=self._settings),
                part=PartialFile(path=path, chunk_bytes=self._settings.chunk_bytes, free_bytes=self._free_bytes),
                slots=slots,
                limit=limit,
                progress=progress,
                number=number,
                sleep=self._sleep,
            )
            for number, (file, path) in enumerate(files)
        ]
        at_once = asyncio.Semaphore(self._settings.connections)  # Bounds the open files too.

        async def one(download: Download) -> Downloaded:
            async with at_once:
                return await download.run()

        try:
            return await _all_or_none([one(download) for download in downloads])
        finally:
            await session.close()


async def _all_or_none(work: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Return all results; the first failure cancels the rest."""
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
