"""The distribution of a weighted sum of gamma variables at zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fieldguide.comparison._gamma_sum import probability_not_positive
from tests.unit.comparison.builders import PROPERTY

shapes = st.floats(0.3, 300)
coefficients = st.floats(1e-3, 10)


@PROPERTY
@given(coefficients, shapes, coefficients, shapes)
def test_two_terms_are_a_beta_probability(up: float, up_shape: float, down: float, down_shape: float) -> None:
    """P(u G <= d H) = P(G / (G + H) <= d / (u + d)), to 1e-10 relative."""
    expected = stats.beta.cdf(down / (up + down), up_shape, down_shape)
    value = probability_not_positive([(up, up_shape), (-down, down_shape)])
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-13)


@PROPERTY
@given(st.integers(1, 400), st.integers(0, 400))
def test_unequal_pairs_alone_give_the_binomial_tail(a_only: int, b_only: int) -> None:
    """P(sum over a_only <= sum over b_only + 1) is the one-sided sign test."""
    value = probability_not_positive([(1.0, a_only), (-1.0, b_only + 1)])
    assert value == pytest.approx(stats.binom.cdf(b_only, a_only + b_only, 0.5), rel=1e-9, abs=1e-13)


@PROPERTY
@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.5, 20)), min_size=1, max_size=12))
def test_exchanging_signs_gives_the_complement(terms: list[tuple[float, float]]) -> None:
    """As the sum is continuous wherever both signs occur."""
    if min(terms)[0] < -1e-9 and max(terms)[0] > 1e-9:
        mirrored = [(-coefficient, shape) for coefficient, shape in terms]
        assert probability_not_positive(terms) + probability_not_positive(mirrored) == pytest.approx(1, abs=1e-12)


def test_many_terms_agree_with_simulation() -> None:
    """200,000 draws of a sum with eleven coefficients."""
    generator = np.random.default_rng(20240)
    values = np.linspace(-0.7, 1.1, 11)
    sums = generator.exponential(size=(200_000, 11)) @ values
    expected = float((sums <= 0).mean())
    assert probability_not_positive([(float(value), 1.0) for value in values]) == pytest.approx(expected, abs=0.004)


def test_one_sided_sums_are_certain() -> None:
    """Without a positive coefficient the sum is never positive; zeros count for nothing."""
    assert probability_not_positive([(-1.0, 2.0), (0.0, 5.0)]) == 1
    assert probability_not_positive([(1.0, 2.0), (0.0, 5.0)]) == 0
    assert probability_not_positive([(1.0, 2.0), (-1e-200, 5.0)]) == 0
    assert probability_not_positive([]) == 1
