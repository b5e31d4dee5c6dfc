"""What can be told of a run while it goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from fieldguide.domain import Outcome
from fieldguide.evaluation._forecast import Forecast


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A snapshot of one run."""

    model: str
    benchmark: str
    total: int
    """Attempts that the run consists of."""
    answered: int
    """Attempts with a committed answer, reused ones included."""
    reused: int
    """Answers that were there before this run began."""
    failed: int
    judged: int
    """Answers that the scorer is done with."""
    scored: int
    """Answers that could be judged."""
    correct: int
    output_tokens: int
    """Tokens generated since the run began; reused and recorded answers are not counted."""
    elapsed_s: float
    spent_usd: Decimal
    priced: bool = True
    """Whether the price is known; otherwise what was spent is not, and `spent_usd` stays 0."""
    waiting: str | None = None
    """Why nothing moves, where it does not: a rate limit, a model that loads."""
    forecast: Forecast | None = None
    """What this call will have taken in the end; None before there are answers enough."""
    budget_usd: Decimal | None = None
    """What may be spent in all."""
    items: int | None = None
    """Items that the run asks about: several attempts at one are no independent answers."""
    run_id: str | None = None
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    """How the judged answers ended; attempts that have failed for want of an answer are in `failed`."""
    place: int = 0
    """Which exam of the call this is, from 0: model by model, each with its benchmarks in the order asked."""

    @property
    def finished(self) -> bool:
        """Whether every attempt has ended and every answer is judged."""
        return self.answered + self.failed >= self.total and self.judged >= self.answered

    @property
    def accuracy(self) -> float | None:
        """Correct among the judged so far."""
        return self.correct / self.scored if self.scored else None

    @property
    def tokens_per_s(self) -> float | None:
        """Tokens generated per second of the run."""
        return self.output_tokens / self.elapsed_s if self.elapsed_s > 0 and self.output_tokens else None

    @property
    def left_s(self) -> float | None:
        """Seconds that the rest will take: as foreseen, or else at the pace so far; None before the first answer."""
        if self.forecast is not None and not self.finished:
            return max(self.forecast.seconds.likely - self.elapsed_s, 0.0)
        new = self.answered + self.failed - self.reused
        if new <= 0:
            return None
        return self.elapsed_s / new * (self.total - self.answered - self.failed)


Listener = Callable[[Progress], None]


class Tally:
    """Counts as the run goes and tells a listener, at most ten times a second."""

    def __init__(
        self,
        *,
        model: str,
        benchmark: str,
        run_id: str,
        items: int,
        total: int,
        reused: int,
        priced: bool,
        listener: Listener | None,
    ) -> None:
        """Begin the clock."""
        self._model, self._benchmark, self._run_id, self._listener = model, benchmark, run_id, listener
        self._items, self._priced = items, priced
        self.total, self.reused, self.answered = total, reused, reused
        self.failed = self.judged = self.scored = self.correct = self.output_tokens = 0
        self.outcomes = Counter[Outcome]()
        self.spent_usd = Decimal(0)
        self.budget_usd: Decimal | None = None
        self.waiting: str | None = None
        self.forecast: Forecast | None = None
        self.began_s = time.monotonic()
        self._told_s = 0.0

    def tell(self, *, at_once: bool = False) -> None:
        """Tell the listener, unless it was told a moment ago."""
        if self._listener is None:
            return
        moment = time.monotonic()
        if at_once or moment - self._told_s >= 0.1:
            self._told_s = moment
            self._listener(self.snapshot())

    def snapshot(self) -> Progress:
        """Return the state now."""
        return Progress(
            model=self._model,
            benchmark=self._benchmark,
            total=self.total,
            answered=self.answered,
            reused=self.reused,
            failed=self.failed,
            judged=self.judged,
            scored=self.scored,
            correct=self.correct,
            output_tokens=self.output_tokens,
            elapsed_s=time.monotonic() - self.began_s,
            spent_usd=self.spent_usd,
            priced=self._priced,
            waiting=self.waiting,
            forecast=self.forecast,
            budget_usd=self.budget_usd,
            items=self._items,
            run_id=self._run_id,
            outcomes=dict(self.outcomes),
        )
