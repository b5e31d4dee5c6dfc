"""The rows that a new run consists of; each function works inside the transaction of its caller."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from fieldguide.domain import Exam, ResolvedModel, content_sha256
from fieldguide.store import _rows
from fieldguide.store._records import PlannedCall


def keep_model(connection: sqlite3.Connection, model: ResolvedModel) -> None:
    """Keep a model; its name and facts may have changed since."""
    name, reference = _rows.as_text(model.name), _rows.as_text(model.reference)
    connection.execute(
        "INSERT INTO models VALUES (?, ?, ?, ?, ?) ON CONFLICT (model_key) DO UPDATE SET"
        " name = excluded.name, reference = excluded.reference, facts = excluded.facts",
        (model.model_key, name, reference, _rows.to_json(model.identity), _rows.to_json(model.facts)),
    )


def keep_exam(connection: sqlite3.Connection, exam: Exam) -> None:
    """Keep an exam with its items, once."""
    connection.execute(
        "INSERT INTO exams VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (exam.exam_id, exam.benchmark, _rows.to_json(exam.header_json())),
    )
    there = connection.execute("SELECT count(*) FROM exam_items WHERE exam_id = ?", (exam.exam_id,)).fetchone()[0]
    if there < len(exam.items):  # none, or some were lost when damaged records were recovered
        connection.executemany(
            "INSERT OR IGNORE INTO exam_items VALUES (?, ?, ?, ?)",
            [
                (exam.exam_id, position, item.item, _rows.to_json(item.as_json(with_target=True)))
                for position, item in enumerate(exam.items)
            ],
        )


def keep_plan(connection: sqlite3.Connection, run_id: str, planned: Sequence[PlannedCall]) -> None:
    """Keep what a run consists of, in place of what it was."""
    connection.execute("DELETE FROM run_attempts WHERE run_id = ?", (run_id,))
    connection.executemany(
        "INSERT INTO run_attempts VALUES (?, ?, ?, ?, ?, ?)",
        [
            (run_id, position, each.item, each.attempt, each.request_hash, each.score_key)
            for position, each in enumerate(planned)
        ],
    )


def generation(
    connection: sqlite3.Connection,
    exam: Exam,
    model_key: str,
    attempts: int,
    *,
    fresh: bool,
    fresh_since: str | None = None,
) -> int:
    """Return the generation that a new run of this exam belongs to; see `Store.open_run`."""
    newest = connection.execute(
        "SELECT max(generation) FROM runs JOIN exams USING (exam_id) WHERE model_key = ? AND benchmark = ?",
        (model_key, exam.benchmark),
    ).fetchone()[0]
    if newest is None:
        return 0
    goes_on = connection.execute(
        "SELECT 1 FROM runs WHERE exam_id = ? AND model_key = ? AND attempts = ? AND generation = ?"
        " AND (state != 'finished' OR started_at >= ?) AND json_extract(options, '$.fresh')",
        (exam.exam_id, model_key, attempts, newest, fresh_since or "never"),
    ).fetchone()
    return int(newest) + (fresh and goes_on is None)


def run_id_of(exam: Exam, model: ResolvedModel, attempts: int, generation: int) -> str:
    """Return the id of a run, which names its benchmark."""
    digest = content_sha256([exam.exam_id, model.model_key, attempts, generation])
    return f"{exam.benchmark.split('@')[0]}-{digest[:10]}"
