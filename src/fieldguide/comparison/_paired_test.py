"""The test of a paired difference and the interval that is this test inverted.

One function of a supposed difference d does both. Give the n item differences D_i (a minus b) random weights,
uniform over all ways to share 1 among n + 1 parts (Dirichlet with all shapes 1); the extra part goes to one more,
unseen, item that speaks against the finding. With that item at -m,

    L = sum w_i D_i - w_0 m    and    P(L <= d) is the one-sided p-value of "the true difference is at most d",

and in mirror image for "at least d". The two-sided p-value is twice the smaller one, the interval is every d that is
not rejected. P(L <= d) rises with d, so the interval is one, its ends are quantiles of L, and it excludes 0 exactly
where the p-value at 0 is below alpha.

With one attempt per item D is -1, 0 or 1 and m is 1: at d = 0 the weights of the unequal pairs are compared, and
P(L <= 0) is the exact McNemar p-value, to the last digit. Elsewhere it is Gaffke's test of a bounded mean, which for
two-valued data is Clopper and Pearson's. With several attempts m is the typical size of a difference, weighted by
itself, in which the unseen item takes part with the size 1 that nothing rules out: (sum D^2 + 1) / (sum |D| + 1).

Where errors are counted in parts of the answer (words of an utterance), D is a difference of error counts, the item
has a size N, the words of its right answer, and d is a difference of rates. L is then the ratio
(sum w_i D_i - w_0 m) / sum w_i N_i, and P(L <= d) = P(sum w_i (D_i - d N_i) - w_0 (m + d mean N) <= 0), the same
probability again. The size 1 that nothing rules out is then the mean N: one of them has every word wrong. Without the
unseen item it is the bootstrap over utterances in its smooth form, for the ratio of sums that a word error rate is.
Evidence: docs/decisions/paired-verdict.md and word-error-rates.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from fieldguide.comparison._gamma_sum import probability_not_positive
from fieldguide.comparison._special import binomial_half_cdf, crossing


@dataclass(frozen=True)
class PairedTest:
    """Item differences of two models, ready to be tested.

    References:
        McNemar 1947, Psychometrika 12, 153-157: the test at 0.
        Gaffke 2005, Mathematical Methods of Statistics 14, 451-467: the one-sided test of a bounded mean.
        Learned-Miller and Thomas 2019, arXiv:1905.06208: the same bound, with simulations.
        Fay and Lumbard 2021, Statistics in Medicine 40, 1147-1159: intervals compatible with exact McNemar, the
        nearest relative (theirs takes a second, more cautious distribution for the share of unequal pairs).
        Rubin 1981, Annals of Statistics 9, 130-134: the bootstrap with Dirichlet weights.
        Bisani and Ney 2004, ICASSP: utterances drawn anew, for the difference of two word error rates.
    """

    differences: tuple[tuple[Fraction, int], ...]
    """Each item difference (a minus b; in [-1, 1] where items have no sizes) with the number of items that have it
    (> 0), rising."""
    sizes: tuple[int, ...] = ()
    """Parts of the right answer (> 0), in the same order; empty where every item counts as one."""

    @classmethod
    def of(cls, differences: Sequence[Fraction], sizes: Sequence[int] | None = None) -> PairedTest:
        """Return the test for item differences in any order; empty ones have no p-value and no interval."""
        if sizes is None:
            return cls(tuple(sorted(Counter(differences).items())))
        counted = sorted(Counter(zip(differences, sizes, strict=True)).items())
        return cls(tuple((value, count) for (value, _), count in counted), tuple(size for (_, size), _ in counted))

    @cached_property
    def items(self) -> int:
        """Return how many items were compared."""
        return sum(count for _, count in self.differences)

    @cached_property
    def estimate(self) -> float:
        """Return the difference: the mean item difference, or with sizes the sum of differences over that of sizes."""
        return float(sum(value * count for value, count in self.differences) / self.items) / self.mean_size

    @cached_property
    def mean_size(self) -> float:
        """Return the mean size of an item, which is that of the unseen one too."""
        return sum(size * count for _, size, count in self._entries) / self.items if self.sizes else 1.0

    def spread(self, difference: float) -> float:
        """Return the mean square of what the items say about a true difference of `difference`."""
        return sum((value - difference * size) ** 2 * count for value, size, count in self._entries) / self.items

    @cached_property
    def _entries(self) -> tuple[tuple[float, int, int], ...]:
        """Return difference, size and number of items."""
        sizes = self.sizes or (1,) * len(self.differences)
        return tuple((float(value), size, count) for (value, count), size in zip(self.differences, sizes, strict=True))

    @cached_property
    def second_moment(self) -> float:
        """Return the mean squared item difference; with one attempt each and no sizes, the share of unequal pairs."""
        return float(sum(value * value * count for value, count in self.differences) / self.items)

    def unseen_size(self, times: float = 1.0) -> float:
        """Return the difference m of the unseen item (in (0, 1] without sizes), for these items `times` times over."""
        size = sum(abs(value) * count for value, count in self.differences)
        return (self.second_moment * self.items * times + self.mean_size) / (float(size) * times + 1)

    @cached_property
    def positive(self) -> int:
        """Return on how many items a is ahead."""
        return sum(count for value, count in self.differences if value > 0)

    @cached_property
    def negative(self) -> int:
        """Return on how many items b is ahead."""
        return sum(count for value, count in self.differences if value < 0)

    @cached_property
    def p_value(self) -> float:
        """Return the two-sided p-value of no difference."""
        return self.p_value_at(0.0)

    def p_value_at(self, difference: float) -> float:
        """Return the two-sided p-value of the true difference being `difference` (fraction in [-1, 1])."""
        return min(1.0, 2 * min(self.at_most(difference), self.mirrored.at_most(-difference)))

    @cached_property
    def mirrored(self) -> PairedTest:
        """Return the same test with a and b exchanged."""
        turned = tuple((-value, count) for value, count in reversed(self.differences))
        return PairedTest(turned, tuple(reversed(self.sizes)))

    def interval(self, alpha: float, divisor: float = 1) -> tuple[float, float]:
        """Return the differences that are not rejected at level alpha / divisor.

        The interval excludes 0 exactly where `p_value * divisor < alpha`, also when rounding is counted: which side
        of 0 an end lies on is decided by that comparison before the end is sought.

        Args:
            alpha: Two-sided chance of error (fraction in (0, 1)).
            divisor: Into how many parts it is shared (> 0, need not be whole).
        """
        return self._lower(alpha, divisor), 0.0 - self.mirrored._lower(alpha, divisor)

    def at_most(self, difference: float, *, times: float = 1.0) -> float:
        """Return P(L <= difference), the one-sided p-value of a true difference of at most `difference`.

        Args:
            difference: The supposed difference (fraction; in [-1, 1] where items have no sizes).
            times: Take the same items so many times over (> 0, need not be whole), to see what a longer run that
                looks alike would give.
        """
        if difference == 0 and times == 1 and self._all_or_nothing:
            return binomial_half_cdf(self.negative, self.positive + self.negative)
        terms = [(value - difference * size, count * times) for value, size, count in self._entries]
        unseen = -self.unseen_size(times) - difference * self.mean_size
        return probability_not_positive([*terms, (unseen, 1.0)])

    @cached_property
    def _all_or_nothing(self) -> bool:
        """Return whether every difference is -1, 0 or 1 of an item that counts as one, as with one attempt each."""
        return not self.sizes and all(value.denominator == 1 for value, _ in self.differences)

    def _lower(self, alpha: float, divisor: float) -> float:
        """Return the lower end: the alpha / (2 divisor) quantile of L."""
        rates = [value / size for value, size, _ in self._entries]
        lowest = min(-self.unseen_size() / self.mean_size, *rates)
        highest = max(rates)
        if highest <= lowest:
            return lowest
        if lowest < 0 < highest:
            excludes_zero = 2 * self.at_most(0.0) * divisor < alpha
            lowest, highest = (0.0, highest) if excludes_zero else (lowest, 0.0)
        end = crossing(self.at_most, alpha / (2 * divisor), lowest, highest)
        return min(end, self.estimate) if self.estimate > lowest else end
