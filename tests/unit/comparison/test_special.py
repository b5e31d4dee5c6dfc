"""Special functions against scipy."""

from __future__ import annotations

import math

import pytest
from scipy import special, stats

from fieldguide.comparison._special import (
    binomial_half_cdf,
    crossing,
    normal_cdf,
    normal_quantile,
    regularised_beta,
    student_t_quantile,
)

SHAPES = [(0.5, 0.5), (1, 30), (30, 1), (2.5, 7.25), (15, 15), (198, 3), (0.3, 500), (2500, 2500), (63.5, 1856.5)]


@pytest.mark.parametrize(("a", "b"), SHAPES)
@pytest.mark.parametrize("x", [1e-6, 0.01, 0.2, 0.5, 0.75, 0.99])
def test_the_incomplete_beta_function_agrees_with_scipy(a: float, b: float, x: float) -> None:
    """To 1e-10 relative, or absolutely where it is vanishingly small."""
    assert regularised_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-10, abs=1e-300)


def test_the_incomplete_beta_function_has_its_limits() -> None:
    """A shape of 0 puts all mass at an end, and outside [0, 1] there is none."""
    assert regularised_beta(0.3, 0, 5) == 1
    assert regularised_beta(0.3, 5, 0) == 0
    assert regularised_beta(-0.1, 2, 3) == 0
    assert regularised_beta(1.1, 2, 3) == 1
    assert regularised_beta(0, 0, 5) == 0


@pytest.mark.parametrize("trials", [0, 1, 7, 100, 1999])
def test_the_fair_binomial_agrees_with_scipy(trials: int) -> None:
    """To 1e-12 relative, far into the tail."""
    for successes in {0, trials // 3, trials // 2, trials}:
        expected = stats.binom.cdf(successes, trials, 0.5)
        assert binomial_half_cdf(successes, trials) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("degrees", [1, 2, 14, 29, 499])
@pytest.mark.parametrize("tail", [0.025, 0.005, 0.0001, 0.4])
def test_student_quantiles_agree_with_scipy(degrees: int, tail: float) -> None:
    """To 1e-9 relative."""
    assert student_t_quantile(tail, degrees) == pytest.approx(stats.t.isf(tail, degrees), rel=1e-9)


def test_normal_probabilities_and_quantiles_undo_each_other() -> None:
    """Over the range that p-values take; beyond it the quantile stays finite."""
    for probability in (1e-12, 0.025, 0.5, 0.9):
        assert normal_cdf(normal_quantile(probability)) == pytest.approx(probability, rel=1e-9)
    assert math.isfinite(normal_quantile(0.0))
    assert math.isfinite(normal_quantile(1.0))


def test_a_crossing_lies_strictly_inside_its_bracket() -> None:
    """Even where the function is already there at an end."""
    assert 0 < crossing(lambda _: 1.0, 0.5, 0.0, 1.0) < 1e-10
    assert 1 - 1e-10 < crossing(lambda _: 0.0, 0.5, 0.0, 1.0) < 1
