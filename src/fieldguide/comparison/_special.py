"""Special functions that the tests and intervals need, in the standard library alone.

Relative accuracy is 1e-10 or better over the ranges used here; `tests/unit/comparison/test_special.py` holds it
against scipy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

_TINY = 1e-300
_STANDARD_NORMAL = NormalDist()


def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile of `probability`, which is first moved into [1e-300, 1 - 1e-16]."""
    return _STANDARD_NORMAL.inv_cdf(min(max(probability, _TINY), 1 - 1.2e-16))


def normal_cdf(value: float) -> float:
    """Return the standard normal probability of being at most `value`."""
    return 0.5 * math.erfc(-value / math.sqrt(2))


def binomial_half_cdf(successes: int, trials: int) -> float:
    """Return P(X <= successes) for X ~ Binomial(trials, 1/2), from whole numbers, correctly rounded."""
    term, total = 1, 0
    for k in range(successes + 1):
        total += term
        term = term * (trials - k) // (k + 1)
    return total / (1 << trials)


def regularised_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), the Beta(a, b) probability of being at most x.

    The limits a -> 0 (all mass at 0) and b -> 0 (all mass at 1) are allowed, one at a time.

    Args:
        x: Where to evaluate; values outside [0, 1] give 0 and 1.
        a: First shape (>= 0).
        b: Second shape (>= 0).

    References:
        Press et al., Numerical Recipes, 3rd ed., section 6.4: continued fraction by the modified Lentz method.
    """
    if x <= 0:
        return 0.0
    if x >= 1 or a == 0:
        return 1.0
    if b == 0:
        return 0.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _beta_fraction(x, a, b) / a
    return 1.0 - math.exp(log_front) * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function; needs about sqrt(max(a, b)) steps."""
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1.0 / _away_from_zero(1.0 + even * d)
        c = _away_from_zero(1.0 + even / c)
        value *= c * d
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 / _away_from_zero(1.0 + odd * d)
        c = _away_from_zero(1.0 + odd / c)
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def student_t_quantile(tail: float, degrees: float) -> float:
    """Return the t that a Student variable of `degrees` degrees of freedom exceeds with probability `tail` (< 0.5).

    Solves I_x(degrees/2, 1/2) = 2 tail for x = degrees / (degrees + t^2).
    """
    x = crossing(lambda value: regularised_beta(value, degrees / 2, 0.5), 2 * tail, 0.0, 1.0, tolerance=1e-16)
    return math.sqrt(degrees * (1 - x) / x)


def crossing(
    rising: Callable[[float], float], target: float, low: float, high: float, *, tolerance: float = 1e-11
) -> float:
    """Return where a rising function of probabilities crosses `target`, to `tolerance`, strictly inside (low, high).

    The function is taken to be at most `target` at `low` and at least `target` at `high`; neither end is evaluated.
    Secant steps on the normal-quantile scale, where such functions are nearly straight; an end that stays twice
    counts half (the Illinois rule), and two bisections begin and guard them.
    """
    aim = normal_quantile(target)
    below, above = normal_quantile(0.0) - aim, normal_quantile(1.0) - aim
    middle, previous, side = math.nan, math.inf, 0
    for step in range(200):
        middle = (low + high) / 2
        if step > 1 and step % 8 < 6:
            guess = low - below * (high - low) / (above - below)
            middle = min(max(guess, math.nextafter(low, high)), math.nextafter(high, low))
        if high - low <= tolerance or abs(middle - previous) <= tolerance / 1000:
            break
        previous = middle
        value = normal_quantile(rising(middle)) - aim
        if value < 0:
            low, below = middle, value
            above, side = (above / 2, -1) if side < 0 else (above, -1)
        else:
            high, above = middle, value
            below, side = (below / 2, 1) if side > 0 else (below, 1)
    return middle
