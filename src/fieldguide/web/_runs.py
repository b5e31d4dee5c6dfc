"""Runs: what was measured here, each with every item; verdicts between runs of the same exam."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from fieldguide.app.exams import protocols_of
from fieldguide.app.runs import disputed, export_lines, item_lines, restriction, run_json, view_json, view_run
from fieldguide.app.settle import settle, settled_json
from fieldguide.app.wiring import House
from fieldguide.domain import Outcome
from fieldguide.errors import FieldguideError, StoreError, UnknownNameError
from fieldguide.registry import nearest
from fieldguide.store import StoredAnswer
from fieldguide.web._page import Asked, Page, Shown

_AT_ONCE = 50
_ITEMS_AT_ONCE = 200


def _runs(asked: Asked) -> Shown:
    house = asked.house
    runs = house.store.runs() if house.records.exists() else []
    start = asked.count("from") or 0
    shown = []
    for run in runs[start : start + _AT_ONCE]:
        shown.append(run_json(run) | _scores(house, run.run_id))
    return Shown(
        title="Runs",
        context={"runs": shown, "total": len(runs), "from": start},
        drawn={"start": start, "at_once": _AT_ONCE, "exams": _exams(shown)},
    )


def _scores(house: House, run_id: str) -> dict[str, Any]:
    """Return how a run did; nothing but why where it cannot be read."""
    unread: list[StoreError] = []
    try:
        view = view_run(house, run_id, unreadable=unread.append)
    except StoreError as error:
        return {"exam_items": None, "missing": None, "accuracy": None, "ci_low": None, "ci_high": None} | {
            "damaged": error.message
        }
    whole = view_json(view)
    kept = {key: whole[key] for key in ("exam_items", "missing", "accuracy", "ci_low", "ci_high")}
    return kept | {"damaged": unread[0].message if unread else None}


def _exams(shown: list[dict[str, Any]]) -> set[str]:
    """Return the exams that several runs have taken."""
    ids = [run["exam_id"] for run in shown]
    return {exam for exam in ids if ids.count(exam) > 1}


def _run(asked: Asked) -> Shown:
    view = view_run(asked.house, asked.parts["run"])
    only, outcome = asked.one("disputed") is not None, asked.one("outcome")
    if outcome is not None and outcome not in set(Outcome):
        raise UnknownNameError("outcome", outcome, nearest(outcome, [each.value for each in Outcome]))
    narrowed = disputed(view) if only else view
    lines = [line for line in item_lines(narrowed) if outcome in (None, line["outcome"])]
    start = asked.count("from") or 0
    return Shown(
        title=f"{view.run.model_name} on {view.run.benchmark}",
        context={
            "run": view_json(view) | {"restricted": restriction(view)},
            "protocols": _protocols(view.run.benchmark),
            "disputed": len(disputed(view).answers),
            "filter": {"disputed": only, "outcome": outcome},
            "items": lines,
        },
        drawn={
            "start": start,
            "at_once": _ITEMS_AT_ONCE,
            "shown": lines[start : start + _ITEMS_AT_ONCE],
            "outcomes": list(Outcome),
        },
    )


def _protocols(benchmark: str) -> list[str]:
    """Return the protocols by which its answers can be judged; none where the benchmark is no longer there."""
    try:
        return list(protocols_of(benchmark))
    except FieldguideError:
        return []


def _item(asked: Asked) -> Shown:
    house, name = asked.house, asked.parts["item"]
    view = view_run(house, asked.parts["run"])
    items = list(dict.fromkeys(answer.item.item for answer in view.answers))
    if name not in items:
        raise UnknownNameError("item of this run", name, nearest(name, items))
    place, why = items.index(name), restriction(view)
    answers = [answer for answer in view.answers if answer.item.item == name]
    lines = {(line["item"], line["attempt"]): line for line in item_lines(view)}
    item = answers[0].item
    return Shown(
        title=f"{name}: {view.run.model_name}",
        context={
            "run": run_json(view.run),
            "item": {
                "item": name,
                "question": None if why else _question(item),
                "target": item.target,
                "metadata": dict(item.metadata),
                "withheld_because": why,
            },
            "answers": [lines[name, each.attempt] | _answer(house, each, withheld=bool(why)) for each in answers],
            "before": items[place - 1] if place else None,
            "after": items[place + 1] if place + 1 < len(items) else None,
        },
    )


def _question(item: Any) -> str:
    if item.messages is None:
        return str(item.prompt or "")
    return "\n\n".join(f"[{message.role}]\n{message.text}" for message in item.messages)


def _answer(house: House, answer: StoredAnswer, *, withheld: bool) -> dict[str, Any]:
    call = answer.call
    if call is None:
        return {"completion": None, "reasoning": None, "finish_reason": None, "usage": None, "seconds": None}
    whole = None if withheld else house.store.completion(call.call_id)
    return {
        "completion": whole.text if whole else None,
        "reasoning": whole.reasoning if whole else None,
        "finish_reason": call.finish_reason.value,
        "usage": {"input_tokens": call.usage.input_tokens, "output_tokens": call.usage.output_tokens},
        "seconds": call.latency.e2e_latency_s,
    }


def _verdict(asked: Asked) -> Shown:
    settled = settle(asked.house, asked.every("run"))
    return Shown(title=f"{' and '.join(settled.names)}: verdict", context=settled_json(settled))


def exported(house: House, run_id: str) -> tuple[str, Iterator[str]]:
    """Return the full id of a run and its lines, as `fieldguide export` writes them.

    Raises:
        UnknownNameError: There is no such run.
        StoreError: It cannot be read.
    """
    view = view_run(house, run_id, unreadable=lambda _: None)
    lines = export_lines(view, house.store, lambda _: None)
    return view.run.run_id, (json.dumps(line, ensure_ascii=False, default=str) + "\n" for line in lines)


RUNS = Page(
    name="runs",
    path="/runs",
    template="runs.html.j2",
    about="What was measured here, newest first.",
    make=_runs,
    keys={
        "runs": "what `runs --json` lists, with accuracy and interval; `damaged` says what could not be read",
        "total": "number of all runs",
        "from": "number of runs before the first that is shown",
    },
    fields={"from": "how many of the newest to skip"},
    nav="Runs",
)
RUN = Page(
    name="run",
    path="/runs/{run:[^/]+}",
    template="run.html.j2",
    about="One run: scores, outcomes, and each item with how it ended.",
    make=_run,
    keys={
        "run": "what `run --json` gives; `restricted` says why texts are kept back",
        "protocols": "those by which its answers can be judged, ours first",
        "disputed": "number of answers on which the checks of equality did not agree",
        "filter": "what the items were narrowed to",
        "items": "a line for each attempt, without its text",
    },
    fields={
        "outcome": "only items that ended so, such as `wrong`",
        "disputed": "any value: only disputed answers",
        "from": "how many items to skip on the page",
    },
)
ITEM = Page(
    name="item",
    path="/runs/{run:[^/]+}/items/{item:.+}",
    template="item.html.j2",
    about="One item of a run: the question as it was asked, the right answer, and every attempt with its text.",
    make=_item,
    keys={
        "run": "what `runs --json` lists of it",
        "item": "the question, its target and metadata; `withheld_because` says why texts are kept back",
        "answers": "each attempt: outcome, what was read, its text, tokens and seconds",
        "before": "the item before it; null at the beginning",
        "after": "the item after it; null at the end",
    },
)
VERDICT = Page(
    name="verdict",
    path="/verdict",
    template="verdicts.html.j2",
    about="What stored runs of the same exam settle; nothing is asked and no look is spent.",
    make=_verdict,
    keys={
        "models": "names, in the order of the runs",
        "runs": "what `run --json` gives of each",
        "verdicts": "as `compare --json` gives them",
        "differing": "items that some got right and others did not, with how each model's first attempt ended",
    },
    fields={"run": "id of a run, two at least"},
)
