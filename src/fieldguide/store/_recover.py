"""Saves what can be read of damaged records.

The damaged files are copied, the copy is read, the readable rows go into new records beside the old, and only when
those are on the disk do the two change places. A kill at any moment leaves the old files as they were, or a change of
places that the next opening finishes.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import StoreError
from fieldguide.store._change import change, finish_change, recover_lock
from fieldguide.store._connection import connect, look_over, prepare
from fieldguide.store._faults import name_of, store_error
from fieldguide.store._lock import held
from fieldguide.store._log import mend, wal_of
from fieldguide.store._migrations import MIGRATIONS, check_version, migrate
from fieldguide.store._salvage import Salvage

_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What `recover` has saved and what not."""

    path: Path
    """The new records, in the place of the old."""
    kept_aside: tuple[Path, ...]
    """The damaged files under their new names; none where nothing was damaged, and then nothing was changed."""
    runs: int
    answers: int
    """Calls that brought an answer."""
    scores: int
    lost_calls: int
    """Calls that are known to have been there and cannot be read; where indexes are damaged too, there may be more."""
    lost_rows: Mapping[str, int]
    """Rows of other tables that were read and could not be kept, since they or their owners are damaged; by table."""
    damaged_tables: tuple[str, ...]
    """Tables in which a damaged place was met; how many rows lay there is not always known."""


def recover(path: Path) -> Recovered:
    """Save every readable row of the records at `path` into new records there, and keep the old files aside.

    Raises:
        StoreError: There are no records, another process recovers them, they are of a newer version, or the disk has
            no room; the old files are then as they were.
    """
    work = path.with_name(path.name + ".recovering")
    with held(recover_lock(path), subject=f"The recovery of {path}"):
        if not path.exists() and not wal_of(path).exists():
            raise StoreError(f"There are no records at {path}.", hint="Nothing was measured in this folder yet.")
        try:
            finish_change(path)
            shutil.rmtree(work, ignore_errors=True)  # of a recovery that was killed
            work.mkdir()
            salvage = _salvaged(path, work)
            kept_aside = () if salvage.whole else change(path, work / "new.sqlite")
        except sqlite3.Error as error:
            raise store_error(error, path) from error
        except OSError as error:
            raise StoreError(
                f"{name_of(path)} cannot be recovered: {error.strerror}.",
                hint="Make room or mend the permissions, and run the same command again; the old files are untouched.",
            ) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return Recovered(
            path=path,
            kept_aside=kept_aside,
            runs=salvage.saved["runs"],
            answers=salvage.answers,
            scores=salvage.saved["scores"],
            lost_calls=salvage.lost_calls,
            lost_rows={table: count for table, count in salvage.lost.items() if count and table != "calls"},
            damaged_tables=tuple(sorted(salvage.damaged)),
        )


def _salvaged(path: Path, work: Path) -> Salvage:
    """Fill `work`/new.sqlite and return what was saved."""
    old, new = work / "old.sqlite", work / "new.sqlite"
    version, whole = _readable_copy(path, old)
    with contextlib.closing(connect(new)) as target, contextlib.closing(_only_read(old)) as source:
        target.execute("PRAGMA journal_mode=WAL")
        migrate(target, where=name_of(new), until=version)
        salvage = Salvage(source, target)
        salvage.run()
        salvage.whole = whole and not salvage.damaged
        migrate(target, where=name_of(new))
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    prepare(new)
    return salvage


def _readable_copy(path: Path, copy: Path) -> tuple[int, bool]:
    """Copy the files so that SQLite opens the copy; return the version of its schema, and whether nothing is damaged.

    A log with a damaged place is mended. Where the first page is lost, the first page of new records of the same
    version takes its place: the schema is made by the same steps, so that the tables begin at the same pages. What
    does not fit then fails to be read.

    Raises:
        StoreError: They are of a newer version.
    """
    for original, copied in ((path, copy), (wal_of(path), wal_of(copy))):
        if original.exists():
            shutil.copyfile(original, copied)
    whole = _is_whole(copy)
    if not whole:
        mend(wal_of(copy))
    version = _version(copy)
    if version is None:
        _graft_first_page(copy)
    return version or len(MIGRATIONS), whole


def _is_whole(copy: Path) -> bool:
    """Return whether neither we nor SQLite find fault with the copy.

    Raises:
        StoreError: It is of a newer version.
    """
    if _version(copy) is None:
        return False
    try:
        look_over(copy)
        with contextlib.closing(_only_read(copy)) as connection:
            return [row[0] for row in connection.execute("PRAGMA quick_check(1)")] == ["ok"]
    except (StoreError, sqlite3.Error):
        return False


def _only_read(path: Path) -> sqlite3.Connection:
    """Return a connection that leaves the log alone when it closes."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _version(path: Path) -> int | None:
    """Return the schema version; None where the schema cannot be read.

    Raises:
        StoreError: It is newer than this Fieldguide.
    """
    if not path.exists() or path.stat().st_size < _PAGE_BYTES:
        return None
    try:
        with contextlib.closing(_only_read(path)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    except sqlite3.Error:
        return None
    if not tables:
        return None
    check_version(version, where=name_of(path))
    return version


def _graft_first_page(copy: Path) -> None:
    fresh = copy.with_name("fresh.sqlite")
    with contextlib.closing(connect(fresh)) as connection:
        migrate(connection, where=name_of(fresh))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    new = fresh.read_bytes()
    first = bytearray(new[:_PAGE_BYTES])
    raw = bytearray(copy.read_bytes()) if copy.exists() else bytearray()
    raw += new[len(raw) :]  # the schema is longer than a page, and what follows it is not there either
    pages = max(len(raw) // _PAGE_BYTES, 1)
    first[28:32] = pages.to_bytes(4, "big")
    first[32:40] = bytes(8)  # no list of free pages
    raw[:_PAGE_BYTES] = first
    copy.write_bytes(raw)
