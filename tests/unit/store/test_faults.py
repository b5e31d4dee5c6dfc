"""The store under fire: whichever call to SQLite fails, nothing committed is lost and the next run goes on."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from fieldguide.domain import CompletionRequest, Exam
from fieldguide.errors import FieldguideError, StoreError
from fieldguide.evaluation import Budget, RetryPolicy, RunOptions, RunResult, Stop, TokenPrice, run_exam
from fieldguide.store import RunState, Store, _connection, _rows, held
from fieldguide.testing import FakeRunner
from tests.support.exams import SumsScorer, right_answer, sums
from tests.support.store_faults import FAULTS, Script, child_that_says_ready, is_sound, scripted

ITEMS = 6
PRICE = TokenPrice(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(1_000_000))


def answers_right(request: CompletionRequest) -> str:
    return right_answer(request.prompt or "")


async def take(path: Path, runner: FakeRunner, exam: Exam | None = None, *, concurrency: int = 2) -> RunResult:
    """Take the sums with records that are opened for it and closed again."""
    store = Store(path)
    try:
        return await run_exam(
            exam or sums(ITEMS),
            runner,
            SumsScorer(),
            store,
            options=RunOptions(
                concurrency=concurrency, price=PRICE, retry=RetryPolicy(tries=3, first_wait_s=0, longest_wait_s=0)
            ),
            budget=Budget(None),
            locks=path.parent / "locks",
            stop=Stop(),
            environment={},
        )
    finally:
        store.close()


def committed(path: Path) -> int:
    """Return how many answers are in the records, whatever they are in."""
    with contextlib.closing(sqlite3.connect(path)) as connection, contextlib.suppress(sqlite3.OperationalError):
        return int(connection.execute("SELECT count(*) FROM calls WHERE accepted = 1").fetchone()[0])
    return 0


@pytest.mark.parametrize(("fault", "after"), [*((fault, False) for fault in FAULTS), (FAULTS[0], True)])
async def test_any_call_to_sqlite_may_fail(fault: str, after: bool, tmp_path: Path) -> None:
    """The k-th call fails, k = 1, 2, 3 ... until a whole run meets no fault.

    `after` is the commit whose outcome is unknown: it has taken effect, and fails nevertheless. Each time only our
    errors come out, the file is sound, and the next run asks exactly what was not committed.
    """
    undisturbed = await take(tmp_path / "undisturbed.sqlite", FakeRunner(answers_right))
    stopped = 0
    at, fired = 0, True
    while fired:
        at += 1
        path = tmp_path / f"{at}.sqlite"
        runner = FakeRunner(answers_right)
        with scripted(Script(at, fault, after=after)) as script:
            try:
                await take(path, runner)
            except FieldguideError as error:
                assert error.hint  # noqa: PT017
                stopped += 1
        fired = script.fired
        assert is_sound(path)
        there = committed(path)
        assert len(runner.requests) - there <= 2
        again = FakeRunner(answers_right)
        with scripted(Script(0, fault)):
            result = await take(path, again)
        assert result.scores == undisturbed.scores
        assert (len(again.requests), result.reused) == (ITEMS - there, there)
        assert result.run.state is RunState.FINISHED
    assert stopped > 15
    assert at > 40


async def test_nothing_is_asked_after_the_store_has_failed(tmp_path: Path) -> None:
    """Also where the fault met only a judgement: an answer that may find no place is not paid for."""
    path = tmp_path / "records.sqlite"
    store = Store(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store._writer, "failed", StoreError("the disk is full"))
        runner = FakeRunner(answers_right)
        with pytest.raises(StoreError, match="the disk is full"):
            await run_exam(
                sums(ITEMS),
                runner,
                SumsScorer(),
                store,
                options=RunOptions(concurrency=2),
                budget=Budget(None),
                locks=tmp_path / "locks",
                stop=Stop(),
                environment={},
            )
    store.close()
    assert runner.requests == []


@pytest.fixture
def small_disk(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let databases grow to so many pages and no more; 0 is no limit."""
    pages = [0]

    class Limited(sqlite3.Connection):
        def execute(self, *arguments: object) -> sqlite3.Cursor:
            if pages[0] and str(arguments[0]).startswith("BEGIN"):
                super().execute(f"PRAGMA max_page_count = {pages[0]}")
            return super().execute(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(_connection, "FACTORY", Limited)
    return pages


async def test_a_full_disk_stops_the_run_and_space_lets_it_go_on(small_disk: list[int], tmp_path: Path) -> None:
    """SQLite's own "full" at growing sizes: a clear message, no request after it, nothing to repair."""
    exam = sums(40)
    stopped = 0
    for pages in (12, 28, 34, 45, 55, 75, 95):
        small_disk[0] = pages
        path = tmp_path / f"{pages}.sqlite"
        runner = FakeRunner(lambda request: right_answer(request.prompt or "") + " " * 3000)
        with contextlib.suppress(StoreError):
            await take(path, runner, exam, concurrency=3)
            continue
        stopped += 1
        there = committed(path)
        assert len(runner.requests) - there <= 3
        assert is_sound(path)
        with pytest.raises(StoreError) as caught:
            await take(path, FakeRunner(answers_right), exam)
        assert "full" in caught.value.message
        assert "Free some space" in (caught.value.hint or "")
        small_disk[0] = 0
        there = committed(path)
        again = FakeRunner(answers_right)
        result = await take(path, again, exam)
        assert len(again.requests) == 40 - there
        assert {score.score.outcome.value for score in result.scores} == {"correct"}
    assert stopped >= 5


_HOLDS = """
import sqlite3, sys, threading
connection = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
connection.execute(sys.argv[2])
if sys.argv[2] == "BEGIN":
    connection.execute("SELECT count(*) FROM runs").fetchone()
print("ready", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN"])
async def test_a_lock_of_another_program_is_waited_for(lock: str, tmp_path: Path) -> None:
    """A writer, or a reader, that holds the database in the middle of a run delays it and loses nothing."""
    path = tmp_path / "records.sqlite"
    Store(path).close()
    runner = FakeRunner(answers_right, delay_s=0.01)
    with child_that_says_ready(_HOLDS, path, lock) as holder:
        task = asyncio.create_task(asyncio.to_thread(asyncio.run, take(path, runner)))
        await asyncio.wait({task}, timeout=0.5 if lock == "BEGIN EXCLUSIVE" else 30)
        assert (lock == "BEGIN") == task.done()
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()
        result = await task
    assert (len(result.scores), len(runner.requests)) == (ITEMS, ITEMS)


async def test_a_lock_that_outlasts_patience_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was asked, the message names the next step, and the run goes on once the lock is gone."""
    path = tmp_path / "records.sqlite"
    Store(path).close()
    runner = FakeRunner(answers_right)
    with child_that_says_ready(_HOLDS, path, "BEGIN EXCLUSIVE"), monkeypatch.context() as patch:
        patch.setattr(_connection, "PATIENCE_S", 0.1)
        with pytest.raises(StoreError, match="locked") as caught:
            await take(path, runner)
    assert "end it" in (caught.value.hint or "")
    assert runner.requests == []
    assert len((await take(path, runner)).scores) == ITEMS


async def test_a_lock_met_by_many_writes_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes that wait together fail together: each would only wait as long again."""
    path = tmp_path / "records.sqlite"
    Store(path).close()
    monkeypatch.setattr(_connection, "PATIENCE_S", 0.2)
    store = Store(path)
    loop = asyncio.get_running_loop()
    with child_that_says_ready(_HOLDS, path, "BEGIN EXCLUSIVE"):
        began_s = loop.time()
        writes = [store._writer.write(lambda connection: connection.execute("SELECT 1")) for _ in range(100)]
        results = await asyncio.gather(*writes, return_exceptions=True)
        waited_s = loop.time() - began_s
    store.close()
    assert all(isinstance(result, StoreError) for result in results)
    assert waited_s < 100 * 0.2 / 2


def test_a_grown_log_is_cut_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody reads, the log grows; afterwards it is no longer than its limit."""
    monkeypatch.setattr(_connection, "LARGEST_IDLE_WAL_BYTES", 500_000)
    path = tmp_path / "records.sqlite"
    grown, shrunk = _grow_and_shrink(path, megabytes=5)
    assert grown > 5_000_000
    assert shrunk <= 500_000
    assert is_sound(path)


@pytest.mark.long
def test_a_log_of_more_than_100_mb_is_cut_back(tmp_path: Path) -> None:
    """The same at the real limit of 16 MiB."""
    grown, shrunk = _grow_and_shrink(tmp_path / "records.sqlite", megabytes=110)
    assert grown > 100_000_000
    assert shrunk <= 16 * 1024 * 1024
    assert is_sound(tmp_path / "records.sqlite")


def _grow_and_shrink(path: Path, *, megabytes: int) -> tuple[int, int]:
    """Return the size of the log (bytes) while a reader holds it and after it has left."""
    store = Store(path)
    wal = path.with_name(path.name + "-wal")

    def keep(number: int) -> None:
        store._writer.submit(
            lambda connection: connection.execute(
                "INSERT INTO exams VALUES (?, 'b', ?)", (f"exam-{number}", "x" * 100_000)
            )
        ).result()

    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM exams").fetchone()
    for number in range(10 * megabytes):
        keep(number)
    grown = wal.stat().st_size
    assert reader.execute("SELECT count(*) FROM exams").fetchone()[0] == 0
    reader.close()
    for number in range(3):
        keep(10 * megabytes + number)
    shrunk = wal.stat().st_size
    assert len(store._read("SELECT exam_id FROM exams", ())) == 10 * megabytes + 3
    store.close()
    return grown, shrunk


_HOLDS_LOCK = """
import sys
from pathlib import Path
from fieldguide.store import held
with held(Path(sys.argv[1]), subject="x"):
    print("ready", flush=True)
    sys.stdin.readline()
"""


def test_a_second_process_is_told_the_pid_and_takes_over_from_a_killed_one(tmp_path: Path) -> None:
    """The pid in the message is the living holder's; a holder that was killed holds nothing."""
    lock = tmp_path / "run.lock"
    lock.write_text("999999999")  # what a dead process has left
    with child_that_says_ready(_HOLDS_LOCK, lock) as holder:
        with pytest.raises(StoreError, match=rf"by process {holder.pid}\."), held(lock, subject="sums with m"):
            pass
        holder.kill()
        holder.wait()
        with held(lock, subject="sums with m"):
            pass


async def test_order_answers_and_money_do_not_hang_on_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wall clock that jumps back an hour and on a day, only the times shown to people differ."""
    path = tmp_path / "steady.sqlite"
    steady = await take(path, FakeRunner(answers_right), concurrency=1)
    at = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    jumps = iter([timedelta(hours=-1), timedelta(days=1), timedelta(seconds=-5)] * 1000)

    def jumping() -> str:
        nonlocal at
        at += next(jumps)
        return at.isoformat(timespec="milliseconds")

    monkeypatch.setattr(_rows, "now", jumping)
    other = tmp_path / "jumping.sqlite"
    jumped = await take(other, FakeRunner(answers_right), concurrency=1)
    again = await take(other, FakeRunner("never asked"), concurrency=1)
    assert steady.scores == jumped.scores == again.scores
    assert [call.call_id for call in steady.calls] == [call.call_id for call in jumped.calls]
    assert 0 < jumped.run.active_s < 60
    assert all(0 <= (call.latency.e2e_latency_s or 0) < 60 for call in jumped.calls)
    stores = Store(path), Store(other)
    spent = {store.spent_usd([store.runs()[0].run_id]) for store in stores}
    for store in stores:
        store.close()
    assert spent == {(Decimal(ITEMS), 0)}
