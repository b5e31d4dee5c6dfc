"""Copies the rows that can be read from damaged records into new ones, and makes them fit together."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_TABLES = (
    "models",
    "exams",
    "exam_items",
    "runs",
    "run_attempts",
    "calls",
    "scores",
    "looks",
    "conversations",
    "turns",
)
_JSON_COLUMNS = {
    "models": ("identity", "facts"),
    "exams": ("header",),
    "exam_items": ("line",),
    "runs": ("options", "environment", "forecast"),
    "calls": ("metadata", "message", "raw_usage"),
    "turns": ("message", "answer"),
}
_WITHOUT_ROWID = {
    "exam_items": ("exam_id", "SELECT exam_id FROM exams"),
    "run_attempts": ("run_id", "SELECT run_id FROM runs"),
    "scores": ("call_id", "SELECT call_id FROM calls"),
    "looks": ("subject", None),
}
"""(first column of the key, query that lists its values in the new records)."""
_MOST_ROWID_GUESSES = 1_000_000
_LOST_EXAM = "recovered"


class Salvage:
    """Copies row by row; what lies in a damaged place is passed over and counted where it is known."""

    def __init__(self, source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        """Read from `source` and write to `target`, which has the empty schema of the same version."""
        source.text_factory = lambda raw: raw.decode("utf-8", "replace")
        self._source, self._target = source, target
        self.saved: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        """Rows that were read and do not fit, by table."""
        self.lost_calls = 0
        self.answers = 0
        self.damaged: set[str] = set()
        self.whole = False
        """Whether nothing was found damaged at all."""

    def run(self) -> None:
        """Copy everything, in one transaction of the target."""
        self._target.execute("PRAGMA foreign_keys=OFF")
        self._target.execute("BEGIN IMMEDIATE")
        there = {row["name"] for row in self._target.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        tables = [table for table in _TABLES if table in there]  # an earlier version has fewer
        for table in tables:
            self._copy(table, [row["name"] for row in self._target.execute(f"PRAGMA table_info({table})")])
        self._fit_together(tables)
        for table in tables:
            self.saved[table] = self._count(f"SELECT count(*) FROM {table}")  # noqa: S608
        self.saved["runs"] -= self._count(f"SELECT count(*) FROM runs WHERE exam_id = '{_LOST_EXAM}'")  # noqa: S608
        self.answers = self._count("SELECT count(*) FROM calls WHERE state = 'received'")
        self._target.execute("COMMIT")

    def _copy(self, table: str, columns: Sequence[str]) -> None:
        read = self._keyed_rows if table in _WITHOUT_ROWID else self._numbered_rows
        marks = ", ".join("?" * len(columns))
        for row in read(table, columns):
            if not _fits(table, columns, row) or not self._inserted(f"INSERT INTO {table} VALUES ({marks})", row):  # noqa: S608
                self.lost[table] += 1
                self.damaged.add(table)
        self.lost_calls += self.lost["calls"] if table == "calls" else 0

    def _inserted(self, sql: str, row: Sequence[object]) -> bool:
        try:
            self._target.execute(sql, row)
        except sqlite3.IntegrityError:
            return False
        return True

    # -- tables with a rowid --------------------------------------------------------------------------------------

    def _numbered_rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield the rows from both ends up to a damaged place, and then those that can be reached one by one."""
        sql = f"SELECT rowid, {', '.join(columns)} FROM {table}"  # noqa: S608
        seen: set[int] = set()
        for order in ("ASC", "DESC"):
            for row in self._read(table, f"{sql} ORDER BY rowid {order}"):
                if row[0] not in seen:
                    seen.add(row[0])
                    yield row[1:]
            if table not in self.damaged:
                return
        known = self._known_rowids(table, seen)
        for rowid in sorted(known - seen):
            for row in self._read(table, f"{sql} WHERE rowid = ?", (rowid,)):
                seen.add(row[0])
                yield row[1:]
        if table == "calls":
            self.lost_calls = len(self._indexed_rowids(table) - seen)

    def _known_rowids(self, table: str, seen: set[int]) -> set[int]:
        """Return every rowid that an index names, and every one up to the greatest of them."""
        named = self._indexed_rowids(table) | seen
        return named | set(range(1, min(max(named, default=0), _MOST_ROWID_GUESSES) + 1))

    def _indexed_rowids(self, table: str) -> set[int]:
        names = [row[0] for row in self._read(table, f"SELECT name FROM pragma_index_list('{table}')")]  # noqa: S608
        found: set[int] = set()
        for name in names:
            for order in ("ASC", "DESC"):
                columns = [row[0] for row in self._read(table, f"SELECT name FROM pragma_index_info('{name}')")]  # noqa: S608
                if not columns or name == "one_accepted_call":  # which is partial and holds nothing more
                    continue
                sql = f"SELECT rowid FROM {table} INDEXED BY {name} ORDER BY {_ordered(columns, order)}"  # noqa: S608
                found |= {row[0] for row in self._read(table, sql)}
        return found

    # -- tables without -------------------------------------------------------------------------------------------

    def _keyed_rows(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Yield each row once: from both ends up to a damaged place, then those of each owner from both ends."""
        places = [columns.index(name) for name in self._key_of(table)]
        seen: set[tuple[Any, ...]] = set()
        for row in self._keyed_rows_from_both_ends(table, columns):
            key = tuple(row[place] for place in places)
            if key not in seen:
                seen.add(key)
                yield row

    def _keyed_rows_from_both_ends(self, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        sql = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608
        owner_column, owners = _WITHOUT_ROWID[table]
        keys = self._key_of(table)
        for order in ("ASC", "DESC"):
            yield from self._read(table, f"{sql} ORDER BY {_ordered(keys, order)}")
            if table not in self.damaged:
                return
        for owner in [] if owners is None else self._target.execute(owners).fetchall():
            for order in ("ASC", "DESC"):
                query = f"{sql} WHERE {owner_column} = ? ORDER BY {_ordered(keys, order)}"
                yield from self._read(table, query, tuple(owner))

    def _key_of(self, table: str) -> list[str]:
        rows = self._target.execute(f"SELECT name FROM pragma_table_info('{table}') WHERE pk ORDER BY pk")  # noqa: S608
        return [row[0] for row in rows]

    def _read(self, table: str, sql: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield rows until the end or a damaged place."""
        try:
            yield from self._source.execute(sql, parameters)
        except (sqlite3.Error, OverflowError, MemoryError):
            self.damaged.add(table)

    # -- what belongs together ------------------------------------------------------------------------------------

    def _fit_together(self, tables: Sequence[str]) -> None:
        """Leave no row whose owner is lost; answers stay, under a run that stands for the lost ones."""
        self._drop("exam_items", "exam_id NOT IN (SELECT exam_id FROM exams)")
        self._drop("runs", "exam_id NOT IN (SELECT exam_id FROM exams)")
        self._drop("runs", "model_key NOT IN (SELECT model_key FROM models)")
        self._drop("run_attempts", "run_id NOT IN (SELECT run_id FROM runs)")
        self._drop("scores", "call_id NOT IN (SELECT call_id FROM calls)")
        if "turns" in tables:
            self._drop("turns", "conversation_id NOT IN (SELECT conversation_id FROM conversations)")
        orphans = self._target.execute(
            "SELECT DISTINCT model_key FROM calls WHERE run_id NOT IN (SELECT run_id FROM runs)"
        ).fetchall()
        for (model_key,) in orphans:
            self._adopt(model_key)

    def _adopt(self, model_key: str) -> None:
        """Give the answers of lost runs of a model a run to belong to; they are found by their request, as before."""
        run_id = f"{_LOST_EXAM}-{model_key[:10]}"
        unnamed = (model_key, "(lost)", "(lost)", "{}", "{}")
        self._target.execute("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?, ?)", unnamed)
        self._target.execute("INSERT OR IGNORE INTO exams VALUES (?, ?, '{}')", (_LOST_EXAM, _LOST_EXAM))
        self._target.execute(
            "INSERT OR IGNORE INTO runs (run_id, exam_id, model_key, attempts, generation, state, reason, started_at,"
            " updated_at, options, environment) SELECT ?, ?, ?, 1, 0, 'failed', ?, min(sent_at), max(sent_at), '{}',"
            " '{}' FROM calls WHERE model_key = ?",
            (run_id, _LOST_EXAM, model_key, "The records of these answers' runs were lost to damage.", model_key),
        )
        lost = "model_key = ? AND run_id NOT IN (SELECT run_id FROM runs)"
        # No run is left that says which generation is the newest; the next one begins at 0 and finds them there.
        self._target.execute(f"UPDATE OR IGNORE calls SET generation = 0 WHERE {lost}", (model_key,))  # noqa: S608
        self._target.execute(f"UPDATE calls SET run_id = ? WHERE {lost}", (run_id, model_key))  # noqa: S608

    def _drop(self, table: str, condition: str) -> None:
        self.lost[table] += self._target.execute(f"DELETE FROM {table} WHERE {condition}").rowcount  # noqa: S608

    def _count(self, sql: str) -> int:
        return int(self._target.execute(sql).fetchone()[0])


def _ordered(columns: Iterable[str], order: str) -> str:
    return ", ".join(f"{column} {order}" for column in columns)


def _fits(table: str, columns: Sequence[str], row: Iterable[Any]) -> bool:
    """Return whether the columns that hold JSON do so, as far as they hold anything."""
    values = dict(zip(columns, row, strict=True))
    return all(_is_object(values.get(name)) for name in _JSON_COLUMNS.get(table, ()))


def _is_object(text: Any) -> bool:
    if text is None:
        return True
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, TypeError):
        return False
