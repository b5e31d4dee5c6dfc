"""Holm's adjustment, and the levels of the intervals that agree with it."""

from __future__ import annotations

from collections.abc import Sequence


def holm_adjusted(p_values: Sequence[float], *, looks: int = 1) -> tuple[float, ...]:
    """Return Holm's adjusted p-values, in the order given.

    The i-th smallest of k is multiplied by k - i + 1, and no adjusted value may be smaller than an earlier one.
    Rejecting what is below alpha keeps the chance of any false rejection at most alpha, however they depend.

    Args:
        p_values: Unadjusted p-values (fractions in [0, 1]).
        looks: How many times the family is judged in all (count); every p-value is multiplied by it (Bonferroni).

    References:
        Holm 1979, Scandinavian Journal of Statistics 6, 65-70.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(_smallest_first(p_values)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * looks * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def interval_divisors(p_values: Sequence[float], alpha: float, *, looks: int = 1) -> tuple[int, ...]:
    """Return for each p-value the divisor of alpha at which its interval is drawn, so that the two always agree.

    Intervals at 1 - alpha / k for each of k comparisons have simultaneous coverage 1 - alpha (Bonferroni). Holm
    rejects at least what these intervals reject; where it rejects more, that interval is drawn at Holm's own divisor.

    Claim: p_adjusted < alpha exactly where the interval at the divisor d excludes 0, that is where d p < alpha.
    Write p_1 <= ... <= p_k, m_i = (k - i + 1) looks, and r for the number of adjusted p-values below alpha; the
    adjusted values rise with i, so these are the first r.
    - i <= r: m_i p_i <= p_adjusted_i < alpha. Either m_1 p_i < alpha and d = m_1, or d = m_i; both give d p_i < alpha.
    - i > r: d = m_1. As the adjusted values reached alpha first at r + 1, m_(r+1) p_(r+1) >= alpha, and so
      m_1 p_i >= m_(r+1) p_(r+1) >= alpha.
    Every step compares rounded products that rise with their factors, so it holds in floating point too.

    Args:
        p_values: Unadjusted p-values (fractions in [0, 1]).
        alpha: Chance of error of the whole family over all looks (fraction).
        looks: How many times the family is judged in all (count).
    """
    count = len(p_values)
    adjusted = holm_adjusted(p_values, looks=looks)
    divisors = [count * looks] * count
    for rank, index in enumerate(_smallest_first(p_values)):
        if adjusted[index] < alpha <= count * looks * p_values[index]:
            divisors[index] = (count - rank) * looks
    return tuple(divisors)


def _smallest_first(p_values: Sequence[float]) -> list[int]:
    return sorted(range(len(p_values)), key=p_values.__getitem__)
