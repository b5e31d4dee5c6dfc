"""The schema of the gateway's records, as numbered steps. A step that has been released is never edited."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from fieldguide.errors import StoreError
from fieldguide.store._connection import connect
from fieldguide.store._faults import name_of, store_error

_KEYS_METERS_USAGE = (
    """CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('admin', 'user')),
    created_at TEXT NOT NULL,
    expires_at TEXT,
    revoked_at TEXT,
    limits TEXT NOT NULL
) STRICT""",
    """CREATE TABLE meters (
    key_id TEXT NOT NULL,
    meter TEXT NOT NULL,
    window TEXT NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (key_id, meter, window)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE leases (
    process TEXT NOT NULL,
    key_id TEXT NOT NULL,
    meter TEXT NOT NULL,
    window TEXT NOT NULL,
    amount INTEGER NOT NULL,
    expires_s REAL NOT NULL,
    PRIMARY KEY (key_id, meter, window, process)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE usage (
    usage_id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    key_id TEXT,
    model TEXT NOT NULL,
    reference TEXT,
    endpoint TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('answered', 'failed', 'abandoned')),
    error_type TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cached_input_tokens INTEGER,
    reasoning_tokens INTEGER,
    cost_usd TEXT,
    ttft_s REAL,
    seconds REAL,
    tries INTEGER NOT NULL
) STRICT""",
    "CREATE INDEX usage_by_time ON usage (at)",
)

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (("keys, meters, leases and usage", _KEYS_METERS_USAGE),)
"""(name, statements) of each step; the step's number is its place, from 1."""


def prepare_gateway(path: Path) -> None:
    """Create the records at `path`, readable by their owner alone, or bring them to this version.

    Raises:
        StoreError: They cannot be opened, or were written by a newer Fieldguide; then nothing is changed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        with contextlib.closing(connect(path)) as connection:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode=WAL")
            _migrate(connection, path)
    except sqlite3.Error as error:
        raise store_error(error, path) from error
    except OSError as error:
        raise StoreError(
            f"{name_of(path)} cannot be opened: {error.strerror}.",
            hint="Check the permissions of this folder, or use another with `--home DIR`.",
        ) from error


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == len(STEPS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, (_, statements) in enumerate(STEPS, start=1):
            if number > _version(connection, path):
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(STEPS):
        raise StoreError(
            f"{name_of(path)} were written by a newer Fieldguide (schema {version}; this one knows {len(STEPS)}).",
            hint="Upgrade Fieldguide, or use another user folder with `--home DIR`. Nothing was changed.",
        )
    return version
