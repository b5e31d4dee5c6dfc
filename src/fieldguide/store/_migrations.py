"""The schema, as numbered steps. A step that has been released is never edited; a change is a new step."""

from __future__ import annotations

import contextlib
import sqlite3

from fieldguide.errors import StoreError

_RUNS_AND_CALLS = """
CREATE TABLE models (
    model_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    reference TEXT NOT NULL,
    identity TEXT NOT NULL,
    facts TEXT NOT NULL
) STRICT;
CREATE TABLE exams (
    exam_id TEXT PRIMARY KEY,
    benchmark TEXT NOT NULL,
    header TEXT NOT NULL
) STRICT;
CREATE TABLE exam_items (
    exam_id TEXT NOT NULL REFERENCES exams,
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (exam_id, item)
) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    exam_id TEXT NOT NULL REFERENCES exams,
    model_key TEXT NOT NULL REFERENCES models,
    attempts INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted', 'failed', 'budget')),
    reason TEXT,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    active_s REAL NOT NULL DEFAULT 0,
    options TEXT NOT NULL,
    environment TEXT NOT NULL,
    UNIQUE (exam_id, model_key, attempts, generation)
) STRICT;
CREATE TABLE run_attempts (
    run_id TEXT NOT NULL REFERENCES runs,
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    request_hash TEXT NOT NULL,
    score_key TEXT NOT NULL,
    PRIMARY KEY (run_id, item, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE calls (
    call_id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs,
    model_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('sent', 'received', 'failed')),
    accepted INTEGER NOT NULL DEFAULT 0 CHECK (accepted IN (0, 1)),
    sent_at TEXT NOT NULL,
    ended_at TEXT,
    reserved_usd TEXT,
    cost_usd TEXT,
    text TEXT,
    reasoning TEXT,
    finish_reason TEXT,
    raw_finish_reason TEXT,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cached_input_tokens INTEGER,
    reasoning_tokens INTEGER,
    ttft_s REAL,
    e2e_latency_s REAL,
    reported_model TEXT,
    raw TEXT,
    metadata TEXT,
    error_type TEXT,
    error_message TEXT
) STRICT;
CREATE UNIQUE INDEX one_accepted_call
    ON calls (model_key, request_hash, attempt, generation) WHERE accepted = 1;
CREATE INDEX calls_of_run ON calls (run_id);
CREATE INDEX calls_by_request ON calls (model_key, request_hash, attempt);
CREATE TABLE scores (
    call_id INTEGER NOT NULL REFERENCES calls,
    score_key TEXT NOT NULL,
    scorer TEXT NOT NULL,
    scorer_version TEXT NOT NULL,
    outcome TEXT NOT NULL,
    extracted TEXT,
    detail TEXT,
    PRIMARY KEY (call_id, score_key)
) STRICT, WITHOUT ROWID;
"""

# SQLite cannot change a CHECK: the table is made anew under its old name, with foreign keys off while it happens.
_PAUSES_LOOKS_AND_TARGETS = """
CREATE TABLE runs_2 (
    run_id TEXT PRIMARY KEY,
    exam_id TEXT NOT NULL REFERENCES exams,
    model_key TEXT NOT NULL REFERENCES models,
    attempts INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'finished', 'interrupted', 'failed', 'budget', 'paused')),
    reason TEXT,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    active_s REAL NOT NULL DEFAULT 0,
    options TEXT NOT NULL,
    environment TEXT NOT NULL,
    forecast TEXT,
    UNIQUE (exam_id, model_key, attempts, generation)
) STRICT;
INSERT INTO runs_2 SELECT run_id, exam_id, model_key, attempts, generation, state, reason, started_at, updated_at,
    active_s, options, environment, NULL FROM runs;
DROP TABLE runs;
ALTER TABLE runs_2 RENAME TO runs;
ALTER TABLE scores ADD COLUMN target TEXT;
CREATE TABLE looks (
    subject TEXT NOT NULL,
    items INTEGER NOT NULL,
    shown_at TEXT NOT NULL,
    PRIMARY KEY (subject, items)
) STRICT, WITHOUT ROWID;
"""

_WHOLE_ANSWERS_AND_CONVERSATIONS = """
ALTER TABLE calls ADD COLUMN cache_write_tokens INTEGER;
ALTER TABLE calls ADD COLUMN cache_write_5m_tokens INTEGER;
ALTER TABLE calls ADD COLUMN cache_write_1h_tokens INTEGER;
ALTER TABLE calls ADD COLUMN input_audio_tokens INTEGER;
ALTER TABLE calls ADD COLUMN output_audio_tokens INTEGER;
ALTER TABLE calls ADD COLUMN message TEXT;
ALTER TABLE calls ADD COLUMN response_id TEXT;
ALTER TABLE calls ADD COLUMN service_tier TEXT;
ALTER TABLE calls ADD COLUMN raw_usage TEXT;
CREATE TABLE conversations (
    conversation_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('ask', 'chat')),
    reference TEXT NOT NULL,
    title TEXT NOT NULL,
    started_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE turns (
    turn_id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations,
    said_at TEXT NOT NULL,
    taken_back INTEGER NOT NULL DEFAULT 0 CHECK (taken_back IN (0, 1)),
    message TEXT NOT NULL,
    answer TEXT
) STRICT;
CREATE INDEX turns_of_conversation ON turns (conversation_id);
"""

_ERRORS_IN_PARTS_AND_OWNERS = """
ALTER TABLE scores ADD COLUMN errors INTEGER;
ALTER TABLE scores ADD COLUMN parts INTEGER;
ALTER TABLE conversations ADD COLUMN owner TEXT;
"""

MIGRATIONS: tuple[tuple[str, str], ...] = (
    ("runs and calls", _RUNS_AND_CALLS),
    ("pauses, forecasts, looks and targets of scores", _PAUSES_LOOKS_AND_TARGETS),
    ("whole answers and conversations", _WHOLE_ANSWERS_AND_CONVERSATIONS),
    ("errors of answers that are judged in parts, owners of conversations", _ERRORS_IN_PARTS_AND_OWNERS),
)
"""(name, SQL) of each step; the step's number is its place, from 1."""


def check_version(version: int, *, where: str) -> None:
    """Refuse a schema that this version does not know.

    Raises:
        StoreError: The database was written by a newer Fieldguide.
    """
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{where} were written by a newer Fieldguide (schema {version}; this one knows {len(MIGRATIONS)}).",
            hint="Upgrade Fieldguide, or use another user folder with `--home DIR`. Nothing was changed.",
        )


def migrate(connection: sqlite3.Connection, *, where: str, until: int = len(MIGRATIONS)) -> None:
    """Bring the database to version `until`, in one transaction: a kill leaves the old version whole.

    Raises:
        StoreError: The database was written by a newer Fieldguide.
    """
    if _version(connection, where) >= until:  # asked without a lock: nobody has to wait for a writer to read
        return
    connection.execute("PRAGMA foreign_keys=OFF")  # has no effect inside a transaction
    connection.execute("BEGIN IMMEDIATE")  # two processes may open a new file at once
    try:
        version = _version(connection, where)
        for number, (_, sql) in enumerate(MIGRATIONS[version:until], start=version + 1):
            for statement in _statements(sql):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
        if orphans := connection.execute("PRAGMA foreign_key_check").fetchall():
            raise StoreError(f"{where} cannot be brought to this version: {len(orphans)} rows belong to nothing.")
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # SQLite may have rolled back itself, and closing does so anyway
            connection.execute("ROLLBACK")
        raise
    connection.execute("PRAGMA foreign_keys=ON")


def _version(connection: sqlite3.Connection, where: str) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    check_version(version, where=where)
    return version


def _statements(sql: str) -> list[str]:
    """Split a script: `executescript` would commit the transaction that holds the step together."""
    statements, pending = [], ""
    for part in sql.split(";"):
        pending += part + ";"
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return [statement for statement in statements if statement.strip(" \n;")]
