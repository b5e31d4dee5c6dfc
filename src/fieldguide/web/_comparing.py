"""Compare: what is to be measured, as a form; measuring itself is long work with a page of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fieldguide.app import measure, rescore
from fieldguide.app.choices import choices_json
from fieldguide.app.evaluate import EvaluateRequest
from fieldguide.app.exams import load_benchmark, protocols_of
from fieldguide.app.references import ModelOptions, as_decimal, check_named
from fieldguide.app.wiring import House
from fieldguide.app.works import running_like, start_work, view_json, view_work
from fieldguide.domain import JsonValue
from fieldguide.errors import FieldguideError, UnknownNameError, UsageError
from fieldguide.registry import nearest
from fieldguide.store import Work
from fieldguide.web._asking import offered
from fieldguide.web._entry import Visitor
from fieldguide.web._page import Asked, Page, Shown

MODELS = ("model", "other", "third")
_FIELDS = {
    "model": "a model, as `fieldguide compare` takes it",
    "other": "the one it is compared with; without it the first is measured alone",
    "third": "one more",
    "benchmark": "such as `ladder`, `gsm8k`, `aime@2024`; several by commas",
    "protocol": "whose way of asking and reading; ours where it is left empty",
    "limit": "how many items, from the first on; all where it is left empty",
    "attempts": "attempts at each item (1)",
    "seed": "of exams that are drawn",
    "budget_usd": "US dollars that may be spent in all",
    "price_in": "US dollars per million input tokens, where the price is not known",
    "price_out": "the same for output tokens",
    "margin": "percentage points within which models count as equivalent",
    "concurrency": "most requests at once",
    "accept_licence": "ids of licences that are accepted, by commas",
    "fresh": "any value: ask everything anew, whatever was answered before",
}
_MOST_WORKS = 20
_MOST_ATTEMPTS = 10_000
_MOST_OF_A_KEY = 4
"""Each is a process of its own, with a model of its own in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A work to be started."""

    kind: str
    title: str
    asked: dict[str, JsonValue]


def started(house: House, start: Start) -> Work:
    """Start the work, or return the one that was asked the same and goes on: a button may be pressed twice.

    Raises:
        UsageError: As for `check_room`.
    """
    if (going_on := running_like(house, start.kind, start.asked)) is not None:
        return going_on
    check_room(house, start.asked.get("owner"))
    return start_work(house, start.kind, start.title, start.asked)


def check_room(house: House, owner: object) -> None:
    """Refuse one more process for a key that has several at work; whoever has this machine may start any number.

    Raises:
        UsageError: So many are going on.
    """
    if owner is None:
        return
    held = [work for work in house.works.every() if work.asked.get("owner") == owner]
    if sum(house.works.is_held(work.work_id) for work in held) >= _MOST_OF_A_KEY:
        told = f"{_MOST_OF_A_KEY} works of this key are going on, and that is the most at once."
        raise UsageError(told, hint="Wait until one has ended, or stop one.")


def read_measurement(house: House, form: Mapping[str, str]) -> Start:
    """Return what a form asks to have measured.

    Raises:
        UsageError: A field is missing or holds something else, or a name is unknown.
    """
    given = {name: form.get(name, "").strip() for name in _FIELDS}
    models = tuple(given[name] for name in MODELS if given[name])
    benchmarks = _listed(given["benchmark"])
    _check_models(house, models)
    _check_benchmarks(benchmarks, given["protocol"])
    price_in, price_out = (as_decimal(given[name] or None, name) for name in ("price_in", "price_out"))
    if (price_in is None) != (price_out is None):
        raise UsageError("The two prices go together.", hint="Give both, in US dollars per million tokens.")
    concurrency = _count(given, "concurrency")
    request = EvaluateRequest(
        models=models,
        benchmarks=benchmarks,
        protocol=given["protocol"] or None,
        limit=_count(given, "limit"),
        attempts=_count(given, "attempts", most=_MOST_ATTEMPTS),
        seed=_count(given, "seed", least=0),
        fresh=bool(given["fresh"]),
        concurrency=concurrency,
        budget_usd=as_decimal(given["budget_usd"] or None, "budget_usd"),
        price_in_usd_per_mtok=price_in,
        price_out_usd_per_mtok=price_out,
        options=ModelOptions(accept_licences=frozenset(_listed(given["accept_licence"]))),
    )
    title = f"{' and '.join(map(_short, models))} on {', '.join(benchmarks)}"
    return Start(kind="measure", title=title, asked=measure.asked_json(request, margin=_margin(given["margin"])))


def read_rescoring(house: House, form: Mapping[str, str], run_id: str) -> Start:
    """Return which run is to be judged anew, and by which protocol.

    Raises:
        UnknownNameError: There is no such run or protocol.
        UsageError: There is no other protocol.
    """
    asked = rescore.rescoring(house, run_id, form.get("protocol", "").strip() or rescore.ALL)
    by = "every protocol" if asked.protocol == rescore.ALL else asked.protocol
    title = f"{asked.run.model_name} on {asked.run.benchmark}, judged by {by}"
    return Start(kind="rescore", title=title, asked=rescore.asked_json(asked))


def _check_models(house: House, models: tuple[str, ...]) -> None:
    if not models:
        raise UsageError("No model is named.", hint="Such as smollm2-135m-instruct.")
    if len(set(models)) < len(models):
        raise UsageError("The same model is named twice.", hint="Name each model once.")
    for name in models:
        check_named(house, name)


def _check_benchmarks(names: tuple[str, ...], protocol: str) -> None:
    if not names:
        raise UsageError("No benchmark is named.", hint="Such as ladder, which needs no data.")
    for name in names:
        load_benchmark(name.partition("@")[0])
        known = protocols_of(name)
        if protocol and protocol not in known:
            raise UnknownNameError(
                "protocol", protocol, nearest(protocol, list(known)), hint=f"Known: {', '.join(known)}."
            )


def _short(reference: str) -> str:
    """Return a reference without the address or the folder before a name."""
    name = reference.rpartition("#")[2] if reference.startswith(("http://", "https://")) else reference
    return name.rpartition("/")[2] or reference


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _count(given: Mapping[str, str], name: str, *, least: int = 1, most: int | None = None) -> int | None:
    text = given[name].replace(",", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 15 and int(text) >= least):
        raise UsageError(f"{name} takes a whole number of at least {least}, not {given[name]!r}.")
    if most is not None and int(text) > most:
        raise UsageError(f"{name} takes at most {most:,}, not {given[name]!r}.")
    return int(text)


def _margin(text: str) -> float | None:
    points = as_decimal(text or None, "margin")
    if points is None:
        return None
    if not 0 < points < 100:
        raise UsageError(f"margin takes percentage points between 0 and 100, not {text}.")
    return float(points / 100)


def _compare(asked: Asked) -> Shown:
    return compare_page(asked.house, {name: asked.text(name) for name in _FIELDS}, None, asked.visitor)


def compare_page(house: House, form: Mapping[str, str], fault: FieldguideError | None, visitor: Visitor) -> Shown:
    """Return the page with its fields filled in, and what is wrong with them where something is."""
    choices = choices_json(house)
    if not visitor.is_admin:
        choices["models"] = [{"model": name, "where": "on this machine"} for name in offered(house, visitor)]
    works = [work for work in house.works.every() if work.kind in ("measure", "rescore")]
    return Shown(
        title="Compare",
        context={
            "search": {name: form.get(name, "") for name in _FIELDS},
            "choices": choices,
            "works": [_listed_json(house, work) for work in works[:_MOST_WORKS]],
            "total": len(works),
        },
        drawn={"fault": fault},
    )


def _listed_json(house: House, work: Work) -> dict[str, Any]:
    whole = view_json(view_work(house, work.work_id))
    return {key: whole[key] for key in ("work_id", "kind", "title", "created_at", "state", "reason")}


COMPARE = Page(
    name="compare",
    path="/compare",
    template="compare.html.j2",
    about="What is to be measured and compared, and the measurements that were asked for here. A POST starts one.",
    make=_compare,
    keys={
        "search": "the fields as they were filled in",
        "choices": "models that can be named (of a key with the role `user`: those it may ask), benchmarks, protocols",
        "works": "the newest measurements that were asked for here, with their states",
        "total": "number of all of them",
    },
    fields=_FIELDS,
    nav="Compare",
)
