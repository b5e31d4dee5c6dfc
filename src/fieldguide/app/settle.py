"""A verdict from what is stored: no model is opened, nothing is asked, and no look is spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from fieldguide.app.as_json import verdict_json
from fieldguide.app.compare import LAST, look_number, look_subject
from fieldguide.app.runs import RunView, scores_of, view_json, view_run
from fieldguide.app.wiring import House
from fieldguide.comparison import ExamScores, ModelScores, compare_models, items_compared, verdict_sentence
from fieldguide.domain import ItemScore, JsonValue, Look, Outcome, Verdict
from fieldguide.errors import UsageError
from fieldguide.store import RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """Runs of the same exam, and what they settle."""

    names: tuple[str, ...]
    """Of the models, each unlike the others."""
    views: tuple[RunView, ...]
    verdicts: tuple[Verdict, ...]
    sentences: tuple[str, ...]


def settle(house: House, run_ids: Sequence[str]) -> Settled:
    """Return the verdicts between stored runs of one exam.

    A verdict counts where `compare` has shown one at these items before; any other is provisional, as reading it here
    would be one more look.

    Raises:
        UsageError: Fewer than two runs, the same one twice, or runs of different exams.
        UnknownNameError: There is no such run.
        StoreError: The records cannot be read.
    """
    views = tuple(view_run(house, run_id) for run_id in run_ids)
    if len(views) < 2:
        raise UsageError("A verdict takes at least two runs.", hint="Choose them on the page of runs.")
    if len({view.run.run_id for view in views}) < len(views):
        raise UsageError("The same run is named twice.", hint="Name each run once.")
    if len({view.run.exam_id for view in views}) > 1:
        told = ", ".join(f"{view.run.run_id}: {view.run.benchmark}" for view in views)
        raise UsageError(f"These runs are not of the same exam ({told}).", hint="Only the same questions compare.")
    names = _names(views)
    scores = [tuple(scores_of(view)) for view in views]
    exam = ExamScores(
        benchmark=views[0].run.benchmark,
        available_items=views[0].header.get("available_items"),
        models=tuple(ModelScores(name=name, scores=each) for name, each in zip(names, scores, strict=True)),
        looks={
            (names[a], names[b]): _look(house, views[a], views[b], items_compared(scores[a], scores[b]))
            for a, b in combinations(range(len(views)), 2)
        },
    )
    verdicts = compare_models([exam])
    return Settled(
        names=names,
        views=views,
        verdicts=verdicts,
        sentences=tuple(verdict_sentence(verdict) for verdict in verdicts),
    )


def settled_json(settled: Settled) -> dict[str, Any]:
    """Return the verdicts as programs read them, with the items on which the runs differ."""
    return {
        "models": list(settled.names),
        "runs": [view_json(view) for view in settled.views],
        "verdicts": [
            verdict_json(verdict, sentence)
            for verdict, sentence in zip(settled.verdicts, settled.sentences, strict=True)
        ],
        "differing": differing_items([scores_of(view) for view in settled.views]),
    }


def _names(views: Sequence[RunView]) -> tuple[str, ...]:
    """Return the models' names, or their runs' ids behind them where two are alike."""
    plain = [view.run.model_name for view in views]
    return tuple(
        name if plain.count(name) == 1 else f"{name} ({view.run.run_id})"
        for name, view in zip(plain, views, strict=True)
    )


def _look(house: House, a: RunView, b: RunView, items: int) -> Look:
    facts: list[JsonValue] = [a.header.get(key) for key in ("benchmark", "protocol", "seed", "available_items")]
    runs = (a.run, b.run)
    number = look_number(house.store, facts, runs, items)
    whole = house.store.looks(look_subject(facts, runs, LAST))
    shown_before = items in house.store.looks(look_subject(facts, runs, number))
    unfinished = any(run.state is not RunState.FINISHED for run in runs)
    return Look(
        number=number,
        last=items in whole,
        provisional=unfinished or not shown_before or bool(whole and items not in whole),
    )


def differing_items(scores: Sequence[Sequence[ItemScore]]) -> list[dict[str, Any]]:
    """Return the items of an exam whose first attempts did not all end alike, with how each model's ended."""
    ends: list[dict[str, str]] = [_first_outcomes(each) for each in scores]
    items = dict.fromkeys(item for each in ends for item in each)
    rows: list[dict[str, Any]] = [{"item": item, "outcomes": [each.get(item) for each in ends]} for item in items]
    return [row for row in rows if len({outcome == Outcome.CORRECT for outcome in row["outcomes"]}) > 1]


def _first_outcomes(scores: Sequence[ItemScore]) -> dict[str, str]:
    return {each.item: each.score.outcome.value for each in reversed(scores)}
