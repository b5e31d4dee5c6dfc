"""One thread that writes: commits are grouped, and a write counts only once its commit is on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from typing import TypeVar

from fieldguide.errors import StoreError

T = TypeVar("T")
Write = Callable[[sqlite3.Connection], object]

_MOST_PER_COMMIT = 512
_STOP = object()


def store_error(error: sqlite3.Error, where: str) -> StoreError:
    """Return our error for one of SQLite's, with the next step in its hint."""
    text = str(error)
    if "full" in text:
        hint = "Free some space and run the same command again: everything committed so far is kept."
    elif "readonly" in text or "unable to open" in text:
        hint = "Check the permissions of this folder, or use another with `--home DIR`."
    elif "locked" in text:
        hint = "Another program holds the database; end it and run the same command again."
    elif "malformed" in text or "not a database" in text:
        hint = "The database is damaged. Move the file aside and run again; keep it for recovery."
    else:
        hint = "Run the same command again: everything committed so far is kept."
    return StoreError(f"{where}: {text}.", hint=hint)


class Writer:
    """Runs writes one after another on its own connection and thread.

    Writes that wait together share one commit: with `synchronous=FULL` a commit costs a flush of the disk, and the
    group pays for it once. A write's future is done only after that commit. If one write of a group fails, the group
    is rolled back and its writes are tried one by one, so that only the guilty one fails.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, where: str) -> None:
        self._connect = connect
        self._where = where
        self._queue: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="fieldguide-store-writer", daemon=True)
        self._closed = False
        self._thread.start()

    def submit(self, write: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Queue a write; the future gives its value once it is durable.

        Raises:
            StoreError: From the future: the write, or the commit, failed.
        """
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(StoreError(f"{self._where} is closed."))
        else:
            self._queue.put((write, future))
        return future

    async def write(self, write: Callable[[sqlite3.Connection], T]) -> T:
        """As `submit`, awaited without blocking the event loop."""
        return await asyncio.wrap_future(self.submit(write))

    def close(self) -> None:
        """Finish what is queued and stop."""
        if not self._closed:
            self._closed = True
            self._queue.put(_STOP)
            self._thread.join()

    def _work(self) -> None:
        connection = self._connect()
        try:
            while (batch := self._next_batch()) is not None:
                self._commit(connection, batch)
        finally:
            connection.close()

    def _next_batch(self) -> list[tuple[Write, Future[object]]] | None:
        first = self._queue.get()
        if first is _STOP:
            return None
        batch = [first]
        while len(batch) < _MOST_PER_COMMIT:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is _STOP:
                self._queue.put(_STOP)
                break
            batch.append(entry)
        return batch  # type: ignore[return-value]

    def _commit(self, connection: sqlite3.Connection, batch: list[tuple[Write, Future[object]]]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            values = [write(connection) for write, _ in batch]
            connection.execute("COMMIT")
        except BaseException as error:
            _roll_back(connection)
            if len(batch) > 1:
                for entry in batch:
                    self._commit(connection, [entry])
            else:
                ours = store_error(error, self._where) if isinstance(error, sqlite3.Error) else error
                with contextlib.suppress(InvalidStateError):  # the waiting task was cancelled meanwhile
                    batch[0][1].set_exception(ours)
            return
        for (_, future), value in zip(batch, values, strict=True):
            with contextlib.suppress(InvalidStateError):
                future.set_result(value)


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
