"""The paired test and its interval: exactness, consistency, symmetry."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from fieldguide.comparison._paired_test import PairedTest
from tests.unit.comparison.builders import PROPERTY, binary_test, difference_lists

levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999])


@PROPERTY
@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 400))
def test_one_attempt_each_is_the_exact_mcnemar_test(a_only: int, b_only: int, equal: int) -> None:
    """The p-value is that of scipy's binomial test on the unequal pairs, to 1e-9, whatever the equal ones."""
    if a_only + b_only + equal == 0:
        return
    expected = stats.binomtest(a_only, a_only + b_only).pvalue if a_only + b_only else 1.0
    assert binary_test(a_only, b_only, a_only + b_only + equal).p_value == pytest.approx(expected, rel=1e-9)


def test_a_published_example_comes_out_as_published() -> None:
    """Approval of a prime minister, 86 against 150 changes of mind among 1600 (Agresti, Categorical Data Analysis).

    Published: difference -0.04 with the 95 % Wald interval (-0.06, -0.02), McNemar's z^2 = 17.36.
    """
    test = binary_test(86, 150, 1600)
    low, high = test.interval(0.05)
    assert test.estimate == pytest.approx(-0.04)
    assert test.p_value == pytest.approx(stats.binomtest(86, 236).pvalue, rel=1e-9)
    assert (low, high) == pytest.approx((-0.0593, -0.0206), abs=5e-4)


@PROPERTY
@given(st.integers(1, 60), st.integers(1, 400), levels)
def test_nothing_lost_gives_clopper_and_pearsons_end(a_only: int, equal: int, level: float) -> None:
    """If b is never ahead the upper end is that of a plain proportion, which is Clopper and Pearson's."""
    _, high = binary_test(a_only, 0, a_only + equal).interval(1 - level)
    assert high == pytest.approx(special.betaincinv(a_only + 1, equal, (1 + level) / 2), abs=1e-9)


@PROPERTY
@given(difference_lists(), levels, st.integers(1, 10))
def test_p_value_and_interval_never_disagree(differences: list[Fraction], level: float, divisor: int) -> None:
    """The interval excludes 0 exactly where the p-value, times the divisor, is below alpha."""
    test = PairedTest.of(differences)
    low, high = test.interval(1 - level, divisor)
    assert (low > 0 or high < 0) == (test.p_value * divisor < 1 - level)


@PROPERTY
@given(difference_lists(), levels)
def test_the_interval_is_the_test_inverted(differences: list[Fraction], level: float) -> None:
    """Differences just inside are not rejected, differences just outside are."""
    test = PairedTest.of(differences)
    low, high = test.interval(1 - level)
    for end, inward in ((low, 1e-7), (high, -1e-7)):
        if -1 < end < 1 and end != test.estimate and high - low > 1e-6:
            assert test.p_value_at(end + inward) >= 1 - level - 1e-9
            assert test.p_value_at(end - inward) <= 1 - level + 1e-9


@PROPERTY
@given(difference_lists(), levels)
def test_exchanging_the_models_turns_everything_round(differences: list[Fraction], level: float) -> None:
    """To the last bit: the same p-value, the interval with signs exchanged."""
    one, other = PairedTest.of(differences), PairedTest.of([-difference for difference in differences])
    low, high = one.interval(1 - level)
    assert other.p_value == one.p_value
    assert other.interval(1 - level) == (-high, -low)
    assert other.estimate == -one.estimate


@PROPERTY
@given(difference_lists())
def test_a_higher_level_gives_a_wider_interval_around_the_estimate(differences: list[Fraction]) -> None:
    """Nested intervals within [-1, 1], all holding the estimate."""
    test = PairedTest.of(differences)
    narrow, wide = test.interval(0.2), test.interval(0.01)
    assert -1 <= wide[0] <= narrow[0] + 1e-9
    assert narrow[0] <= test.estimate <= narrow[1]
    assert narrow[1] - 1e-9 <= wide[1] <= 1


@PROPERTY
@given(difference_lists(), st.lists(st.floats(-1, 1), min_size=2, max_size=5))
def test_the_p_value_falls_on_either_side_of_the_interval(differences: list[Fraction], points: list[float]) -> None:
    """Its one-sided halves are monotone, so that what is not rejected is one interval."""
    test = PairedTest.of(differences)
    values = [test.at_most(point) for point in sorted(points)]
    assert all(before <= after + 1e-12 for before, after in pairwise(values))


def test_equal_pairs_alone_leave_room_for_what_was_not_seen() -> None:
    """0 unequal pairs of 30: p = 1 and the interval that 30 items can vouch for, 1 - 0.025^(1/30) either way."""
    test = binary_test(0, 0, 30)
    assert test.p_value == 1
    assert test.interval(0.05) == pytest.approx((-(1 - 0.025 ** (1 / 30)), 1 - 0.025 ** (1 / 30)), abs=1e-9)


def test_one_item_decides_nothing() -> None:
    """p = 1; the interval has nothing to say against the winner and hardly anything against the loser."""
    test = binary_test(1, 0, 1)
    assert test.p_value == 1
    assert test.interval(0.05) == pytest.approx((-0.95, 1.0), abs=1e-9)


@PROPERTY
@given(st.integers(1, 8), st.integers(0, 8), st.integers(2, 64))
def test_small_differences_are_judged_with_more_caution_than_their_signs(up: int, down: int, attempts: int) -> None:
    """What has not been seen may be larger than what has: the sign test alone would trust the scale."""
    differences = [Fraction(1, attempts)] * up + [Fraction(-1, attempts)] * down + [Fraction(0)] * 5
    assert PairedTest.of(differences).p_value >= stats.binomtest(up, up + down).pvalue - 1e-9


def test_many_pairs_take_little_time_and_agree_with_the_normal_interval() -> None:
    """At 5000 pairs the interval is Wald's to a tenth of its width."""
    low, high = binary_test(300, 240, 5000).interval(0.05)
    assert (low, high) == pytest.approx((0.012 - 0.0091, 0.012 + 0.0091), abs=0.0005)
