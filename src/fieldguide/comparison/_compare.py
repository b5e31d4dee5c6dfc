"""All pairs of models on all benchmarks: test, adjust, decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from fieldguide.comparison._holm import holm_adjusted, interval_divisors
from fieldguide.comparison._looks import level_of, next_levels
from fieldguide.comparison._more_items import MoreItems, items_needed
from fieldguide.comparison._pairing import Pairing, pair_items
from fieldguide.domain import ItemScore, Look, Measure, Verdict, VerdictKind
from fieldguide.errors import UsageError

_ONE_ATTEMPT = "exact McNemar test; interval: the same test inverted, with Dirichlet weights"
_SEVERAL_ATTEMPTS = "test of paired item means with Dirichlet weights; interval: the same test inverted"
_ERRORS = "paired bootstrap over items with Dirichlet weights, of the difference of error rates; interval: the same"


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
    looks: Mapping[tuple[str, str], Look] = field(default_factory=dict)
    """Which look at each pair (a, b) this is; a pair without one is judged once and never again."""


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """One pair of models on one benchmark, before adjustment."""

    exam: ExamScores
    a: str
    b: str
    pairing: Pairing
    look: Look
    alpha: float
    """Chance of error of everything asked in one call, over all looks (fraction)."""

    @property
    def level(self) -> float:
        """Part of `alpha` that this look may spend (fraction)."""
        return level_of(self.look, self.alpha)


def compare_models(
    exams: Sequence[ExamScores], *, margin: float | None = None, level: float = 0.95
) -> tuple[Verdict, ...]:
    """Return a verdict for every pair of models on every benchmark.

    Every pair is tested item by item (`PairedTest`); every p-value is adjusted for the looks that its comparison may
    have (`level_of`), all p-values of one call together by Holm's method, and the verdict follows the adjusted one.
    Every printed interval is drawn at a level that belongs to the same adjustment: `p_adjusted < 1 - level` exactly
    where the interval excludes 0 (`interval_divisors`).

    `a_better` and `b_better` follow the side of 0 on which the interval lies. `equivalent` needs a margin and is given
    where the whole interval lies inside (-margin, margin), even if it excludes 0: whoever names a margin says that
    smaller differences do not matter. The interval and the p-value still show that one of them is ahead.

    Args:
        exams: Benchmarks with their models, in the order in which verdicts are wanted. A run that is looked at,
            extended by `more_items_needed` and looked at again says so in `looks`, at the first look already.
        margin: Largest difference that does not matter (fraction in (0, 1)); None never gives `equivalent`.
        level: Level for everything asked in this call together, over all looks (fraction in (0, 1)).

    Raises:
        UsageError: Level or margin is outside its range, or the number of a look is below 1.
    """
    _check(exams, margin, level)
    questions = list(_questions(exams, round(1 - level, 12)))
    adjustments = _adjustments([question for question in questions if question.pairing.pairs])
    return tuple(_verdict(question, adjustments.get(question), len(adjustments), margin) for question in questions)


def _check(exams: Sequence[ExamScores], margin: float | None, level: float) -> None:
    if not 0 < level < 1:
        raise UsageError(f"The level {level} is not between 0 and 1.", hint="Give a fraction such as 0.95.")
    if margin is not None and not 0 < margin < 1:
        raise UsageError(
            f"The margin {margin} is not between 0 and 1.", hint="Give a fraction: 0.02 is two percentage points."
        )
    for number in (look.number for exam in exams for look in exam.looks.values()):
        if number < 1:
            raise UsageError(f"A comparison has no look number {number}.", hint="Looks are counted from 1.")


def _questions(exams: Sequence[ExamScores], alpha: float) -> Iterator[_Question]:
    for exam in exams:
        for a, b in combinations(exam.models, 2):
            look = exam.looks.get((a.name, b.name), Look())
            yield _Question(exam, a.name, b.name, pair_items(a.scores, b.scores), look, alpha)


def _adjustments(questions: Sequence[_Question]) -> dict[_Question, tuple[float, float]]:
    """Return the adjusted p-value of each question, and the divisor of alpha at which its interval is drawn."""
    p_values = [question.pairing.test.p_value for question in questions]
    factors = [question.alpha / question.level for question in questions]
    alpha = questions[0].alpha if questions else 0.0
    adjusted = holm_adjusted(p_values, factors)
    return dict(zip(questions, zip(adjusted, interval_divisors(p_values, alpha, factors))))


def _verdict(question: _Question, adjustment: tuple[float, float] | None, tested: int, margin: float | None) -> Verdict:
    pairing, test, alpha = question.pairing, question.pairing.test, question.alpha
    adjusted, divisor = adjustment or (None, max(1, tested) * alpha / question.level)
    low = high = None
    kind = VerdictKind.CANNOT_TELL
    if adjusted is not None:
        low, high = test.interval(alpha, divisor)
        kind = _decide(low, high, margin)
    more = MoreItems(None, None)
    if kind is VerdictKind.CANNOT_TELL:
        another, closing = (each / max(1, tested) for each in next_levels(question.look, alpha))
        more = items_needed(pairing, (another, closing), margin, question.exam.available_items)
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
        method=_method(pairing),
        measure=pairing.measure,
        look=question.look,
        look_level=question.level,
    )


def _method(pairing: Pairing) -> str:
    if pairing.measure is Measure.WORD_ERROR_RATE:
        return _ERRORS
    return _SEVERAL_ATTEMPTS if pairing.several_attempts else _ONE_ATTEMPT


def _decide(low: float, high: float, margin: float | None) -> VerdictKind:
    if margin is not None and -margin < low and high < margin:
        return VerdictKind.EQUIVALENT
    if low > 0:
        return VerdictKind.A_BETTER
    return VerdictKind.B_BETTER if high < 0 else VerdictKind.CANNOT_TELL
