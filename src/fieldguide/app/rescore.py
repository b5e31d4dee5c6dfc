"""Judge the answers of a stored run under another protocol as long work; no model is called."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.app.as_json import accuracy_json, scored_json
from fieldguide.app.exams import protocols_of
from fieldguide.app.files import written
from fieldguide.app.runs import RunView, export_lines, run_json, scores_of, view_run
from fieldguide.app.score import Scored, score_file, score_under_all
from fieldguide.app.wiring import House
from fieldguide.app.works import Done, Tell, WorkState
from fieldguide.domain import ItemScore, JsonValue, Outcome
from fieldguide.errors import StoreError, UnknownNameError, UsageError
from fieldguide.evaluation import Stop
from fieldguide.registry import nearest
from fieldguide.store import Run, Work, WorkEvent

ALL = "all"
_SOONEST_S = 0.25


class _StoppedError(Exception):
    """Somebody asked the work to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescoring:
    """Which run is judged anew, and how."""

    run: Run
    protocols: tuple[str, ...]
    """That its benchmark knows, ours first."""
    protocol: str
    """The one asked for, or `all`."""


def rescoring(house: House, run_id: str, protocol: str) -> Rescoring:
    """Return what is to be done.

    Raises:
        UnknownNameError: There is no such run, or its benchmark has no such protocol.
        UsageError: Its benchmark has one protocol alone.
    """
    run = house.store.run(run_id)
    protocols = protocols_of(run.benchmark)
    if len(protocols) < 2:
        raise UsageError(f"{run.benchmark} has one protocol, {protocols[0]}.", hint="There is no other to judge by.")
    if protocol != ALL and protocol not in protocols:
        raise UnknownNameError("protocol", protocol, nearest(protocol, list(protocols)))
    return Rescoring(run=run, protocols=protocols, protocol=protocol)


def asked_json(asked: Rescoring) -> dict[str, JsonValue]:
    """Return it as a work keeps it."""
    return {"run": asked.run.run_id, "protocol": asked.protocol}


async def do_work(house: House, work: Work, tell: Tell, stop: Stop) -> Done:
    """Judge every answer of the run anew.

    Raises:
        FieldguideError: The run, its benchmark's data or an answer cannot be read.
    """
    asked = rescoring(house, str(work.asked["run"]), str(work.asked["protocol"]))
    answers = house.works.folder(work.work_id) / "answers.jsonl"
    try:
        view = await asyncio.to_thread(view_run, house, asked.run.run_id)
        scored = await asyncio.to_thread(_scored, house, asked, view, answers, tell, stop)
    except _StoppedError:
        return Done(state=WorkState.STOPPED, reason="it was asked to stop")
    finally:
        answers.unlink(missing_ok=True)  # they may quote questions that their authors keep back
        house.close_store()
    return Done(state=WorkState.FINISHED, result=_result(view, scored))


def _scored(house: House, asked: Rescoring, view: RunView, answers: Path, tell: Tell, stop: Stop) -> Sequence[Scored]:
    told_s = 0.0

    def told(done: int, total: int) -> None:
        nonlocal told_s
        if stop.requested:
            raise _StoppedError
        if time.monotonic() - told_s >= _SOONEST_S or done == total:
            told_s = time.monotonic()
            tell("judged", {"done": done, "total": total})

    written(answers, export_lines(view, house.store, _raised, with_texts=True))
    benchmark, seed = view.run.benchmark, view.header.get("seed")
    if asked.protocol == ALL:
        return score_under_all(house, benchmark, answers, data=None, seed=seed, told=told)
    return (score_file(house, benchmark, answers, protocol=asked.protocol, data=None, seed=seed, told=told),)


def _raised(error: StoreError) -> None:
    raise error


def _result(view: RunView, scored: Sequence[Scored]) -> dict[str, Any]:
    before = _by_attempt(scores_of(view))
    after = {each.exam.protocol: _by_attempt(each.scores) for each in scored}
    rows = []
    for (item, attempt), score in before.items():
        now = {name: judged.get((item, attempt)) for name, judged in after.items()}
        if any(each is not None and _right(each) is not _right(score) for each in now.values()):
            outcomes = {name: None if each is None else each.score.outcome.value for name, each in now.items()}
            rows.append({"item": item, "attempt": attempt, "before": score.score.outcome.value, "outcomes": outcomes})
    protocols = [scored_json(each) | _moved(before, after[each.exam.protocol]) for each in scored]
    kept = {"protocol": view.header.get("protocol"), **accuracy_json(view.accuracy)}
    return {"run": run_json(view.run), "before": kept, "protocols": protocols, "differences": rows}


def _moved(before: Mapping[tuple[str, int], ItemScore], after: Mapping[tuple[str, int], ItemScore]) -> dict[str, int]:
    """Return how many attempts are right now and were not before, and the other way round."""
    both = [(_right(before[key]), _right(after[key])) for key in before.keys() & after.keys()]
    return {"gained": sum(now and not was for was, now in both), "lost": sum(was and not now for was, now in both)}


def _by_attempt(scores: Iterable[ItemScore]) -> dict[tuple[str, int], ItemScore]:
    return {(score.item, score.attempt): score for score in scores}


def _right(score: ItemScore) -> bool:
    return score.score.outcome is Outcome.CORRECT


def progress_of(asked: Mapping[str, Any], events: Sequence[WorkEvent]) -> list[dict[str, Any]]:
    """Return how many answers were judged, of all; null before the first."""
    told = [event.held for event in events if event.name == "judged"]
    done, total = (told[-1]["done"], told[-1]["total"]) if told else (None, None)
    return [{"block": "judged", "run": asked["run"], "protocol": asked["protocol"], "done": done, "total": total}]
