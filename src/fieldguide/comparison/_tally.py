"""Scores counted item by item: the one place that knows what each outcome means for an accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from fieldguide.domain import ItemScore, Outcome


@dataclass(slots=True)
class ItemTally:
    """Attempts of one model at one item."""

    attempts: int = 0
    """Answers given, all outcomes."""
    failed: int = 0
    correct: int = 0
    doubtful: int = 0
    """Truncated, unparsed, refused or failed."""
    counted: int = 0
    """Attempts whose errors were counted in parts."""
    errors: int = 0
    """Errors of all these attempts."""
    parts: int | None = None
    """Parts of the right answer; None where errors were not counted."""

    @property
    def scored(self) -> int:
        """Attempts without the failed."""
        return self.attempts - self.failed

    @property
    def mean(self) -> Fraction | None:
        """Correct / scored; None where no attempt was scored."""
        return Fraction(self.correct, self.scored) if self.scored else None

    @property
    def mean_errors(self) -> Fraction | None:
        """Errors of one attempt on average; None where none were counted."""
        return Fraction(self.errors, self.counted) if self.counted else None

    @property
    def lowest(self) -> Fraction:
        """Mean over all attempts if every doubtful one were wrong; 0 where there is no attempt."""
        return Fraction(self.correct, self.attempts) if self.attempts else Fraction(0)

    @property
    def highest(self) -> Fraction:
        """Mean over all attempts if every doubtful one were right; 1 where there is no attempt."""
        return Fraction(self.correct + self.doubtful, self.attempts) if self.attempts else Fraction(1)


def tally_items(scores: Iterable[ItemScore]) -> dict[str, ItemTally]:
    """Return the attempts of each item, items in order of first appearance."""
    tallies: dict[str, ItemTally] = {}
    for score in scores:
        tally = tallies.setdefault(score.item, ItemTally())
        outcome = score.score.outcome
        tally.attempts += 1
        tally.failed += outcome is Outcome.FAILED
        tally.correct += outcome is Outcome.CORRECT
        tally.doubtful += outcome.doubtful
        if (counted := score.score.counted) is not None:
            tally.counted += 1
            tally.errors += counted.errors
            tally.parts = counted.parts
    return tallies
