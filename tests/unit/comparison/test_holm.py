"""Holm's adjustment and the levels of the intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.comparison import holm_adjusted
from fieldguide.comparison._holm import interval_divisors
from tests.unit.comparison.builders import PROPERTY

families = st.lists(st.floats(0, 1) | st.sampled_from([0.05, 0.025, 0.05 / 3, 0.0125]), min_size=1, max_size=12)


def test_a_family_adjusted_by_hand_comes_out_the_same() -> None:
    """Times 4, 3, 2, 1 from the smallest on, then the running maximum."""
    assert holm_adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm_adjusted([0.6, 0.9]) == (1.0, 1.0)
    assert holm_adjusted([]) == ()


@PROPERTY
@given(families)
def test_adjusting_keeps_the_order_and_never_lowers(p_values: list[float]) -> None:
    """Adjusted values are at least as large, at most 1, and sorted alike; none exceeds Bonferroni's."""
    adjusted = holm_adjusted(p_values)
    pairs = sorted(zip(p_values, adjusted))
    assert all(before <= after <= min(1.0, len(p_values) * before) for before, after in pairs)
    assert [after for _, after in pairs] == sorted(adjusted)


@PROPERTY
@given(families, st.sampled_from([0.05, 0.01, 0.2]), st.integers(1, 3))
def test_adjusted_p_and_interval_level_never_disagree(p_values: list[float], alpha: float, looks: int) -> None:
    """The claim of `interval_divisors`: p_adjusted < alpha exactly where divisor x p < alpha, ties included."""
    adjusted = holm_adjusted(p_values, looks=looks)
    divisors = interval_divisors(p_values, alpha, looks=looks)
    for p_value, after, divisor in zip(p_values, adjusted, divisors):
        assert (after < alpha) == (divisor * p_value < alpha)
        assert looks <= divisor <= len(p_values) * looks


def test_intervals_are_simultaneous_but_for_what_only_the_step_down_finds() -> None:
    """0.02 is below 0.05 / 2 but not below 0.05 / 3: only it leaves the common level."""
    assert interval_divisors([0.001, 0.02, 0.6], 0.05) == (3, 2, 3)
    assert interval_divisors([0.02, 0.02, 0.6], 0.05) == (3, 3, 3)
