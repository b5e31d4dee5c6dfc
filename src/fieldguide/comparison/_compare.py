"""All pairs of models on all benchmarks: test, adjust, decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from fieldguide.comparison._holm import holm_adjusted, interval_divisors
from fieldguide.comparison._more_items import MoreItems, items_needed
from fieldguide.comparison._pairing import Pairing, pair_items
from fieldguide.domain import ItemScore, Verdict, VerdictKind
from fieldguide.errors import UsageError

_ONE_ATTEMPT = "exact McNemar test; interval: the same test inverted, with Dirichlet weights"
_SEVERAL_ATTEMPTS = "test of paired item means with Dirichlet weights; interval: the same test inverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelScores:
    """One model's scores on one benchmark."""

    name: str
    scores: tuple[ItemScore, ...]
    """All attempts, in any order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamScores:
    """Several models on one benchmark, asked the same items."""

    benchmark: str
    available_items: int | None
    """Items that the whole benchmark could give; None where it has no end."""
    models: tuple[ModelScores, ...]
    """In the order in which they were asked for; the earlier of a pair is its `a`."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One pair of models on one benchmark, before adjustment."""

    exam: ExamScores
    a: str
    b: str
    pairing: Pairing


def compare_models(
    exams: Sequence[ExamScores], *, margin: float | None = None, level: float = 0.95, looks: int = 1
) -> tuple[Verdict, ...]:
    """Return a verdict for every pair of models on every benchmark.

    Every pair is tested item by item (`PairedTest`); all p-values of one call are adjusted together by Holm's
    method, and the verdict follows the adjusted one. Every printed interval is drawn at a level that belongs to the
    same adjustment: `p_adjusted < 1 - level` exactly where the interval excludes 0 (`interval_divisors`).

    `a_better` and `b_better` follow the side of 0 on which the interval lies. `equivalent` needs a margin and is given
    where the whole interval lies inside (-margin, margin), even if it excludes 0: whoever names a margin says that
    smaller differences do not matter. The interval and the p-value still show that one of them is ahead.

    Args:
        exams: Benchmarks with their models, in the order in which verdicts are wanted.
        margin: Largest difference that does not matter (fraction in (0, 1)); None never gives `equivalent`.
        level: Level for everything asked in this call together (fraction in (0, 1)).
        looks: How many times in all the same comparison will have been judged when the run is at an end (count).
            A run that is looked at, extended by `more_items_needed`, and looked at again has two: each look is then
            given half of the chance of error, so that both together keep `1 - level`.

    Raises:
        UsageError: Level or margin is outside its range, or looks is below 1.
    """
    _check(margin, level, looks)
    alpha = round(1 - level, 12)
    questions = list(_questions(exams))
    p_values = [question.pairing.test.p_value for question in questions if question.pairing.pairs]
    adjustments = iter(zip(holm_adjusted(p_values, looks=looks), interval_divisors(p_values, alpha, looks=looks)))
    untested = (None, max(1, len(p_values)) * looks)
    verdicts = []
    for question in questions:
        adjusted, divisor = next(adjustments) if question.pairing.pairs else untested
        verdicts.append(_verdict(question, adjusted, divisor, alpha, margin))
    return tuple(verdicts)


def _check(margin: float | None, level: float, looks: int) -> None:
    if not 0 < level < 1:
        raise UsageError(f"The level {level} is not between 0 and 1.", hint="Give a fraction such as 0.95.")
    if margin is not None and not 0 < margin < 1:
        raise UsageError(
            f"The margin {margin} is not between 0 and 1.", hint="Give a fraction: 0.02 is two percentage points."
        )
    if looks < 1:
        raise UsageError(f"A comparison cannot be judged {looks} times.", hint="Give 1 or more looks.")


def _questions(exams: Sequence[ExamScores]) -> Iterator[_Question]:
    for exam in exams:
        for a, b in combinations(exam.models, 2):
            yield _Question(exam, a.name, b.name, pair_items(a.scores, b.scores))


def _verdict(question: _Question, adjusted: float | None, divisor: int, alpha: float, margin: float | None) -> Verdict:
    pairing, test = question.pairing, question.pairing.test
    low = high = None
    kind = VerdictKind.CANNOT_TELL
    if adjusted is not None:
        low, high = test.interval(alpha, divisor)
        kind = _decide(low, high, margin)
    more = MoreItems(None, None)
    if kind is VerdictKind.CANNOT_TELL:
        more = items_needed(pairing, alpha / divisor, margin, question.exam.available_items)
    return Verdict(
        benchmark=question.exam.benchmark,
        a=question.a,
        b=question.b,
        verdict=kind,
        difference=test.estimate if pairing.pairs else None,
        ci_low=low,
        ci_high=high,
        p_value=test.p_value if pairing.pairs else None,
        p_adjusted=adjusted,
        a_only=test.positive,
        b_only=test.negative,
        pairs=pairing.pairs,
        unpaired=pairing.unpaired,
        bound_low=pairing.bound_low,
        bound_high=pairing.bound_high,
        more_items_needed=more.count,
        more_items_reason=more.reason,
        confidence_level=1 - alpha / divisor,
        margin=margin,
        method=_SEVERAL_ATTEMPTS if pairing.several_attempts else _ONE_ATTEMPT,
    )


def _decide(low: float, high: float, margin: float | None) -> VerdictKind:
    if margin is not None and -margin < low and high < margin:
        return VerdictKind.EQUIVALENT
    if low > 0:
        return VerdictKind.A_BETTER
    return VerdictKind.B_BETTER if high < 0 else VerdictKind.CANNOT_TELL
