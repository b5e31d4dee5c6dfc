"""Take models through exams and say how each did."""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from fieldguide.app.exams import build_exam, data_access
from fieldguide.app.machine import describe_machine
from fieldguide.app.prices import KnownPrice, price_of
from fieldguide.app.references import ModelOptions, OpenedModel, is_called, open_model
from fieldguide.app.wiring import House
from fieldguide.benchmarks import AnswerScorer
from fieldguide.catalogue.prices import provider_of_url
from fieldguide.comparison import accuracy_of
from fieldguide.domain import Accuracy, Exam, ResolvedModel
from fieldguide.errors import InputFileError, UsageError
from fieldguide.evaluation import Budget, Listener, RetryPolicy, RunOptions, RunResult, Stop, TokenPrice, run_exam
from fieldguide.runners import HoldsAnswers
from fieldguide.store import RunState, StoredCall

ZERO = TokenPrice(input_usd_per_mtok=Decimal(0), output_usd_per_mtok=Decimal(0), source="asking it costs nothing")


_LATE_FACTOR = 1.25
"""How long a request past its deadline is still listened to, in deadlines: its answer may be paid for."""
_LOCAL_RETRY = RetryPolicy(tries=2)
"""An item that brings the embedded engine down twice would do so again."""


Limited: TypeAlias = Callable[[str, OpenedModel], OpenedModel]
"""Puts limits around the model of a reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateRequest:
    """What a person asked to have measured."""

    models: tuple[str, ...]
    """References, in order."""
    benchmarks: tuple[str, ...]
    data: Path | None = None
    limit: int | None = None
    attempts: int | None = None
    """Attempts per item; None takes 1, or as many as a recorded file holds."""
    seed: int | None = None
    protocol: str | None = None
    fresh: bool = False
    fresh_since: str | None = None
    """With `fresh`: a run begun at this moment (ISO 8601, UTC) or later is one of this request's own and goes on."""
    concurrency: int | None = None
    budget_usd: Decimal | None = None
    price_in_usd_per_mtok: Decimal | None = None
    price_out_usd_per_mtok: Decimal | None = None
    options: ModelOptions = field(default_factory=ModelOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast answers came; None where it was not measured."""

    output_tokens_per_s: float | None
    """Tokens generated over the whole run per second of it."""
    median_ttft_s: float | None
    median_e2e_latency_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamResult:
    """One model on one exam."""

    model: str
    """Name, unlike every other model's of the call."""
    resolved: ResolvedModel
    licence: str | None
    run: RunResult
    accuracy: Accuracy
    input_tokens: int | None
    """Over the answers that the scores rest on; None where any of them was not counted."""
    output_tokens: int | None
    cost_usd: Decimal | None
    """Of these answers; None where the price or a count is unknown."""
    speed: Speed
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Everything one call has measured."""

    results: tuple[ExamResult, ...]
    """Model by model, each with its benchmarks in the order asked."""
    state: RunState
    """`finished`, or why it ended early."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    exam: Exam
    scorer: AnswerScorer


async def evaluate(
    house: House,
    request: EvaluateRequest,
    *,
    stop: Stop,
    listener: Listener | None = None,
    limited: Limited = lambda reference, opened: opened,
) -> Evaluation:
    """Take every model through every exam, one model at a time, and return what came of it.

    Every answer that was ever committed is reused, unless `fresh`. `limited` puts limits around a model that was
    opened: those of the key under which it is asked.

    Raises:
        FieldguideError: The exam cannot be built, a model not be opened, or every further request would fail.
    """
    _check(request)
    papers, _ = await asyncio.gather(
        asyncio.to_thread(_papers, house, request), asyncio.to_thread(_load_http_client, request.models)
    )
    budget = Budget(request.budget_usd)
    budget.spent_before(await _spent_before(house, request, papers))
    results: list[ExamResult] = []
    state = RunState.FINISHED
    try:
        for reference in request.models:
            opened = await open_model(house, reference, request.options, deadline_factor=_LATE_FACTOR)
            opened = limited(reference, opened)
            try:
                for paper in papers:
                    told = _placed(listener, len(results))
                    result = await _take(house, request, opened, paper, budget, stop, told)
                    results.append(result)
                    state = result.run.run.state
                    if state is not RunState.FINISHED:
                        break
            finally:
                await opened.runner.close()
            if state is not RunState.FINISHED:
                break
    finally:
        for paper in papers:
            paper.scorer.close()
    return Evaluation(results=_named_apart(results), state=state, warnings=_doubts(results))


def _placed(listener: Listener | None, place: int) -> Listener | None:
    """Return a listener that is also told which of the exams it hears of: names alone may be alike."""
    return None if listener is None else lambda progress: listener(replace(progress, place=place))


async def _spent_before(house: House, request: EvaluateRequest, papers: list[_Paper]) -> Decimal:
    """Return what earlier calls have paid for the runs of this one: a budget is for all of them, from the first."""
    spent = Decimal(0)
    for reference in request.models:
        if request.budget_usd is None or not is_called(reference):
            continue
        opened = await open_model(house, reference, request.options)
        runs = [
            house.store.run_id(
                paper.exam,
                opened.runner.model,
                attempts=_attempts(request, opened),
                fresh=request.fresh,
                fresh_since=request.fresh_since,
            )
            for paper in papers
        ]
        await opened.runner.close()
        spent += house.store.spent_usd(runs)[0]
    return spent


def _load_http_client(references: Iterable[str]) -> None:
    """Import the HTTP client beside the making of the exam: reading the system's certificates takes a while."""
    if any(map(is_called, references)):
        import aiohttp  # noqa: F401


def _check(request: EvaluateRequest) -> None:
    if not request.benchmarks:
        raise UsageError("No benchmark is named.", hint="Such as `--benchmark ladder`.")
    if request.attempts is not None and request.attempts <= 0:
        raise UsageError(f"--attempts takes a number above 0, not {request.attempts}.")
    if request.concurrency is not None and request.concurrency <= 0:
        raise UsageError(f"--concurrency takes a number above 0, not {request.concurrency}.")
    if (request.price_in_usd_per_mtok is None) != (request.price_out_usd_per_mtok is None):
        raise UsageError("--price-in and --price-out go together.", hint="Give both, in US dollars per million tokens.")


def _papers(house: House, request: EvaluateRequest) -> list[_Paper]:
    data = request.data or house.settings.data
    return [
        _Paper(exam=exam, scorer=scorer)
        for exam, scorer in (
            build_exam(
                name,
                data=data,
                limit=request.limit,
                seed=request.seed,
                protocol=request.protocol,
                access=data_access(house.settings),
            )
            for name in request.benchmarks
        )
    ]


async def _take(
    house: House,
    request: EvaluateRequest,
    opened: OpenedModel,
    paper: _Paper,
    budget: Budget,
    stop: Stop,
    listener: Listener | None,
) -> ExamResult:
    runner, exam = opened.runner, paper.exam
    known = None if opened.free or _given_price(request) else await asyncio.to_thread(known_price, house, opened)
    price = _price(request, opened, known)
    if isinstance(runner, HoldsAnswers) and not runner.items_held & {item.item for item in exam.items}:
        raise InputFileError(
            runner.model.reference,
            f"none of its items belongs to {exam.benchmark}, whose first is {exam.items[0].item!r}",
            hint=f"See the item ids with `fieldguide exam {exam.benchmark}`.",
        )
    result = await run_exam(
        exam,
        runner,
        paper.scorer,
        house.store,
        options=RunOptions(
            attempts=_attempts(request, opened),
            fresh=request.fresh,
            fresh_since=request.fresh_since,
            concurrency=request.concurrency,
            price=price,
            spent_counted=request.budget_usd is not None,
            retry=_LOCAL_RETRY if opened.provider == "llama.cpp" else RetryPolicy(),
            deadline_s=None if opened.free else house.settings.deadline_s,
        ),
        budget=budget,
        locks=house.locks,
        stop=stop,
        environment=dict(describe_machine()),
        listener=listener,
    )
    made = _result(opened, result, _given_price(request))
    return made if known is None else replace(made, warnings=(*made.warnings, *_priced_by(opened, known)))


def known_price(house: House, opened: OpenedModel) -> KnownPrice | None:
    """Return what the catalogue knows of the price of a model that is called; None where it does not know the place."""
    identity = opened.runner.model.identity
    url, provider, model = identity.get("base_url"), identity.get("provider", opened.provider), identity.get("model")
    if isinstance(url, str):
        provider = provider_of_url(url)
    if not isinstance(provider, str) or not isinstance(model, str):
        return None
    today = datetime.now(UTC).date()  # and no hour: of prices that change with it the dearest, for a run may take long
    found = price_of(house.settings.home, provider, model, today)
    return found if found is not None and found.currency == "USD" else None


def _priced_by(opened: OpenedModel, known: KnownPrice) -> list[str]:
    name = opened.runner.model.name
    return [f"{name}: priced by {known.description}.", *(f"{name}: {note}." for note in known.notes)]


def _token_price(known: KnownPrice) -> TokenPrice | None:
    each_in, each_out = known.amount_of("input_tokens"), known.amount_of("output_tokens")
    if each_in is None or each_out is None:
        return None
    return TokenPrice(
        input_usd_per_mtok=each_in, output_usd_per_mtok=each_out, rates=known.rates, source=known.description
    )


def _price(request: EvaluateRequest, opened: OpenedModel, known: KnownPrice | None) -> TokenPrice | None:
    """Return what asking costs now: nothing for a model on this machine and for recorded answers."""
    if opened.free:
        return ZERO
    if (given := _given_price(request)) is not None:
        return given
    if known is not None and (listed := _token_price(known)) is not None:
        return listed
    if request.budget_usd is not None:
        raise UsageError(
            f"The price of {opened.runner.model.name} is not known, so that a budget cannot be kept.",
            hint="Give it in US dollars per million tokens: `--price-in X --price-out Y`.",
        )
    return None


def _given_price(request: EvaluateRequest) -> TokenPrice | None:
    if request.price_in_usd_per_mtok is None or request.price_out_usd_per_mtok is None:
        return None
    return TokenPrice(
        input_usd_per_mtok=request.price_in_usd_per_mtok, output_usd_per_mtok=request.price_out_usd_per_mtok
    )


def _attempts(request: EvaluateRequest, opened: OpenedModel) -> int:
    if request.attempts is not None:
        return request.attempts
    runner = opened.runner
    return runner.attempts_held if isinstance(runner, HoldsAnswers) else 1


def _result(opened: OpenedModel, result: RunResult, given: TokenPrice | None) -> ExamResult:
    calls = result.calls
    return ExamResult(
        model=opened.runner.model.name,
        resolved=opened.runner.model,
        licence=opened.licence,
        run=result,
        accuracy=accuracy_of(result.scores),
        input_tokens=_sum(call.usage.input_tokens for call in calls),
        output_tokens=_sum(call.usage.output_tokens for call in calls),
        cost_usd=_sum_of_costs(_cost_usd(opened, call, given) for call in calls),
        speed=_speed(opened, result),
        warnings=_warnings(opened, result),
    )


def _sum(counts: Iterable[int | None]) -> int | None:
    """Return the sum; None where there is nothing to add up or something unknown in it."""
    known: list[int] = []
    for count in counts:
        if count is None:
            return None
        known.append(count)
    return sum(known) if known else None


def _cost_usd(opened: OpenedModel, call: StoredCall, given: TokenPrice | None) -> Decimal | None:
    """Return what an answer cost; a recorded one cost somebody else, and only a given price can tell what."""
    if isinstance(opened.runner, HoldsAnswers):
        return None if given is None else given.cost_usd(call.usage)
    return call.cost_usd


def _sum_of_costs(costs: Iterable[Decimal | None]) -> Decimal | None:
    known: list[Decimal] = []
    for cost in costs:
        if cost is None:
            return None
        known.append(cost)
    return sum(known, Decimal(0)) if known else None


def _speed(opened: OpenedModel, result: RunResult) -> Speed:
    if isinstance(opened.runner, HoldsAnswers):
        return Speed(output_tokens_per_s=None, median_ttft_s=None, median_e2e_latency_s=None)
    made_here = [call for call in result.calls if call.run_id == result.run.run_id]
    tokens = _sum(call.usage.output_tokens for call in made_here)
    return Speed(
        output_tokens_per_s=tokens / result.run.active_s if tokens and result.run.active_s > 0 else None,
        median_ttft_s=_median(call.latency.ttft_s for call in result.calls),
        median_e2e_latency_s=_median(call.latency.e2e_latency_s for call in result.calls),
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _warnings(opened: OpenedModel, result: RunResult) -> tuple[str, ...]:
    """Return what a reader of the scores has to know besides."""
    warnings: list[str] = []
    name, exam = opened.runner.model.name, result.exam
    for told in (exam.source.get("warnings"), opened.runner.model.facts.get("warnings")):
        if isinstance(told, Sequence):
            warnings += map(str, told)
    if isinstance(opened.runner, HoldsAnswers):
        asked = {item.item for item in exam.items}
        held = opened.runner.items_held
        if strangers := len(held - asked):
            warnings.append(f"{name}: {strangers} recorded items are not in this exam and were left out.")
        if without := len(asked - held):
            warnings.append(f"{name}: {without} items of {exam.benchmark} have no recorded answer.")
    reported = Counter(call.model for call in result.calls if call.model)
    if len(reported) > 1:
        counts = ", ".join(f"{model} ({count})" for model, count in reported.most_common())
        warnings.append(f"{name}: the provider answered as several models, so that this is a mixed run: {counts}.")
    if result.failures:
        warnings.append(f"{name}: {len(result.failures)} attempts have failed; one of them: {result.failures[0]}")
    return tuple(warnings)


def _named_apart(results: list[ExamResult]) -> tuple[ExamResult, ...]:
    """Give models of the same name their references instead."""
    references: dict[str, set[str]] = {}
    for result in results:
        references.setdefault(result.model, set()).add(result.resolved.reference)
    return tuple(
        replace(result, model=result.resolved.reference) if len(references[result.model]) > 1 else result
        for result in results
    )


def _doubts(results: list[ExamResult]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(warning for result in results for warning in result.warnings))
