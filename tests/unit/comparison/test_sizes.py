"""What more parameters buy, worked out from published values."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.comparison import SizePoint, series_sentence, size_series, size_step
from tests.unit.comparison.test_claims import CLAIM


def point(label: str, billions: float, value: str, *, active: int | None = None, **changes: object) -> SizePoint:
    claim = replace(CLAIM, value=Decimal(value), **changes)  # type: ignore[arg-type]
    return SizePoint(
        label=label, parameters=round(billions * 1e9), active=active, member=label, tuning="instruct", claim=claim
    )


def test_a_step_has_the_interval_of_newcombe() -> None:
    """His example (b): 9 of 10 against 3 of 10 gives 0.6 (0.1705 to 0.8090)."""
    step = size_step(point("s", 1, "30", n=10), point("l", 2, "90", n=10))
    assert step.difference == pytest.approx(0.6)
    assert (step.ci_low, step.ci_high) == pytest.approx((0.1705, 0.8090), abs=5e-4)
    assert step.supported


def test_the_gain_of_a_doubling_is_logarithmic() -> None:
    """Four times the parameters are two doublings."""
    assert size_step(point("s", 1, "30"), point("l", 4, "50")).per_doubling == pytest.approx(0.10)


def test_a_doubling_is_not_claimed_of_what_is_no_doubling() -> None:
    """Nearly as many parameters, or a mixture of experts beside a dense network."""
    assert size_step(point("7B", 7.6, "49.1"), point("8B", 8.0, "49.0")).per_doubling is None
    mixture = point("30B-A3B", 30, "91.0", active=3_000_000_000)
    assert size_step(mixture, point("72B", 72, "93.8")).per_doubling is None


def test_an_unknown_n_decides_nothing() -> None:
    """The difference is told; whether it is more than chance is not."""
    [series] = size_series([point("s", 1, "30.0", n=None), point("l", 2, "60.0", n=None)])
    [step] = series.steps
    assert step.difference == pytest.approx(0.3)
    assert (step.ci_low, step.supported, series.flat_from) == (None, None, None)
    assert "number of questions is not stated" in series_sentence(series)


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "5-shot"},
        {"collection": "two", "source": "two"},
        {"window": "2024-08..2024-11"},
        {"metric": "cons@64"},
        {"attempts": 64},
        {"subset": "main"},
    ],
)
def test_unlike_rows_never_meet_in_one_series(changes: dict[str, object]) -> None:
    """Neither another way of asking nor another table."""
    assert size_series([point("s", 1, "30.0"), point("l", 2, "60.0", active=None, **changes)]) == ()


def test_what_is_no_percentage_is_not_drawn() -> None:
    """Nor are two models of one size a series."""
    assert size_series([point("s", 1, "1300", unit="as published"), point("l", 2, "1400", unit="as published")]) == ()
    assert size_series([point("s", 1, "130"), point("l", 2, "140")]) == ()
    assert size_series([point("s", 1, "30.0"), point("t", 1, "40.0")]) == ()


def test_it_flattens_where_nothing_larger_is_supported() -> None:
    """A plateau after a rise; a rise to the end does not flatten."""
    rise = [point("1B", 1, "20.0"), point("2B", 2, "50.0"), point("4B", 4, "52.0"), point("8B", 8, "51.0")]
    [series] = size_series(reversed(rise))
    assert [each.label for each in series.points] == ["1B", "2B", "4B", "8B"]
    assert series.flat_from is not None
    assert series.flat_from.label == "2B"
    [rising] = size_series([*rise, point("16B", 16, "80.0")])
    assert rising.flat_from is None
    assert "does not flatten" in series_sentence(rising)


@given(values=st.lists(st.integers(0, 198), min_size=2, max_size=6))
def test_above_the_flat_point_no_pair_of_sizes_is_supported(values: list[int]) -> None:
    """And directly below it one is: it is the smallest such size."""
    made = [point(f"{2**k}B", 2.0**k, f"{100 * right / 198:.1f}") for k, right in enumerate(values)]
    [series] = size_series(made)
    points = list(series.points)

    def rises(start: int) -> bool:
        steps = [size_step(points[a], points[b]) for a in range(start, len(points)) for b in range(a + 1, len(points))]
        return any(step.difference > 0 and step.supported for step in steps)

    if series.flat_from is None:
        assert rises(len(points) - 2)
    else:
        place = points.index(series.flat_from)
        assert not rises(place)
        assert place == 0 or rises(place - 1)
