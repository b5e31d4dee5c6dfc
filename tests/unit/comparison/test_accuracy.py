"""One model's accuracy: counts, bounds, interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from fieldguide.comparison import accuracy_of
from fieldguide.comparison._accuracy import effective_answers, mid_p_interval
from fieldguide.comparison._tally import ItemTally, tally_items
from fieldguide.domain import Outcome
from tests.unit.comparison.builders import PROPERTY, item_words, scores


def tallies(items: list[str]) -> list[ItemTally]:
    return list(tally_items(scores(items)).values())


def test_every_outcome_is_counted_where_it_belongs() -> None:
    """Truncated, unparsed and refused count as not correct; failed leaves the accuracy; all four widen the bounds."""
    accuracy = accuracy_of(scores(["c", "c", "w", "t", "u", "r", "f", "f"]))
    assert (accuracy.items, accuracy.attempts, accuracy.scored, accuracy.correct) == (8, 8, 6, 2)
    assert accuracy.accuracy == pytest.approx(2 / 6)
    assert accuracy.bound_low == pytest.approx(2 / 8)
    assert accuracy.bound_high == pytest.approx(7 / 8)
    assert sum(accuracy.outcomes.values()) == 8
    assert set(accuracy.outcomes) == set(Outcome)


def test_nothing_to_compute_from_is_none_and_not_zero() -> None:
    """No scores: no fractions. Only failures: no accuracy, and bounds that say that everything is possible."""
    empty = accuracy_of(())
    assert empty.accuracy is empty.ci_low is empty.ci_high is empty.bound_low is empty.bound_high is None
    failed = accuracy_of(scores(["f", "f"]))
    assert failed.accuracy is failed.ci_low is failed.ci_high is None
    assert (failed.scored, failed.bound_low, failed.bound_high) == (0, 0, 1)


@pytest.mark.parametrize("n", [1, 15, 30, 198])
def test_none_or_all_correct_gives_an_end_at_exactly_zero_or_one(n: int) -> None:
    """The other end is the value at which half the chance of that result is 2.5 %."""
    none, every = accuracy_of(scores(["w"] * n)), accuracy_of(scores(["c"] * n))
    assert (none.ci_low, every.ci_high) == (0, 1)
    assert none.ci_high == pytest.approx(1 - 0.05 ** (1 / n))
    assert every.ci_low == pytest.approx(0.05 ** (1 / n))


@pytest.mark.parametrize(("correct", "n"), [(1, 15), (7, 15), (29, 30), (100, 198), (450, 500)])
def test_the_interval_solves_the_mid_p_equations_of_scipy(correct: int, n: int) -> None:
    """P(X > k) + P(X = k) / 2 = 0.025 at the lower end and the mirror image at the upper one, to 1e-9."""

    def above(p: float) -> float:
        return float(stats.binom.sf(correct, n, p) + stats.binom.pmf(correct, n, p) / 2)

    low, high = mid_p_interval(correct, n, 0.95)
    assert low == pytest.approx(optimize.brentq(lambda p: above(p) - 0.025, 0, 1, xtol=1e-12), abs=1e-9)
    assert high == pytest.approx(optimize.brentq(lambda p: above(p) - 0.975, 0, 1, xtol=1e-12), abs=1e-9)


@PROPERTY
@given(item_words(letters="cwturf", attempts=5))
def test_interval_and_bounds_hold_the_accuracy(items: list[str]) -> None:
    """Within [0, 1], and nested in the level."""
    accuracy = accuracy_of(scores(items))
    if accuracy.accuracy is None or accuracy.ci_low is None or accuracy.ci_high is None:
        assert accuracy.scored == 0
        return
    assert accuracy.bound_low is not None
    assert accuracy.bound_high is not None
    assert 0 <= accuracy.ci_low <= accuracy.accuracy <= accuracy.ci_high <= 1
    assert 0 <= accuracy.bound_low <= accuracy.accuracy <= accuracy.bound_high <= 1
    wider = accuracy_of(scores(items), level=0.99)
    assert wider.ci_low is not None
    assert wider.ci_high is not None
    assert wider.ci_low <= accuracy.ci_low + 1e-9
    assert wider.ci_high >= accuracy.ci_high - 1e-9


@PROPERTY
@given(item_words(attempts=8))
def test_right_and_wrong_exchanged_mirror_the_interval(items: list[str]) -> None:
    """The interval of the share that is wrong is one minus that of the share that is right."""
    one = accuracy_of(scores(items))
    other = accuracy_of(scores([item.translate(str.maketrans("cw", "wc")) for item in items]))
    assert one.ci_low is not None
    assert other.ci_high is not None
    assert one.ci_low == pytest.approx(1 - other.ci_high, abs=1e-9)


@PROPERTY
@given(item_words(attempts=8), st.sampled_from([0.9, 0.95, 0.99]))
def test_answers_are_worth_between_the_items_and_the_attempts(items: list[str], level: float) -> None:
    """Unequal attempts count as fewer items, (sum n)^2 / sum n^2."""
    worth = effective_answers(tallies(items), level)
    attempts = sum(len(item) for item in items)
    assert attempts**2 / sum(len(item) ** 2 for item in items) - 1e-9 <= worth <= attempts + 1e-9


def test_attempts_that_always_agree_are_worth_their_items() -> None:
    """64 equal answers to each of 30 items tell no more of other items than one."""
    items = ["c" * 64] * 18 + ["w" * 64] * 12
    once = accuracy_of(scores(["c"] * 18 + ["w"] * 12))
    assert effective_answers(tallies(items), 0.95) == pytest.approx(30)
    assert accuracy_of(scores(items)).ci_low == pytest.approx(once.ci_low)


def test_items_all_alike_are_worth_many_answers() -> None:
    """30 items, each right 32 times of 64: the interval is less than half as wide as that of 30 answers."""
    assert effective_answers(tallies(["cw" * 32] * 30), 0.95) > 300


def test_one_wrong_answer_of_many_hardly_moves_the_interval_of_all_correct() -> None:
    """1919 of 1920 is not taken as proof that no item is hard: the lower end stays near that of 30 items."""
    perfect = accuracy_of(scores(["c" * 64] * 30))
    nearly = accuracy_of(scores(["c" * 64] * 29 + ["c" * 63 + "w"]))
    assert perfect.ci_low == pytest.approx(0.05 ** (1 / 30))
    assert nearly.ci_low is not None
    assert 0.89 < nearly.ci_low < 0.93
