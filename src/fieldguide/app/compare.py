"""Compare models on benchmarks and settle which one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, count

from fieldguide.app.evaluate import EvaluateRequest, Evaluation, ExamResult, Limited, evaluate
from fieldguide.app.wiring import House
from fieldguide.comparison import (
    ExamScores,
    ModelScores,
    compare_models,
    is_look,
    items_compared,
    verdict_sentence,
)
from fieldguide.domain import JsonValue, Look, Verdict, content_sha256
from fieldguide.errors import UsageError
from fieldguide.evaluation import Listener, Stop
from fieldguide.store import Run, RunState, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was measured and what it settles."""

    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]
    """One per benchmark and pair of models; empty where the evaluation ended early without a pair."""
    sentences: tuple[str, ...]
    """The verdicts in words, in the same order."""


async def compare(
    house: House,
    request: EvaluateRequest,
    *,
    margin: float | None,
    stop: Stop,
    listener: Listener | None = None,
    limited: Limited = lambda reference, opened: opened,
) -> Comparison:
    """Measure every model, pair them item by item, and return the verdicts.

    The records remember at how many items each comparison was judged: extending a run and judging again is another
    look, and all looks at a comparison share the chance of a false verdict.

    Args:
        house: The user's records and models.
        request: What to measure; at least two models.
        margin: Difference in accuracy (fraction) within which models count as equivalent; None asks for none.
        stop: Asks the runs to stop early.
        listener: Told of progress.
        limited: Puts the limits of a key around each model; see `evaluate`.

    Raises:
        UsageError: Fewer than two models, or the same one twice.
        FieldguideError: As for `evaluate`.
    """
    if len(request.models) < 2:
        raise UsageError("A comparison takes at least two models.", hint="For one model use `fieldguide evaluate`.")
    if len(set(request.models)) < len(request.models):
        raise UsageError("The same model is named twice.", hint="Name each model once.")
    if margin is not None and not 0 < margin < 1:
        raise UsageError(
            f"--margin takes a fraction between 0 and 1, not {margin}.", hint="5 points are `--margin 0.05`."
        )
    evaluation = await evaluate(house, request, stop=stop, listener=listener, limited=limited)
    pairs = _pairs(house.store, evaluation.results)
    found = compare_models(_exam_scores(evaluation.results, pairs), margin=margin)
    for pair in pairs:
        pair.keep(house.store)
    return Comparison(
        evaluation=evaluation, verdicts=found, sentences=tuple(verdict_sentence(verdict) for verdict in found)
    )


LAST = 0
"""Stands where a look's number stands: at how many items everything was in and the whole chance of error spent."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two models on one exam, and which look at them this is."""

    a: ExamResult
    b: ExamResult
    items: int
    """Items scored for both."""
    look: Look

    @property
    def exam_id(self) -> str:
        """The exam that both have taken."""
        return self.a.run.exam.exam_id

    def keep(self, store: Store) -> None:
        """Remember the look, if it is one, and that everything is spent, if it is the last."""
        if not is_look(self.items) or self.look.provisional:
            return
        store.keep_look(_subject(self.a, self.b, self.look.number), self.items)
        if self.look.last:
            store.keep_look(_subject(self.a, self.b, LAST), self.items)


def _pairs(store: Store, results: tuple[ExamResult, ...]) -> list[_Pair]:
    return [_pair(store, a, b) for group in _by_exam(results) for a, b in combinations(group, 2)]


def _pair(store: Store, a: ExamResult, b: ExamResult) -> _Pair:
    items = items_compared(a.run.scores, b.run.scores)
    unfinished = any(result.run.run.state is not RunState.FINISHED for result in (a, b))
    whole = store.looks(_subject(a, b, LAST))
    look = Look(
        number=look_number(store, _exam_facts(a), (a.run.run, b.run.run), items),
        last=_all_in(a) or _all_in(b),
        provisional=unfinished or bool(whole and items not in whole),
    )
    return _Pair(a, b, items, look)


def look_number(store: Store, exam: Sequence[JsonValue], runs: Sequence[Run], items: int) -> int:
    """Return the number of the look that was had at so many items, or else that of the next one.

    Numbers follow the order in which verdicts were shown, not the number of items: fewer items than at an earlier look
    are one more chance to be wrong, like more.
    """
    kept = ((number, store.looks(look_subject(exam, runs, number))) for number in count(1))
    return next(number for number, seen in kept if not seen or items in seen)


def look_subject(exam: Sequence[JsonValue], runs: Sequence[Run], number: int) -> str:
    """Return under which name a look is kept: what stays the same when a comparison grows, and the look's number.

    Args:
        exam: Benchmark, protocol, seed and number of items that there are.
        runs: Of both models.
        number: The look's; `LAST` where everything was in and the whole chance of error spent.
    """
    models: list[list[JsonValue]] = sorted([run.model_key, run.attempts, run.generation] for run in runs)
    facts: list[JsonValue] = [*exam, *models]
    return content_sha256([*facts, number])


def _subject(a: ExamResult, b: ExamResult, number: int) -> str:
    return look_subject(_exam_facts(a), (a.run.run, b.run.run), number)


def _exam_facts(result: ExamResult) -> list[JsonValue]:
    exam = result.run.exam
    return [exam.benchmark, exam.protocol, exam.seed, exam.available_items]


def _all_in(result: ExamResult) -> bool:
    """Whether there is no further item that this model's comparison could be extended by.

    What has failed may be asked again, and is therefore not in.
    """
    exam, identity = result.run.exam, result.resolved.identity
    if exam.available_items is not None and len(exam.items) >= exam.available_items and not result.run.failures:
        return True
    return identity.get("provider") == "recorded" and result.resolved.facts.get("answers") == len(result.run.calls)


def _exam_scores(results: tuple[ExamResult, ...], pairs: list[_Pair]) -> list[ExamScores]:
    return [
        ExamScores(
            benchmark=group[0].run.exam.benchmark,
            available_items=group[0].run.exam.available_items,
            models=tuple(ModelScores(name=result.model, scores=result.run.scores) for result in group),
            looks={
                (pair.a.model, pair.b.model): pair.look for pair in pairs if pair.exam_id == group[0].run.exam.exam_id
            },
        )
        for group in _by_exam(results)
    ]


def _by_exam(results: tuple[ExamResult, ...]) -> list[list[ExamResult]]:
    """Return the results on each exam that several models have taken."""
    by_exam: dict[str, list[ExamResult]] = {}
    for result in results:
        by_exam.setdefault(result.run.exam.exam_id, []).append(result)
    return [group for group in by_exam.values() if len(group) > 1]
