"""Two models' scores joined item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.comparison._paired_test import PairedTest
from fieldguide.comparison._tally import ItemTally, tally_items
from fieldguide.domain import ItemScore, Measure


@dataclass(frozen=True, slots=True)
class Pairing:
    """What two models did on the same items."""

    test: PairedTest
    """The differences of the items scored for both."""
    unpaired: int
    """Items that failed or are missing on a side."""
    bound_low: float | None
    """Least mean difference over all items (fraction), doubtful attempts against a and for b; None without items."""
    bound_high: float | None
    several_attempts: bool
    """Whether any item was scored more than once on a side."""
    measure: Measure = Measure.ACCURACY

    @property
    def pairs(self) -> int:
        """Items scored for both."""
        return self.test.items


def items_compared(a: Sequence[ItemScore], b: Sequence[ItemScore]) -> int:
    """Return how many items were scored for both: the size of a comparison."""
    return pair_items(a, b).pairs


def pair_items(a: Sequence[ItemScore], b: Sequence[ItemScore]) -> Pairing:
    """Return the scores of two models joined by item id.

    Each item's mean is taken over its scored attempts; an item without one on either side leaves the test. The
    bounds are over all items of either side: there every doubtful attempt is taken as wrong or as right, and an item
    that a side never answered as anything from 0 to 1.

    Args:
        a: All attempts of the first model, in any order.
        b: All attempts of the second.
    """
    left, right = tally_items(a), tally_items(b)
    both = [(left.get(item, ItemTally()), right.get(item, ItemTally())) for item in {**left, **right}]
    if any(tally.counted for pair in both for tally in pair):
        return _pair_errors(both)
    means = [(one.mean, other.mean) for one, other in both]
    differences = [mine - theirs for mine, theirs in means if mine is not None and theirs is not None]
    count = len(both)
    return Pairing(
        test=PairedTest.of(differences),
        unpaired=count - len(differences),
        bound_low=float(sum(one.lowest - other.highest for one, other in both) / count) if count else None,
        bound_high=float(sum(one.highest - other.lowest for one, other in both) / count) if count else None,
        several_attempts=any(max(one.scored, other.scored) > 1 for one, other in both),
    )


def _pair_errors(both: Sequence[tuple[ItemTally, ItemTally]]) -> Pairing:
    """Return the pairing of answers whose errors are counted: b's errors minus a's, of so many parts.

    There are no bounds: what a transcript that never came would have said has no worst case.
    """
    differences, sizes = [], []
    for one, other in both:
        if one.mean_errors is not None and other.mean_errors is not None and one.parts is not None:
            differences.append(other.mean_errors - one.mean_errors)
            sizes.append(one.parts)
    return Pairing(
        test=PairedTest.of(differences, sizes),
        unpaired=len(both) - len(differences),
        bound_low=None,
        bound_high=None,
        several_attempts=any(max(one.counted, other.counted) > 1 for one, other in both),
        measure=Measure.WORD_ERROR_RATE,
    )
