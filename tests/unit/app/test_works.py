"""Long work in processes of its own: it ends, stops, fails, is killed and goes on, and nothing is asked twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app import measure, rescore, work_process
from fieldguide.app.evaluate import EvaluateRequest
from fieldguide.app.report_json import report_from
from fieldguide.app.wiring import House, open_house
from fieldguide.app.works import (
    WorkState,
    WorkView,
    progress_of,
    resume_work,
    running_like,
    start_work,
    stop_work,
    view_work,
)
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.evaluation import Progress
from fieldguide.store import WorkEvent
from tests.support.scripted import ITEMS, scripted_models
from tests.support.site import two_runs

WITHIN_S = 100


def _house(home: Path) -> House:
    return open_house({"home": str(home)}, environment={})


def _asked(*models: str, limit: int = ITEMS, **more: Any) -> dict[str, Any]:
    request = EvaluateRequest(models=models, benchmarks=("ladder",), limit=limit, concurrency=2, **more)
    return measure.asked_json(request, margin=None)


async def _until(house: House, work_id: str, holds: Callable[[WorkView], object]) -> WorkView:
    async with asyncio.timeout(WITHIN_S):
        while not holds(view := view_work(house, work_id)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return view


async def _ended(house: House, work_id: str) -> WorkView:
    return await _until(house, work_id, lambda view: view.state is not WorkState.RUNNING)


def _done(view: WorkView, exam: int = 1) -> int:
    now = progress_of(view.work, view.events)[exam]["now"]
    return 0 if now is None else int(now["ended"])


def _process(view: WorkView, house: House) -> int:
    events, _ = house.works.told(view.work.work_id)
    return int(str([event.held["process"] for event in events if event.name == "began"][-1]))


async def test_a_comparison_ends_in_what_compare_gives(tmp_path: Path) -> None:
    """The same verdict and figures as the use case itself, with a report, and the events make up the progress."""
    comparison = await two_runs(tmp_path / "direct")
    house = _house(tmp_path / "works")
    models = [f"recorded:{tmp_path}/direct/{name}.jsonl" for name in ("good", "poor")]
    work = start_work(house, "measure", "x", _asked(*models, limit=24))
    view = await _ended(house, work.work_id)
    assert view.state is WorkState.FINISHED, view.error
    assert view.result is not None
    (kept,), (shown,) = comparison.verdicts, view.result["verdicts"]
    assert (shown["verdict"], shown["difference"], shown["p_adjusted"]) == (
        kept.verdict, kept.difference, kept.p_adjusted,
    )  # fmt: skip
    report = report_from(view.result["shown"])
    assert [result.accuracy for result in report.results] == [
        result.accuracy for result in comparison.evaluation.results
    ]
    assert report.verdicts[0].verdict.pairs == kept.pairs
    differing = view.result["items"][0]["differing"]
    assert len(differing) == kept.a_only + kept.b_only
    assert (house.works.folder(work.work_id) / measure.REPORT).stat().st_size > 10_000
    whole, *exams = progress_of(view.work, view.events)
    assert whole["share"] == 1.0
    assert [exam["now"]["correct"] for exam in exams] == [
        result.accuracy.correct for result in comparison.evaluation.results
    ]
    await house.close()


async def test_killed_it_is_interrupted_and_goes_on_without_asking_twice(tmp_path: Path) -> None:
    """SIGKILL in the middle: the state is told, and resuming asks for what is missing alone."""
    house = _house(tmp_path)
    with scripted_models() as models:
        work = start_work(house, "measure", "x", _asked(f"{models.url}#good"))
        view = await _until(house, work.work_id, lambda view: _done(view) >= 4)
        with pytest.raises(UsageError, match="going on"):
            resume_work(house, work.work_id)
        os.kill(_process(view, house), signal.SIGKILL)
        view = await _ended(house, work.work_id)
        assert view.state is WorkState.INTERRUPTED
        assert view.can_go_on
        models.answer_all()
        resume_work(house, work.work_id)
        view = await _ended(house, work.work_id)
        assert view.state is WorkState.FINISHED
        assert _done(view) == ITEMS
        assert 0 <= len(models.calls) - ITEMS <= 2  # those in flight when it was killed
        with pytest.raises(UsageError, match="finished"):
            resume_work(house, work.work_id)
    await house.close()


async def test_stopped_it_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    """The result so far is there, and nothing is asked twice."""
    house = _house(tmp_path)
    with scripted_models() as models:
        work = start_work(house, "measure", "x", _asked(f"{models.url}#good"))
        await _until(house, work.work_id, lambda view: _done(view) >= 3)
        stop_work(house, work.work_id)
        view = await _ended(house, work.work_id)
        assert (view.state, view.reason) == (WorkState.STOPPED, "it was asked to stop")
        assert view.result is not None
        assert 0 < view.result["results"][0]["scored"] < ITEMS
        models.answer_all()
        resume_work(house, work.work_id)
        assert (await _ended(house, work.work_id)).state is WorkState.FINISHED
        assert len(models.calls) == ITEMS
    await house.close()


async def test_a_fresh_one_that_goes_on_repeats_no_model_that_was_done(tmp_path: Path) -> None:
    """Asked anew, stopped while the second model answers: the first is not paid again, and old answers do not count."""
    house = _house(tmp_path)
    with scripted_models() as models:
        names = [f"{models.url}#{name}" for name in ("good", "poor")]
        models.answer_all()
        for fresh in (False, True):
            asked = _asked(*names, limit=12, fresh=fresh)
            models.hold_back() if fresh else None
            work = start_work(house, "measure", "x", asked)
            if fresh:
                await _until(house, work.work_id, lambda view: _done(view, 2) >= 3)
                stop_work(house, work.work_id)
                assert (await _ended(house, work.work_id)).state is WorkState.STOPPED
                models.answer_all()
                resume_work(house, work.work_id)
            assert (await _ended(house, work.work_id)).state is WorkState.FINISHED
        assert len(models.calls) == 48
    await house.close()


async def test_what_fails_says_why_and_keeps_what_was_done(tmp_path: Path) -> None:
    """The second model vanishes: the error is told with its hint, and the first one's answers stay."""
    house = _house(tmp_path)
    with scripted_models() as models:
        models.answer_all()
        gone = tmp_path / "gone.jsonl"
        gone.write_text('{"item": "x", "attempt": 0, "completion": "1"}\n')
        work = start_work(house, "measure", "x", _asked(f"{models.url}#good", f"recorded:{gone}", limit=12))
        gone.unlink()
        view = await _ended(house, work.work_id)
        assert view.state is WorkState.FAILED
        assert view.error is not None
        assert "gone.jsonl" in view.error["message"]
        assert _done(view) == 12
        assert len(house.store.runs()) == 1
    await house.close()


async def test_the_same_asked_twice_is_one_work(tmp_path: Path) -> None:
    """A button pressed twice finds the work that goes on; another question does not."""
    house = _house(tmp_path)
    with scripted_models() as models:
        asked = _asked(f"{models.url}#good")
        work = start_work(house, "measure", "x", asked)
        found = running_like(house, "measure", asked)
        assert found is not None
        assert found.work_id == work.work_id
        assert running_like(house, "measure", asked | {"limit": 3}) is None
        stop_work(house, work.work_id)
        await _ended(house, work.work_id)
        assert running_like(house, "measure", asked) is None
    await house.close()


async def test_a_budget_that_is_reached_stops_it(tmp_path: Path) -> None:
    """It says so, and never spends more."""
    house = _house(tmp_path)
    from decimal import Decimal

    price: dict[str, Any] = {
        "price_in_usd_per_mtok": Decimal(1),
        "price_out_usd_per_mtok": Decimal(2),
        "budget_usd": Decimal("0.001"),
    }
    with scripted_models() as models:
        models.answer_all()
        work = start_work(house, "measure", "x", _asked(f"{models.url}#good", **price))
        view = await _ended(house, work.work_id)
        assert (view.state, view.reason) == (WorkState.STOPPED, "the budget is reached")
        whole, exam = progress_of(view.work, view.events)
        assert 0 < whole["spent_usd"] <= 0.001
        assert exam["now"]["budget_usd"] == 0.001
    await house.close()


async def test_a_benchmark_with_one_protocol_is_not_judged_again(tmp_path: Path) -> None:
    """It says that there is no other; a run that is none is named."""
    house = _house(tmp_path)
    comparison = await two_runs(tmp_path)
    run = comparison.evaluation.results[0].run.run
    with pytest.raises(UsageError, match="one protocol"):
        rescore.rescoring(house, run.run_id, "all")
    with pytest.raises(UnknownNameError):
        rescore.rescoring(house, "nix", "all")
    await house.close()


@pytest.mark.parametrize(("raised", "state"), [
    (asyncio.CancelledError(), WorkState.STOPPED),
    (UsageError("It cannot be done.", hint="Do another."), WorkState.FAILED),
    (ZeroDivisionError("x"), WorkState.FAILED),
])  # fmt: skip
async def test_whatever_a_thread_of_it_raises_its_end_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: BaseException, state: WorkState
) -> None:
    """A download that is ended, an error of ours, and one that nobody foresaw."""
    house = _house(tmp_path)

    async def do_work(*_: Any) -> None:
        def fail() -> None:
            raise raised

        await asyncio.to_thread(fail)

    monkeypatch.setattr(measure, "do_work", do_work)
    ended = await work_process.tried(house, house.works.make("measure", "x", {}), lambda *_: None)
    assert ended["state"] is state
    assert (state is WorkState.FAILED) == ("error" in ended)


def _progress(**changed: Any) -> Progress:
    from decimal import Decimal

    base: dict[str, Any] = {
        "model": "m", "benchmark": "ladder", "total": 10, "answered": 4, "reused": 0, "failed": 1, "judged": 4,
        "scored": 4, "correct": 2, "output_tokens": 40, "elapsed_s": 2.0, "spent_usd": Decimal("0.5"),
    }  # fmt: skip
    return Progress(**base | changed)


def test_progress_says_unknown_for_what_is_not_known() -> None:
    """No answer, no accuracy; no price, no cost; several attempts at an item do not narrow the interval."""
    none = measure.progress_json(_progress(answered=0, judged=0, scored=0, correct=0, priced=False))
    assert none["accuracy"] is none["ci_low"] is none["spent_usd"] is None
    one = measure.progress_json(_progress(scored=8, correct=4, items=8))
    many = measure.progress_json(_progress(scored=32, correct=16, items=8))
    assert (one["ci_low"], one["ci_high"]) == (many["ci_low"], many["ci_high"])
    assert one["outcomes"]["failed"] == 1


def test_the_line_stays_in_order_when_a_work_is_taken_up() -> None:
    """What is counted anew takes the place of what was told before; few points are kept, the last among them."""
    told = [*range(1, 400), 3, *range(200, 420)]
    events = [
        WorkEvent(
            name="progress",
            held=measure.progress_json(_progress(answered=count, judged=count, scored=count, correct=count // 2)),
            ends_at=place,
        )
        for place, count in enumerate(told)
    ]
    asked = _asked("a", "b")
    whole, first, second = measure.progress_of(asked, events)
    scored = [point["scored"] for point in first["points"]]
    assert scored == sorted(set(scored))
    assert scored[-1] == 419
    assert len(scored) <= 121
    assert second["now"] is None
    assert (whole["exam"], whole["exams"]) == (1, 2)


async def test_the_command_that_is_shown_measures_the_same(tmp_path: Path) -> None:
    """Every field that changes what is measured stands in it."""
    from decimal import Decimal

    request = EvaluateRequest(
        models=("a b", "c"), benchmarks=("ladder", "gsm8k"), limit=3, attempts=2, seed=7, protocol="lm-eval",
        budget_usd=Decimal("0.5"), fresh=True,
    )  # fmt: skip
    asked = measure.asked_json(request, margin=0.05)
    command = measure.command_of(measure.request_from(asked), asked["margin"])
    assert command.startswith("fieldguide compare 'a b' c --benchmark ladder,gsm8k ")
    for part in ("--limit 3", "--attempts 2", "--seed 7", "--protocol lm-eval", "--budget-usd 0.5", "--margin 0.05"):
        assert part in command
    assert "--fresh" in command
