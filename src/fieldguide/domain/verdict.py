"""What a set of scores says about one model, and about two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fieldguide.domain.score import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """One model on one exam. Fractions in [0, 1]; None where there is nothing to compute from."""

    items: int
    """Items of the exam that have at least one attempt."""
    attempts: int
    """Answers given (all outcomes)."""
    scored: int
    """Attempts without the `failed`."""
    correct: int
    accuracy: float | None
    """correct / scored; with several attempts per item, the mean over all scored attempts."""
    ci_low: float | None
    """Lower end of the 95 % interval of the accuracy."""
    ci_high: float | None
    bound_low: float | None
    """Accuracy over all attempts if every doubtful attempt were wrong."""
    bound_high: float | None
    """Accuracy over all attempts if every doubtful attempt were right."""
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    """Attempts per outcome, all six present."""


class VerdictKind(StrEnum):
    """The four ways a comparison can end."""

    A_BETTER = "a_better"
    B_BETTER = "b_better"
    EQUIVALENT = "equivalent"
    CANNOT_TELL = "cannot_tell"


class Measure(StrEnum):
    """What a comparison is about."""

    ACCURACY = "accuracy"
    WORD_ERROR_RATE = "word_error_rate"
    """Errors for each word of what was said; a character, where the language does not part words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRate:
    """Errors of one model over all parts of all right answers, such as the word error rate."""

    items: int
    """Items with an attempt that was judged."""
    errors: int
    parts: int
    """Words of all right answers, each counted once for every attempt at it."""
    rate: float
    """errors / parts; may exceed 1."""
    ci_low: float
    """Lower end of the 95 % interval: items are drawn anew."""
    ci_high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Which judgement of a comparison that may grow this is. The chance of error is shared among all of them."""

    number: int = 1
    """In the order in which verdicts were shown, from 1."""
    last: bool = True
    """No later look is possible: every item that can be had is in, or nobody means to look again."""
    provisional: bool = False
    """No look that counts: a run is not finished, or everything was judged before and nothing is left to spend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Two models on one exam, paired item by item.

    Differences are accuracy of a minus accuracy of b, as fractions; of an error rate, rate of b minus rate of a, so
    that a positive one is for a always.
    """

    benchmark: str
    a: str
    b: str
    verdict: VerdictKind
    difference: float | None
    """None where no item was scored for both."""
    ci_low: float | None
    """Ends of the interval at `confidence_level`, which is adjusted for everything asked in one call."""
    ci_high: float | None
    p_value: float | None
    """Of the two-sided test of no difference, before adjustment."""
    p_adjusted: float | None
    """After the adjustment for looks and Holm's over everything asked in one call; the verdict uses this one."""
    a_only: int
    """Pairs that a has right and b has not (one attempt each), or items on which a's mean is higher."""
    b_only: int
    pairs: int
    """Items scored for both."""
    unpaired: int
    """Items left out because a side failed or is missing; they widen the bounds."""
    bound_low: float | None
    """Least difference over all items if every doubtful attempt had gone against a and for b."""
    bound_high: float | None
    more_items_needed: int | None
    """Further items for 80 % power at what was seen, at the level of the next look; None where not applicable or not
    to be had."""
    more_items_reason: str | None
    """Why `more_items_needed` is None although the verdict is open, or what limits it."""
    confidence_level: float
    """Level of the printed interval, such as 0.95; higher where several questions were asked or looks are possible."""
    margin: float | None
    """Margin of equivalence asked for (fraction), None where none was."""
    method: str
    """Name of the test and of the interval."""
    measure: Measure = Measure.ACCURACY
    look: Look = field(default_factory=Look)
    look_level: float = 0.05
    """Chance of error spent at this look, for everything asked in the call together (fraction)."""
