"""Runs, calls and scores in SQLite."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from fieldguide.domain import Completion, Exam, ExamItem, JsonValue, ResolvedModel
from fieldguide.errors import FieldguideError, StoreError, UnknownNameError
from fieldguide.store import _rows
from fieldguide.store._connection import connect, prepare
from fieldguide.store._conversations import Conversations
from fieldguide.store._faults import damaged, store_error
from fieldguide.store._records import CallKey, NewScore, PlannedCall, Run, RunState, StoredAnswer
from fieldguide.store._run_rows import generation, keep_exam, keep_model, keep_plan, run_id_of
from fieldguide.store._writer import Writer

T = TypeVar("T")
P = ParamSpec("P")

_RUNS = "SELECT runs.*, models.name, models.reference, models.identity, models.facts, exams.benchmark FROM runs \
JOIN models USING (model_key) JOIN exams USING (exam_id)"
_MOST_PARAMETERS = 500
# CROSS JOIN keeps SQLite from beginning with the calls: for each of them it would go through the whole plan again.
_OF_A_RUN = f"SELECT run_attempts.position, run_attempts.item, {_rows.LIGHT_COLUMNS}, \
outcome, extracted, detail, target, errors, parts \
FROM run_attempts CROSS JOIN calls ON calls.request_hash = run_attempts.request_hash AND calls.model_key = ? \
AND calls.attempt = run_attempts.attempt AND calls.generation BETWEEN ? AND ? \
AND (calls.accepted = 1 OR (calls.state = 'failed' AND calls.generation = ?)) \
LEFT JOIN scores ON scores.call_id = calls.call_id AND scores.score_key = run_attempts.score_key \
WHERE run_attempts.run_id = ? {{more}} ORDER BY calls.accepted, calls.generation, calls.call_id"  # noqa: S608
_ANSWER = _OF_A_RUN.format(more="AND run_attempts.item = ? AND run_attempts.attempt = ?")
_ANSWERS = _OF_A_RUN.format(more="")


class Store:
    """The records of one user folder, in one SQLite file.

    Every write is durable before it counts (WAL, `synchronous=FULL`, commits grouped by one writer thread). Reads see
    all committed writes and may come from any thread. The raw answer is committed before anything looks at it.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`.

        Raises:
            StoreError: It cannot be opened, is damaged, or was written by a newer Fieldguide.
        """
        self.path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        prepare(path)
        self._writer = Writer(path)

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        self._writer.close()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    @property
    def conversations(self) -> Conversations:
        """What was said with `ask` and `chat`."""
        return Conversations(self._read, self._writer)

    # -- runs ---------------------------------------------------------------------------------------------------

    def open_run(
        self,
        exam: Exam,
        model: ResolvedModel,
        *,
        planned: Sequence[PlannedCall],
        attempts: int,
        fresh: bool,
        options: dict[str, JsonValue],
        environment: dict[str, JsonValue],
        fresh_since: str | None = None,
    ) -> Run:
        """Return the run of this exam, model and number of attempts, creating it where there is none.

        `fresh` starts a new generation, which shares no answer with the earlier ones; a fresh run that was not
        finished, or was begun at `fresh_since` (ISO 8601, UTC) or later, goes on instead. Whether a run is fresh is
        decided when it is made and never changes.
        """

        def write(connection: sqlite3.Connection) -> str:
            keep_model(connection, model)
            keep_exam(connection, exam)
            number = generation(connection, exam, model.model_key, attempts, fresh=fresh, fresh_since=fresh_since)
            key = (exam.exam_id, model.model_key, attempts, number)
            run_id = run_id_of(exam, model, attempts, number)
            connection.execute(
                "INSERT INTO runs (run_id, exam_id, model_key, attempts, generation, state, started_at, updated_at,"
                " options, environment) VALUES (?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)"
                " ON CONFLICT (exam_id, model_key, attempts, generation) DO UPDATE SET state = 'running',"
                " reason = NULL, updated_at = excluded.updated_at, environment = excluded.environment",
                (run_id, *key, _rows.now(), _rows.now(), _rows.to_json(options), _rows.to_json(environment)),
            )
            keep_plan(connection, run_id, planned)
            return run_id

        return self.run(self._writer.submit(write).result())

    def run_id(
        self, exam: Exam, model: ResolvedModel, *, attempts: int, fresh: bool, fresh_since: str | None = None
    ) -> str:
        """Return the id that `open_run` would give, whether the run is there already or not."""
        try:
            number = generation(self._reader(), exam, model.model_key, attempts, fresh=fresh, fresh_since=fresh_since)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        return run_id_of(exam, model, attempts, number)

    def end_run(self, run_id: str, state: RunState, *, reason: str | None, active_s: float) -> None:
        """Record how a run ended; `active_s` (seconds) adds to the time spent on it."""
        self._writer.submit(
            lambda connection: connection.execute(
                "UPDATE runs SET state = ?, reason = ?, updated_at = ?, active_s = active_s + ? WHERE run_id = ?",
                (state.value, reason, _rows.now(), active_s, run_id),
            )
        ).result()

    def keep_forecast(self, run_id: str, forecast: dict[str, JsonValue]) -> None:
        """Record what the pilot of a run foresaw, once: the first forecast is the one to be held against the end."""
        self._writer.submit(
            lambda connection: connection.execute(
                "UPDATE runs SET forecast = ? WHERE run_id = ? AND forecast IS NULL",
                (_rows.to_json(forecast), run_id),
            )
        )

    def looks(self, subject: str) -> list[int]:
        """Return the numbers of items at which a verdict on this subject was shown, rising."""
        rows = self._read("SELECT items FROM looks WHERE subject = ? ORDER BY items", (subject,))
        return [row["items"] for row in rows]

    def keep_look(self, subject: str, items: int) -> None:
        """Record that a verdict on this subject was shown at this number of items; again changes nothing."""
        self._writer.submit(
            lambda connection: connection.execute(
                "INSERT OR IGNORE INTO looks VALUES (?, ?, ?)", (subject, items, _rows.now())
            )
        ).result()

    def run(self, run_id: str) -> Run:
        """Return a run by its id, or by a prefix of it that no other run shares.

        Raises:
            UnknownNameError: There is none, or several.
        """
        pattern = run_id.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        rows = self._read(f"{_RUNS} WHERE run_id = ? OR run_id LIKE ? ESCAPE '\\'", (run_id, pattern))
        exact = [row for row in rows if row["run_id"] == run_id] or rows
        if len(exact) != 1:
            raise UnknownNameError(
                "run", run_id, [row["run_id"] for row in exact[:3]], hint=None if exact else "See `fieldguide runs`."
            )
        return self._value(_rows.run_from, exact[0])

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        return [self._value(_rows.run_from, row) for row in self._read(f"{_RUNS} ORDER BY started_at DESC, run_id", ())]

    def exam_items(self, exam_id: str) -> tuple[dict[str, JsonValue], list[ExamItem]]:
        """Return the header of a stored exam and its items in order, targets included."""
        header = self._read("SELECT header FROM exams WHERE exam_id = ?", (exam_id,))
        if not header:
            raise UnknownNameError("exam", exam_id, hint="See `fieldguide runs`.")
        lines = self._read("SELECT line FROM exam_items WHERE exam_id = ? ORDER BY position", (exam_id,))
        return self._value(_rows.header_from, header[0]), [self._value(_rows.item_from, row) for row in lines]

    # -- calls --------------------------------------------------------------------------------------------------

    async def record_sent(self, run_id: str, key: CallKey, *, reserved_usd: Decimal | None) -> int:
        """Record that a request is about to be sent and return the id of the call.

        Raises:
            StoreError: It cannot be recorded, or any write has met a fault of the database before: an answer that may
                find no place is not to be paid for. The other writes are still tried.
        """
        if self._writer.failed is not None:
            raise self._writer.failed

        def write(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO calls (run_id, model_key, request_hash, attempt, generation, state, sent_at, reserved_usd)"
                " VALUES (?, ?, ?, ?, ?, 'sent', ?, ?)",
                (
                    run_id,
                    key.model_key,
                    key.request_hash,
                    key.attempt,
                    key.generation,
                    _rows.now(),
                    None if reserved_usd is None else str(reserved_usd),
                ),
            )
            return cursor.lastrowid or 0

        return await self._writer.write(write)

    async def withdraw(self, call_id: int) -> None:
        """Take back a call that was recorded and never sent."""
        await self._writer.write(
            lambda connection: connection.execute("DELETE FROM calls WHERE call_id = ? AND state = 'sent'", (call_id,))
        )

    async def record_received(self, call_id: int, completion: Completion, *, cost_usd: Decimal | None) -> bool:
        """Commit an answer as it came and return whether it is the accepted one of its attempt.

        The first answer to an attempt is accepted; a later one is kept beside it and its cost counts.
        """
        columns = _rows.completion_columns(completion)
        assignments = ", ".join(f"{name} = :{name}" for name in columns)
        values = {
            **columns,
            "call_id": call_id,
            "cost_usd": None if cost_usd is None else str(cost_usd),
            "ended_at": _rows.now(),
        }

        def write(connection: sqlite3.Connection) -> bool:
            connection.execute(
                f"UPDATE calls SET state = 'received', ended_at = :ended_at, cost_usd = :cost_usd, {assignments}"  # noqa: S608
                " WHERE call_id = :call_id",
                values,
            )
            accepted = connection.execute(
                "UPDATE OR IGNORE calls SET accepted = 1 WHERE call_id = ?", (call_id,)
            ).rowcount
            return accepted == 1

        return await self._writer.write(write)

    async def record_failed(self, call_id: int, error: FieldguideError, *, cost_usd: Decimal | None) -> None:
        """Record that a call brought no answer."""
        await self._writer.write(
            lambda connection: connection.execute(
                "UPDATE calls SET state = 'failed', ended_at = ?, cost_usd = ?, error_type = ?, error_message = ?"
                " WHERE call_id = ?",
                (
                    _rows.now(),
                    None if cost_usd is None else str(cost_usd),
                    type(error).__name__,
                    _rows.as_text(error.message),
                    call_id,
                ),
            )
        )

    def answers(
        self,
        run: Run,
        *,
        items: Sequence[ExamItem] | None = None,
        unreadable: Callable[[StoreError], None] | None = None,
    ) -> tuple[list[StoredAnswer], int]:
        """Return the attempts of a run that were answered or have failed, in the run's order, and how many it plans.

        Of several generations the newest up to the run's own counts; a fresh run has its own alone. The texts are not
        read: `completion` gives them, one at a time.

        Args:
            run: Whose.
            items: Those of its exam, where the caller has them; None reads them.
            unreadable: Told of each attempt that lies in a damaged place, which is then left out; None raises.

        Raises:
            StoreError: They cannot be read.
        """
        known = {item.item: item for item in (self.exam_items(run.exam_id)[1] if items is None else items)}
        planned = self._read("SELECT count(*) FROM run_attempts WHERE run_id = ?", (run.run_id,))[0][0]
        oldest = run.generation if run.options.get("fresh") else 0
        of_run = (run.model_key, oldest, run.generation, run.generation, run.run_id)
        try:
            return self._answers(_ANSWERS, of_run, known), planned
        except StoreError:
            if unreadable is None:
                raise
        found: list[StoredAnswer] = []
        for attempt, item in itertools.product(range(run.attempts), known):
            try:
                found += self._answers(_ANSWER, (*of_run, item, attempt), known)
            except StoreError as error:
                unreadable(error)
        return found, planned

    def _answers(self, sql: str, parameters: Sequence[object], known: Mapping[str, ExamItem]) -> list[StoredAnswer]:
        found: dict[int, StoredAnswer] = {}
        for row in self._rows(sql, parameters):
            if row["item"] in known:  # always, but in records that were recovered from damage
                found[row["position"]] = self._value(_rows.answer_from, row, known[row["item"]])
        return [found[position] for position in sorted(found)]

    def completion(self, call_id: int) -> Completion:
        """Return an answer whole: text, reasoning and the response as received.

        Raises:
            StoreError: It cannot be read.
            UnknownNameError: There is none under this id.
        """
        rows = self._read("SELECT * FROM calls WHERE call_id = ? AND state = 'received'", (call_id,))
        if not rows:
            raise UnknownNameError("answer", str(call_id))
        return self._value(_rows.completion_from, rows[0])

    def spent_usd(self, run_ids: Sequence[str]) -> tuple[Decimal, int]:
        """Return what these runs have paid (US dollars) and the number of calls whose cost is unknown.

        A call that was sent and never ended (its process was killed) counts with the dearest cost of the others, or,
        where there is none, with what was reserved for it.
        """
        rows = self._read_many("SELECT state, cost_usd, reserved_usd FROM calls WHERE run_id IN ({marks})", (), run_ids)
        known = [Decimal(row["cost_usd"]) for row in rows if row["cost_usd"] is not None]
        dearest = max(known, default=Decimal(0)) or None
        spent, unknown = sum(known, Decimal(0)), 0
        for row in rows:
            if row["cost_usd"] is None and row["reserved_usd"] is not None:
                reserved = Decimal(row["reserved_usd"])
                spent += reserved if dearest is None else min(dearest, reserved)
            elif row["cost_usd"] is None:
                unknown += row["state"] == "received"
        return spent, unknown

    # -- scores -------------------------------------------------------------------------------------------------

    def record_scores(self, scores: Iterable[NewScore]) -> None:
        """Commit judgements; one made before under the same key is replaced."""
        values = [
            (
                new.call_id,
                new.score_key,
                new.scorer.name,
                new.scorer.version,
                new.score.outcome.value,
                _rows.as_text(new.score.extracted),
                _rows.as_text(new.score.detail),
                _rows.as_text(new.score.target),
                None if new.score.counted is None else new.score.counted.errors,
                None if new.score.counted is None else new.score.counted.parts,
            )
            for new in scores
        ]
        self._writer.submit(
            lambda connection: connection.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values
            )
        ).result()

    # -- connections --------------------------------------------------------------------------------------------

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self.path)
            self._connections.append(connection)
        return connection

    def _rows(self, sql: str, parameters: Sequence[object]) -> Iterator[sqlite3.Row]:
        """Yield rows as they are read; while they are, the log cannot be cut back."""
        try:
            yield from self._reader().execute(sql, parameters)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error

    def _read(self, sql: str, parameters: Sequence[object]) -> list[sqlite3.Row]:
        return list(self._rows(sql, parameters))

    def _value(
        self, make: Callable[Concatenate[sqlite3.Row, P], T], row: sqlite3.Row, *more: P.args, **named: P.kwargs
    ) -> T:
        """Return what a row stands for; one that stands for nothing is damage that SQLite cannot see."""
        try:
            return make(row, *more, **named)
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError) as error:
            raise damaged(self.path, f"a row cannot be read: {error}") from error

    def _read_many(self, sql: str, fixed: Sequence[object], wanted: Sequence[object]) -> list[sqlite3.Row]:
        """Read with `{marks}` standing for the wanted values, in portions that SQLite accepts."""
        rows: list[sqlite3.Row] = []
        for start in range(0, len(wanted), _MOST_PARAMETERS):
            portion = wanted[start : start + _MOST_PARAMETERS]
            marks = ", ".join("?" * len(portion))
            rows += self._read(sql.format(marks=marks), [*fixed, *portion])
        return rows
