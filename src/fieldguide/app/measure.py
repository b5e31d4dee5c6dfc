"""Evaluate or compare as long work: what is asked as JSON, how far it is as events, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fieldguide.app.as_json import comparison_json
from fieldguide.app.compare import Comparison, compare
from fieldguide.app.evaluate import EvaluateRequest, evaluate
from fieldguide.app.key_limits import limits_of
from fieldguide.app.references import ModelOptions
from fieldguide.app.report import build_report, write_report
from fieldguide.app.report_json import report_json
from fieldguide.app.runs import is_disputed
from fieldguide.app.settle import differing_items
from fieldguide.app.wiring import House
from fieldguide.app.works import Done, Tell, WorkState
from fieldguide.comparison import mid_p_interval
from fieldguide.domain import JsonValue, Outcome
from fieldguide.evaluation import Progress, Stop
from fieldguide.store import RunState, Work, WorkEvent

REPORT = "report.html"
"""Name of the file in the work's folder."""
_LEVEL = 0.95
_SOONEST_S, _LATEST_S = 0.25, 10.0
_SHARE = 500
"""Progress is told about so many times for each factor e of the time that a run takes, and at least every 10 s."""
_MOST_POINTS = 120
_STATES = dict.fromkeys(RunState, WorkState.STOPPED) | {
    RunState.FINISHED: WorkState.FINISHED,
    RunState.FAILED: WorkState.FAILED,
}
_REASONS = {RunState.BUDGET: "the budget is reached", RunState.INTERRUPTED: "it was asked to stop"}


def asked_json(request: EvaluateRequest, *, margin: float | None) -> dict[str, JsonValue]:
    """Return a request as a work keeps it."""
    return {
        "models": list(request.models),
        "benchmarks": list(request.benchmarks),
        "protocol": request.protocol,
        "limit": request.limit,
        "attempts": request.attempts,
        "seed": request.seed,
        "fresh": request.fresh,
        "concurrency": request.concurrency,
        "budget_usd": _text(request.budget_usd),
        "price_in_usd_per_mtok": _text(request.price_in_usd_per_mtok),
        "price_out_usd_per_mtok": _text(request.price_out_usd_per_mtok),
        "accept_licences": sorted(request.options.accept_licences),
        "margin": margin,
    }


def request_from(asked: Mapping[str, Any], *, since: str | None = None) -> EvaluateRequest:
    """Return what `asked_json` was given; `since` is the moment at which it was asked (ISO 8601, UTC)."""
    return EvaluateRequest(
        models=tuple(asked["models"]),
        benchmarks=tuple(asked["benchmarks"]),
        protocol=asked["protocol"],
        limit=asked["limit"],
        attempts=asked["attempts"],
        seed=asked["seed"],
        fresh=asked["fresh"],
        fresh_since=since,
        concurrency=asked["concurrency"],
        budget_usd=_decimal(asked["budget_usd"]),
        price_in_usd_per_mtok=_decimal(asked["price_in_usd_per_mtok"]),
        price_out_usd_per_mtok=_decimal(asked["price_out_usd_per_mtok"]),
        options=ModelOptions(accept_licences=frozenset(asked["accept_licences"]), concurrency=asked["concurrency"]),
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


async def do_work(house: House, work: Work, tell: Tell, stop: Stop) -> Done:
    """Measure and, with several models, compare; everything that was ever answered is reused.

    Raises:
        FieldguideError: As for `compare`.
    """
    teller = _Teller(tell, stop)
    request = request_from(work.asked, since=work.created_at)
    options = replace(request.options, note=teller.note, pulled=teller.pulled)
    request = replace(request, options=options)
    margin: Any = work.asked["margin"]
    async with limits_of(house, work.asked.get("owner")) as limited:
        if len(request.models) > 1:
            comparison = await compare(
                house, request, margin=margin, stop=stop, listener=teller.progress, limited=limited
            )
        else:
            evaluation = await evaluate(house, request, stop=stop, listener=teller.progress, limited=limited)
            comparison = Comparison(evaluation=evaluation, verdicts=(), sentences=())
    teller.last()
    teller.note("The report is being written.")
    state = comparison.evaluation.state
    result = _result(house, work, comparison) if comparison.evaluation.results else {}
    tell("note", {"text": None})
    return Done(state=_STATES[state], reason=_REASONS.get(state), result=result)


def _result(house: House, work: Work, comparison: Comparison) -> dict[str, Any]:
    path = house.works.folder(work.work_id) / REPORT
    command = command_of(request_from(work.asked), work.asked["margin"])
    write_report(comparison, path, store=house.store, command=command)
    report = build_report(comparison, store=house.store, command=command, created=datetime.now(UTC), items=False)
    return {
        **comparison_json(comparison, report=REPORT),
        "shown": report_json(report),
        "items": _items(comparison),
    }


def _items(comparison: Comparison) -> list[dict[str, Any]]:
    """Return for each exam the items on which its models differ, and how many answers are disputed."""
    exams: dict[str, list[Any]] = {}
    for result in comparison.evaluation.results:
        exams.setdefault(result.run.exam.exam_id, []).append(result)
    return [
        {
            "benchmark": of_exam[0].run.exam.benchmark,
            "models": [result.model for result in of_exam],
            "runs": [result.run.run.run_id for result in of_exam],
            "disputed": [sum(map(is_disputed, result.run.answers)) for result in of_exam],
            "differing": differing_items([result.run.scores for result in of_exam]) if len(of_exam) > 1 else [],
        }
        for of_exam in exams.values()
    ]


def command_of(request: EvaluateRequest, margin: Any) -> str:
    """Return the command line that measures the same."""
    import shlex

    words = ["fieldguide", "compare" if len(request.models) > 1 else "evaluate", *request.models]
    words += ["--benchmark", ",".join(request.benchmarks)]
    given = {
        "--protocol": request.protocol,
        "--limit": request.limit,
        "--attempts": request.attempts,
        "--seed": request.seed,
        "--budget-usd": request.budget_usd,
        "--price-in": request.price_in_usd_per_mtok,
        "--price-out": request.price_out_usd_per_mtok,
        "--concurrency": request.concurrency,
        "--margin": margin,
    }
    for flag, value in given.items():
        words += [] if value is None else [flag, str(value)]
    words += ["--fresh"] * request.fresh
    return shlex.join(words)


class _Teller:
    """Tells progress now and then: often at first, later seldom enough that a day's log stays small."""

    def __init__(self, tell: Tell, stop: Stop) -> None:
        self._tell, self._stop = tell, stop
        self._told_s = self._noted_s = 0.0
        self._last: Progress | None = None
        self._untold = False

    def progress(self, progress: Progress) -> None:
        """Tell how far an exam is, unless that was told a moment ago."""
        changed = self._last is not None and self._last.place != progress.place
        if changed:
            self.last()
        first = self._last is None or changed
        self._last, self._untold = progress, True
        every_s = min(max(progress.elapsed_s / _SHARE, _SOONEST_S), _LATEST_S)
        if first or progress.finished or time.monotonic() - self._told_s >= every_s:
            self.last()

    def last(self) -> None:
        """Tell what was heard last, if that was not told yet."""
        if self._last is not None and self._untold:
            self._told_s, self._untold = time.monotonic(), False
            self._tell("progress", progress_json(self._last))

    def note(self, text: str) -> None:
        """Tell what slow thing is being done."""
        if time.monotonic() - self._noted_s >= _SOONEST_S:
            self._noted_s = time.monotonic()
            self._tell("note", {"text": text})

    def pulled(self, progress: Any) -> None:
        """Tell how far a download is, and end it where the work is to stop."""
        if self._stop.requested:
            raise asyncio.CancelledError  # which no retry of the transfer catches
        done, total = progress.done_bytes, progress.total_bytes
        share = f": {100 * done / total:.0f} % of {total / 1e9:.2f} GB" if total else ""
        self.note(f"{progress.note or progress.stage}{share}")


def progress_json(progress: Progress) -> dict[str, Any]:
    """Return where an exam stands; unknown is null."""
    low, high = _interval(progress)
    foreseen = progress.forecast
    outcomes = {outcome.value: progress.outcomes.get(outcome, 0) for outcome in Outcome}
    outcomes[Outcome.FAILED.value] += progress.failed
    return {
        "place": progress.place,
        "model": progress.model,
        "benchmark": progress.benchmark,
        "run_id": progress.run_id,
        "total": progress.total,
        "ended": progress.answered + progress.failed,
        "reused": progress.reused,
        "judged": progress.judged,
        "scored": progress.scored,
        "correct": progress.correct,
        "accuracy": progress.accuracy,
        "ci_low": low,
        "ci_high": high,
        "outcomes": outcomes,
        "tokens_per_s": progress.tokens_per_s,
        "seconds": progress.elapsed_s,
        "left_s": progress.left_s,
        "spent_usd": float(progress.spent_usd) if progress.priced else None,
        "budget_usd": None if progress.budget_usd is None else float(progress.budget_usd),
        "foreseen_usd": None if foreseen is None or foreseen.cost_usd is None else foreseen.cost_usd.as_json(),
        "foreseen_s": None if foreseen is None else foreseen.seconds.as_json(),
        "waiting": progress.waiting,
        "finished": progress.finished,
    }


def _interval(progress: Progress) -> tuple[float | None, float | None]:
    """Return the interval as it is now; further attempts at the same items do not narrow it before the end."""
    if progress.accuracy is None:
        return None, None
    answers = min(progress.scored, progress.items or progress.scored)
    low, high = mid_p_interval(progress.accuracy * answers, answers, _LEVEL)
    return min(low, progress.accuracy), max(high, progress.accuracy)


def progress_of(asked: Mapping[str, Any], events: Sequence[WorkEvent]) -> list[dict[str, Any]]:
    """Return where the whole stands, and behind it each exam in the order taken, with how its accuracy has moved."""
    latest: dict[int, dict[str, Any]] = {}
    points: dict[int, list[dict[str, Any]]] = {}
    for event in events:
        if event.name != "progress":
            continue
        held: dict[str, Any] = event.held
        latest[held["place"]] = held
        if held["scored"]:
            kept = points.setdefault(held["place"], [])
            while kept and kept[-1]["scored"] >= held["scored"]:
                kept.pop()  # taken up again: what is reused is counted anew
            kept.append({key: held[key] for key in ("scored", "accuracy", "ci_low", "ci_high")})
    asked_of = [(model, benchmark) for model in asked["models"] for benchmark in asked["benchmarks"]]
    exams = [
        {
            "block": "exam",
            "reference": reference,
            "benchmark": benchmark,
            "now": latest.get(place),
            "points": _thinned(points.get(place, [])),
        }
        for place, (reference, benchmark) in enumerate(asked_of)
    ]
    return [_whole(exams, events, budget=asked["budget_usd"]), *exams]


def _whole(exams: Sequence[Mapping[str, Any]], events: Sequence[WorkEvent], *, budget: str | None) -> dict[str, Any]:
    begun = [exam["now"] for exam in exams if exam["now"] is not None]
    spent = [now["spent_usd"] for now in begun]
    share = sum(now["ended"] / now["total"] if now["total"] else 1.0 for now in begun) / len(exams)
    noted = events[-1].held["text"] if events and events[-1].name == "note" else None
    return {
        "block": "whole",
        "exams": len(exams),
        "exam": len(begun),
        "share": share,
        "spent_usd": None if None in spent else sum(spent),
        "budget_usd": None if budget is None else float(budget),
        "seconds": sum(now["seconds"] for now in begun),
        "note": noted,
    }


def _thinned(points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return few enough points to draw, the last one among them."""
    step = -(-len(points) // _MOST_POINTS)
    return points if step <= 1 else [*points[:-1:step], points[-1]]
