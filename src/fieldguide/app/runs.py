"""What was measured before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fieldguide.app.as_json import accuracy_json
from fieldguide.app.wiring import House
from fieldguide.comparison import accuracy_of
from fieldguide.domain import Accuracy, ItemScore
from fieldguide.store import Run, StoredAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run with everything that is stored of it."""

    run: Run
    header: dict[str, Any]
    """The exam's header."""
    answers: tuple[StoredAnswer, ...]
    """In the exam's order; attempts neither answered nor failed are absent."""
    accuracy: Accuracy
    items: int
    """Items of the exam."""
    missing: int
    """Attempts neither answered nor failed."""


def view_run(house: House, run_id: str) -> RunView:
    """Return a run by its id or the start of it.

    Raises:
        UnknownNameError: There is no such run, or several.
    """
    run = house.store.run(run_id)
    header, items = house.store.exam_items(run.exam_id)
    answers, planned = house.store.answers(run)
    scores = [
        ItemScore(item=answer.item.item, attempt=answer.attempt, score=answer.score)
        for answer in answers
        if answer.score is not None
    ]
    return RunView(
        run=run,
        header=header,
        answers=tuple(answers),
        accuracy=accuracy_of(scores),
        items=len(items),
        missing=planned - len(answers),
    )


def run_json(run: Run) -> dict[str, Any]:
    """Return a run as `runs` lists it."""
    return {
        "run_id": run.run_id,
        "benchmark": run.benchmark,
        "exam_id": run.exam_id,
        "model": run.model_name,
        "reference": run.reference,
        "attempts_per_item": run.attempts,
        "generation": run.generation,
        "state": run.state.value,
        "reason": run.reason,
        "started_at": run.started_at,
        "updated_at": run.updated_at,
        "seconds": run.active_s,
    }


def view_json(view: RunView) -> dict[str, Any]:
    """Return a run as `run` shows it."""
    return {
        **run_json(view.run),
        "protocol": view.header.get("protocol"),
        "exam_items": view.items,
        "missing": view.missing,
        **accuracy_json(view.accuracy),
        "model_key": view.run.model_key,
        "identity": view.run.model_identity,
        "facts": view.run.model_facts,
        "environment": view.run.environment,
        "exam": view.header,
    }


def export_lines(view: RunView) -> Iterator[dict[str, Any]]:
    """Yield a header and one line per attempt; the lines can be scored again as recorded answers."""
    yield {"run": run_json(view.run), "exam": view.header, "identity": view.run.model_identity}
    for answer in view.answers:
        completion = None if answer.call is None else answer.call.completion
        yield {
            "item": answer.item.item,
            "attempt": answer.attempt,
            "completion": None if completion is None else completion.text,
            "reasoning": None if completion is None else completion.reasoning,
            "finish_reason": None if completion is None else completion.finish_reason.value,
            "raw_finish_reason": None if completion is None else completion.raw_finish_reason,
            "usage": None
            if completion is None
            else {"input_tokens": completion.usage.input_tokens, "output_tokens": completion.usage.output_tokens},
            "e2e_latency_s": None if completion is None else completion.latency.e2e_latency_s,
            "outcome": None if answer.score is None else answer.score.outcome.value,
            "extracted": None if answer.score is None else answer.score.extracted,
            "detail": None if answer.score is None else answer.score.detail,
            "target": answer.item.target,
        }
