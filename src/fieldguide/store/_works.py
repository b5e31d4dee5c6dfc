"""Long work in folders of its own: what was asked, what it told while it went, and whether a process is at it.

works/measure-0a1b2c3d4e/
    asked.json     what was asked; written once
    told.jsonl     one event a line, only ever added to; the place behind a line is its number
    lock           held by whoever is at it, and by nobody once that process is gone
    stop           there once somebody has asked it to stop
    process.log    what the process wrote besides
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fieldguide.domain import JsonValue
from fieldguide.errors import StoreError, UnknownNameError, UsageError
from fieldguide.store._rows import now

_ID = re.compile(r"[a-z]{1,20}-[0-9a-f]{10}")
_PATIENCE_S, _MOMENT_S = 3.0, 0.02
_MOST_READ_BYTES = 8 * 1024 * 1024
_MOST_LOG_BYTES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What was asked."""

    work_id: str
    kind: str
    title: str
    asked: dict[str, JsonValue]
    created_at: str
    """ISO 8601, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEvent:
    """One thing that was told."""

    name: str
    held: dict[str, JsonValue]
    ends_at: int
    """Bytes of the log up to its end: whoever has seen it goes on from there."""


class Works:
    """The long work of one user folder. Any process may read it; whoever has claimed a work may write what it tells."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which need not be there."""
        self._folder = folder

    def make(self, kind: str, title: str, asked: dict[str, JsonValue]) -> Work:
        """Record what is asked, and return it; nothing is started.

        Raises:
            StoreError: The folder cannot be written.
        """
        work = Work(work_id=f"{kind}-{secrets.token_hex(5)}", kind=kind, title=title, asked=asked, created_at=now())
        folder = self._folder / work.work_id
        held = {"kind": kind, "title": title, "asked": asked, "created_at": work.created_at}
        try:
            folder.mkdir(parents=True, mode=0o700)
            (folder / "told.jsonl").touch(mode=0o600)
            part = folder / "asked.part"
            part.write_text(json.dumps(held), encoding="utf-8")
            part.replace(folder / "asked.json")
        except OSError as error:
            raise _unwritable(folder, error) from error
        return work

    def work(self, work_id: str) -> Work:
        """Return a work by its id.

        Raises:
            UnknownNameError: There is none.
            StoreError: Its record cannot be read.
        """
        path = self.folder(work_id) / "asked.json"
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            return Work(
                work_id=work_id,
                kind=str(held["kind"]),
                title=str(held["title"]),
                asked=dict(held["asked"]),
                created_at=str(held["created_at"]),
            )
        except FileNotFoundError:
            raise UnknownNameError("work", work_id, hint="It may have been removed; see what else is there.") from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(f"The record {path} cannot be read.", hint=f"Remove its folder: {path.parent}") from error

    def every(self) -> list[Work]:
        """Return every work that can be read, the newest first."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.iterdir():
                with contextlib.suppress(StoreError, UnknownNameError):
                    found.append(self.work(path.name))
        return sorted(found, key=lambda work: (work.created_at, work.work_id), reverse=True)

    def folder(self, work_id: str) -> Path:
        """Return the folder of a work, whose files are its own business.

        Raises:
            UnknownNameError: This is no id of a work.
        """
        if _ID.fullmatch(work_id) is None:
            raise UnknownNameError("work", work_id, hint="It may have been removed; see what else is there.")
        return self._folder / work_id

    def remove(self, work_id: str) -> None:
        """Forget a work at which no process is.

        Raises:
            UsageError: A process is at it.
        """
        if self.is_held(work_id):
            raise UsageError("It is still going on.", hint="Stop it first.")
        shutil.rmtree(self.folder(work_id), ignore_errors=True)

    # -- who is at it -------------------------------------------------------------------------------------------

    def is_held(self, work_id: str) -> bool:
        """Return whether a living process is at a work."""
        try:
            descriptor = os.open(self.folder(work_id) / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def claim(self, work_id: str) -> int:
        """Return the descriptor of a lock that is held for as long as any process has it open.

        A process that has just told its end gets a moment to be gone.

        Raises:
            UsageError: A process is at this work.
            StoreError: The lock cannot be made.
        """
        path = self.folder(work_id) / "lock"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unwritable(path, error) from error
        until_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > until_s:
                    os.close(descriptor)
                    raise UsageError("It is going on already.", hint="Its page shows how far it is.") from None
                time.sleep(_MOMENT_S)
            else:
                (path.parent / "stop").unlink(missing_ok=True)
                return descriptor

    def ask_to_stop(self, work_id: str) -> None:
        """Ask whoever is at a work to stop; asking twice changes nothing."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder(work_id) / "stop").touch(mode=0o600)

    def is_asked_to_stop(self, work_id: str) -> bool:
        """Return whether somebody has asked for that since the work was claimed."""
        return (self.folder(work_id) / "stop").exists()

    # -- what it told -------------------------------------------------------------------------------------------

    def tell(self, work_id: str, name: str, held: dict[str, JsonValue]) -> None:
        """Add an event, whole or not at all for whoever reads; only for whoever has claimed the work.

        Raises:
            OSError: The disk has no room.
        """
        line = json.dumps({"event": name, "at": now(), **held}).encode() + b"\n"
        path = self.folder(work_id) / "told.jsonl"
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            cut = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"  # its writer was killed in the middle
            os.write(descriptor, b"\n" * cut + line)
        finally:
            os.close(descriptor)

    def told(self, work_id: str, since: int = 0) -> tuple[list[WorkEvent], int]:
        """Return the events behind a place in the log, and the place up to which they were read.

        At most some megabytes are read, the newest; a line that is not whole yet is left for the next time.
        """
        found: list[WorkEvent] = []
        place = since
        for line, place in self._lines(work_id, since):
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                held = json.loads(line)
                found.append(WorkEvent(name=str(held.pop("event")), held=held, ends_at=place))
        return found, place

    def _lines(self, work_id: str, since: int) -> Iterator[tuple[bytes, int]]:
        try:
            with (self.folder(work_id) / "told.jsonl").open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                start = max(since if since <= end else 0, end - _MOST_READ_BYTES)
                file.seek(start)
                whole = file.read(end - start)
        except FileNotFoundError:
            return
        place = start
        for line in whole.split(b"\n")[:-1]:
            place += len(line) + 1
            yield line, place

    def size(self, work_id: str) -> int:
        """Return how long the log is (bytes), which tells cheaply whether anything new was told."""
        try:
            return (self.folder(work_id) / "told.jsonl").stat().st_size
        except OSError:
            return 0

    def last_words(self, work_id: str) -> str:
        """Return the end of what the process wrote besides, where it went without telling its end."""
        try:
            with (self.folder(work_id) / "process.log").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _MOST_LOG_BYTES))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


def _unwritable(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{path} cannot be made: {error.strerror or error}.",
        hint="Make room, or check the permissions of this folder.",
    )
