"""How many further items would settle an open comparison."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from fieldguide.comparison._paired_test import PairedTest
from fieldguide.comparison._pairing import Pairing
from fieldguide.comparison._special import normal_cdf, normal_quantile

_POWER = 0.8
_MOST_ITEMS = 10_000_000


@dataclass(frozen=True, slots=True)
class MoreItems:
    """Further items for 80 % power, or why there is no number."""

    count: int | None
    reason: str | None


def items_needed(
    pairing: Pairing, alphas: tuple[float, float], margin: float | None, available_items: int | None
) -> MoreItems:
    """Return the further items with which a run like this one would be decided in 80 % of cases.

    Taken as the truth is what was seen: the mean and the mean square of the item differences. Decided means that
    the same test rejects "no difference" at the level of the next look or, where a margin is given, that the interval
    lies inside it, whichever takes fewer items. Rounded up to two digits, but never beyond what the benchmark still
    has: all of it makes that look the last one, which has a level of its own.

    Args:
        pairing: The comparison so far.
        alphas: Chance of error of this one comparison at the next look, after adjustment (fraction): if yet another
            look may follow it, and if it is the last.
        margin: Margin of equivalence (fraction), or None.
        available_items: Items that the benchmark has in all, or None where it has no end.
    """
    if not pairing.pairs:
        return MoreItems(None, "no item was scored for both")
    left = None if available_items is None else max(0, available_items - pairing.pairs - pairing.unpaired)
    further = _further(pairing, alphas[0], margin)
    if left is not None and alphas[1] > alphas[0] and (further is None or further > left):
        at_the_end = _further(pairing, alphas[1], margin)
        further = at_the_end if at_the_end is None or at_the_end > left else left
    if further is None:
        return MoreItems(None, _no_number(pairing.test, margin))
    if left is not None and further > left:
        rest = f"only {left} more" if left else "no more"
        return MoreItems(
            None,
            f"about {rounded_up(further)} more items would be needed and the benchmark has {rest}; "
            "more attempts per item may help",
        )
    rounded = rounded_up(further)
    return MoreItems(rounded if left is None else min(rounded, left), None)


def _further(pairing: Pairing, alpha: float, margin: float | None) -> int | None:
    total = items_in_all(pairing.test, alpha, margin)
    return None if total is None else max(total - pairing.pairs, 1)


def _no_number(test: PairedTest, margin: float | None) -> str:
    if test.estimate == 0 and margin is None:
        return "no difference seen; ask for equivalence with --margin"
    return f"more than {_MOST_ITEMS:,} items would be needed for a difference as small as the one seen"


def items_in_all(test: PairedTest, alpha: float, margin: float | None) -> int | None:
    """Return the items of a whole run that is decided with 80 % power, or None beyond ten million."""
    needs = []
    if test.estimate != 0:
        needs.append(_fewest(lambda items: power_of_difference(test, items, alpha), test.items))
    if margin is not None and abs(test.estimate) < margin:
        needs.append(_fewest(lambda items: power_of_equivalence(test, items, alpha, margin), test.items))
    return min((need for need in needs if need is not None), default=None)


def power_of_difference(test: PairedTest, items: int, alpha: float) -> float:
    """Return about how often a run of `items` rejects "no difference" if what was seen is the truth.

    Args:
        test: The comparison so far.
        items: Items of the imagined run (count).
        alpha: Two-sided chance of error (fraction).
    """
    return _power(test if test.estimate > 0 else test.mirrored, items, alpha, 0.0)


def power_of_equivalence(test: PairedTest, items: int, alpha: float, margin: float) -> float:
    """Return about how often the interval of a run of `items` lies inside (-margin, margin) if what was seen is true.

    Args:
        test: The comparison so far.
        items: Items of the imagined run (count).
        alpha: Two-sided chance of error of the interval (fraction).
        margin: Margin of equivalence (fraction).
    """
    return max(0.0, _power(test, items, alpha, -margin) + _power(test.mirrored, items, alpha, -margin) - 1)


def _power(test: PairedTest, items: int, alpha: float, difference: float) -> float:
    """Return about how often the lower end of the interval of a run of `items` lies above `difference`.

    The same test is applied to the same data, items / n times over: that is the middle of the imagined runs. Around
    it their test statistics, on the normal scale, scatter by the standard deviation of the item differences over
    the one that the test reckons with. Against exact enumeration of McNemar's test, and simulation with several
    attempts, runs of the length found so have a power of 0.76 to 0.90 (tests/reference/test_comparison_coverage.py).
    """
    times = items / test.items
    middle = normal_quantile(test.at_most(difference, times=times))
    unseen = (test.unseen_size(times) + difference * test.mean_size) ** 2 / items
    scatter = math.sqrt(test.spread(test.estimate) / (test.spread(difference) + unseen))
    excess = normal_quantile(alpha / 2) - middle
    return normal_cdf(excess / scatter) if scatter else float(excess > 0)


def _fewest(power: Callable[[int], float], start: int) -> int | None:
    """Return the smallest count with enough power, to 0.2 %, by doubling and halving; None beyond ten million."""
    low, high = 0, start
    while power(high) < _POWER:
        if high > _MOST_ITEMS:
            return None
        low, high = high, 2 * high
    while high - low > max(1, high // 500):
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= _POWER else (middle, high)
    return high if high <= _MOST_ITEMS else None


def rounded_up(count: int) -> int:
    """Return `count` rounded up to two digits: 7, 43, 190, 1,300."""
    unit = int(10 ** max(0, len(str(count)) - 2))
    return -(-count // unit) * unit
