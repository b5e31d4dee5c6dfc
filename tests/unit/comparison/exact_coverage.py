"""Exact properties of tests and intervals, by enumerating every outcome that matters. Also used by `benchmarks/`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import stats

from fieldguide.comparison._more_items import items_in_all, rounded_up
from fieldguide.comparison._paired_test import PairedTest
from tests.unit.comparison.builders import binary_test

ACCURACIES = np.linspace(0.02, 0.98, 961)
"""True accuracies at which the interval of one accuracy is examined."""

DISCORDANCES = (0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99)
LEANINGS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
"""True differences, as shares of the discordance."""

Interval = Callable[[int, int], tuple[float, float]]


class Coverage(NamedTuple):
    mean: float
    worst: float
    worst_at: float
    width: float


def accuracy_coverage(interval: Interval, n: int) -> Coverage:
    """Return the exact coverage of an interval for k of n over `ACCURACIES`."""
    ends = np.array([interval(correct, n) for correct in range(n + 1)])
    chances = stats.binom.pmf(np.arange(n + 1)[:, None], n, ACCURACIES[None, :])
    inside = (ends[:, :1] <= ACCURACIES) & (ends[:, 1:] >= ACCURACIES)
    coverage = (chances * inside).sum(0)
    width = (chances * (ends[:, 1:] - ends[:, :1])).sum(0).mean()
    worst = int(coverage.argmin())
    return Coverage(float(coverage.mean()), float(coverage[worst]), float(ACCURACIES[worst]), float(width))


def paired_outcomes(n: int, discordance: float, difference: float) -> Iterator[tuple[int, int, float]]:
    """Yield (a_only, b_only, chance) for one attempt each; together all but about 1e-6 of the probability."""
    share = (discordance + difference) / (2 * discordance)
    unequal = np.arange(n + 1)
    chances = stats.binom.pmf(unequal, n, discordance)
    for m in unequal[chances > 1e-9]:
        for a_only, chance in enumerate(chances[m] * stats.binom.pmf(np.arange(m + 1), m, share)):
            if chance > 1e-9:
                yield a_only, int(m) - a_only, float(chance)


def paired_coverage(n: int, discordance: float, difference: float, alpha: float = 0.05) -> float:
    """Return how often the true difference is not rejected, that is, how often the interval holds it."""
    return 1 - sum(
        chance
        for a_only, b_only, chance in paired_outcomes(n, discordance, difference)
        if binary_test(a_only, b_only, n).p_value_at(difference) < alpha
    )


def paired_rejection(n: int, discordance: float, difference: float, alpha: float = 0.05) -> float:
    """Return how often "no difference" is rejected: type-I error or power."""
    return sum(
        chance
        for a_only, b_only, chance in paired_outcomes(n, discordance, difference)
        if binary_test(a_only, b_only, n).p_value < alpha
    )


def paired_grid(discordances: Sequence[float] = DISCORDANCES) -> Iterator[tuple[float, float]]:
    """Yield (discordance, difference) over everything that can be, from equal models to all on one side."""
    for discordance in discordances:
        for leaning in LEANINGS:
            yield discordance, discordance * leaning


def tango_interval(a_only: int, b_only: int, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Tango's (1998) score interval of a paired difference, for comparison of widths."""

    def score(difference: float) -> float:
        linear = (2 * n - a_only + b_only) * difference - a_only - b_only
        root = math.sqrt(max(0.0, linear**2 + 8 * n * b_only * difference * (1 - difference)))
        nuisance = (root - linear) / (4 * n)
        variance = n * (2 * nuisance + difference * (1 - difference))
        excess = a_only - b_only - n * difference
        return excess / math.sqrt(variance) if variance > 1e-14 else math.copysign(math.inf, excess)

    def solve(target: float, low: float, high: float) -> float:
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if score(middle) > target else (low, middle)
        return (low + high) / 2

    estimate = (a_only - b_only) / n
    return solve(z, -1.0, estimate), solve(-z, estimate, 1.0)


SCENARIOS = (
    "same",
    "same, easy",
    "same, alike",
    "related",
    "shifted",
    "deterministic",
    "rarely unequal",
    "all or little",
)
"""Kinds of item differences; see `difference_scenario`."""


def difference_scenario(
    name: str, generator: np.random.Generator, items: int, attempts: int
) -> tuple[list[Fraction], float]:
    """Draw the item differences of one run with several attempts, and say what their true mean is."""
    zeros = np.zeros(items)
    draw = generator.random(items)
    truth = 0.0
    match name:
        case "same":
            a = b = generator.beta(0.5, 0.5, items)
        case "same, easy":
            a = b = np.where(draw < 0.9, 0.995, generator.random(items))
        case "same, alike":
            a = b = zeros + 0.6
        case "related":
            a, b = 0.5 * draw + 0.5 * generator.random(items), 0.5 * draw + 0.5 * generator.random(items)
        case "shifted":
            a, b, truth = 0.2 + 0.8 * draw, 0.8 * draw, 0.2
        case "deterministic":
            a, b, truth = np.where(draw < 0.03, 1.0, 0.0), zeros, 0.03
        case "rarely unequal":
            a, b, truth = np.where(draw < 0.1, generator.random(items), 0.0), zeros, 0.05
        case "all or little":
            a, b, truth = np.where(draw < 0.1, 1.0, 0.05), zeros + 0.05, 0.095
        case _:
            raise ValueError(name)
    right, left = generator.binomial(attempts, a), generator.binomial(attempts, b)
    return [Fraction(int(one) - int(other), attempts) for one, other in zip(right, left)], truth


def two_looks(n: int, discordance: float, *, looks: int, runs: int) -> float:
    """Return how often equal models are told apart when an open verdict is extended once by the items asked for."""
    generator = np.random.default_rng(3)
    alpha = 0.05 / looks
    shares = [discordance / 2, discordance / 2, 1 - discordance]
    known: dict[tuple[int, int], int] = {}
    rejected = 0
    for _ in range(runs):
        a_only, b_only, _equal = (int(count) for count in generator.multinomial(n, shares))
        if (a_only, b_only) not in known:
            known[a_only, b_only] = _extension(binary_test(a_only, b_only, n), alpha)
        further = known[a_only, b_only]
        if further < 0:
            rejected += 1
            continue
        a_more, b_more, _equal = (int(count) for count in generator.multinomial(further, shares))
        fewer, unequal = min(a_only + a_more, b_only + b_more), a_only + a_more + b_only + b_more
        rejected += 2 * stats.binom.cdf(fewer, unequal, 0.5) < alpha
    return rejected / runs


def _extension(test: PairedTest, alpha: float) -> int:
    """Return the further items asked for, 0 where there is no number, -1 where the verdict is not open."""
    if test.p_value < alpha:
        return -1
    total = items_in_all(test, alpha, None)
    return 0 if total is None else rounded_up(max(1, total - test.items))
