"""What was measured before."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from fieldguide.app.as_json import accuracy_json
from fieldguide.app.attempts import metrics_json
from fieldguide.app.wiring import House
from fieldguide.comparison import accuracy_of
from fieldguide.domain import Accuracy, Completion, ItemScore
from fieldguide.errors import StoreError
from fieldguide.scoring.choice import LETTERS
from fieldguide.store import Recovered, Run, Store, StoredAnswer, held, recover

_OF_A_COMPLETION = ("completion", "reasoning", "finish_reason", "raw_finish_reason", "usage", "e2e_latency_s")


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


def view_run(house: House, run_id: str, *, unreadable: Callable[[StoreError], None] | None = None) -> RunView:
    """Return a run by its id or the start of it.

    Args:
        house: The user's records.
        run_id: The id or the start of it.
        unreadable: Told of each attempt that lies in a damaged place, which is then left out; None raises.

    Raises:
        UnknownNameError: There is no such run, or several.
        StoreError: It cannot be read.
    """
    run = house.store.run(run_id)
    header, items = house.store.exam_items(run.exam_id)
    answers, planned = house.store.answers(run, items=items, unreadable=unreadable)
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


def target_of(answer: StoredAnswer) -> str:
    """Return the right answer as this attempt had it."""
    return (answer.score.target if answer.score else None) or answer.item.target


def scores_of(view: RunView) -> list[ItemScore]:
    """Return the judged attempts."""
    return [
        ItemScore(item=answer.item.item, attempt=answer.attempt, score=answer.score)
        for answer in view.answers
        if answer.score is not None
    ]


def disputed(view: RunView) -> RunView:
    """Return the run with those answers alone on which the checks of equality did not agree."""
    return replace(view, answers=tuple(filter(is_disputed, view.answers)))


def is_disputed(answer: StoredAnswer) -> bool:
    """Return whether the checks of equality did not agree on an answer."""
    return answer.score is not None and (answer.score.detail or "").startswith("disputed:")


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
        **metrics_json(view.run.benchmark, scores_of(view)),
        "model_key": view.run.model_key,
        "identity": view.run.model_identity,
        "facts": view.run.model_facts,
        "environment": view.run.environment,
        "exam": view.header,
    }


def restriction(view: RunView) -> str | None:
    """Return why the run's questions and answers are kept out of what others may read; None where they are not."""
    told = view.header.get("restricted")
    return None if told is None else str(told)


def item_lines(view: RunView) -> list[dict[str, Any]]:
    """Return one line per attempt, without its text."""
    quoted = restriction(view) is None
    return [_attempt_line(answer) | _score_line(answer, quoted=quoted) for answer in view.answers]


def export_lines(
    view: RunView, store: Store, unreadable: Callable[[StoreError], None], *, with_texts: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield a header and one line per attempt; the lines can be scored again as recorded answers.

    Args:
        view: The run.
        store: Where the texts are read from, one at a time.
        unreadable: Told of each answer that lies in a damaged place; its line is left out.
        with_texts: Of a restricted exam, write the answers too, which may quote questions.
    """
    whole = with_texts or restriction(view) is None
    yield {"run": run_json(view.run), "exam": view.header, "identity": view.run.model_identity}
    for answer in view.answers:
        try:
            completion = None if answer.call is None else store.completion(answer.call.call_id)
        except StoreError as error:
            unreadable(error)
        else:
            line = _attempt_line(answer) | _order_line(answer, completion) | _completion_line(completion)
            if not whole:
                line |= {"completion": None, "reasoning": None}
            yield line | _score_line(answer, quoted=whole) | _own_target(completion)


def _attempt_line(answer: StoredAnswer) -> dict[str, Any]:
    return {"item": answer.item.item, "attempt": answer.attempt}


def _order_line(answer: StoredAnswer, completion: Completion | None) -> dict[str, Any]:
    """Return the order of choices that was asked, without which letters say nothing under another exam."""
    own = None if completion is None else completion.metadata.get("choice_order")
    order = own or answer.item.metadata.get("choice_order")
    return {} if order is None else {"choice_order": order}


def _own_target(completion: Completion | None) -> dict[str, Any]:
    """Return the right letter of an answer whose order of choices is its own."""
    own = None if completion is None else completion.metadata.get("choice_order")
    return {"target": LETTERS[own.index(0)]} if isinstance(own, list) and 0 in own[: len(LETTERS)] else {}


def _completion_line(completion: Completion | None) -> dict[str, Any]:
    if completion is None:
        return dict.fromkeys(_OF_A_COMPLETION)
    usage = {"input_tokens": completion.usage.input_tokens, "output_tokens": completion.usage.output_tokens}
    values = (
        completion.text,
        completion.reasoning,
        completion.finish_reason.value,
        completion.raw_finish_reason,
        usage,
        completion.latency.e2e_latency_s,
    )
    return dict(zip(_OF_A_COMPLETION, values, strict=True))


def _score_line(answer: StoredAnswer, *, quoted: bool) -> dict[str, Any]:
    score = answer.score
    return {
        "outcome": None if score is None else score.outcome.value,
        "extracted": None if score is None else score.extracted,
        "detail": None if score is None else score.detail if quoted else score.detail_unquoted,
        "target": target_of(answer),
    }


def recover_records(house: House) -> Recovered:
    """Save what can be read of damaged records, as `fieldguide.store.recover` does, while nobody works on them.

    Raises:
        StoreError: Another process is at work, there is nothing to recover, or the disk has no room.
    """
    with contextlib.ExitStack() as stack:
        for lock in sorted(house.locks.glob("*.lock")):
            stack.enter_context(held(lock, subject="A run in these records"))
        return recover(house.records)


def recovered_json(recovered: Recovered) -> dict[str, Any]:
    """Return what `runs --recover` has done."""
    return {
        "records": str(recovered.path),
        "kept_aside": [str(path) for path in recovered.kept_aside],
        "saved": {"runs": recovered.runs, "answers": recovered.answers, "scores": recovered.scores},
        "lost": {
            "calls": recovered.lost_calls,
            "rows": dict(recovered.lost_rows),
            "damaged_tables": list(recovered.damaged_tables),
        },
    }
