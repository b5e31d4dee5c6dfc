"""Written numbers, exactly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.scoring.maths import Equivalence, compare_quickly
from fieldguide.scoring.numbers import parse_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-5", Fraction(-5)),
        ("1,234,567.50", Fraction(2469135, 2)),
        (".5", Fraction(1, 2)),
        ("5.", Fraction(5)),
        ("-3/8", Fraction(-3, 8)),
        (r"-\frac{3}{8}", Fraction(-3, 8)),
        (r"137\frac{1}{2}", Fraction(275, 2)),
        ("137 1/2", Fraction(275, 2)),
        (r"3.5\times 10^{4}", Fraction(35000)),
        ("1e-3", Fraction(1, 1000)),
        ("12.5%", Fraction(25, 2)),
    ],
)
def test_numbers_are_read_exactly(text: str, value: Fraction) -> None:
    """Separators, fractions, mixed numbers, powers of ten and percentages."""
    number = parse_number(text)
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize(
    "text", ["", "x", "1/0", r"\frac{1}{0}", "1,23", "12,34,567", "1e9999", "1 2", "--5", "9" * 5000]
)
def test_what_is_no_number_is_left_alone(text: str) -> None:
    """Division by zero, odd grouping and monstrous exponents are for somebody else."""
    assert parse_number(text) is None


@given(st.fractions(max_denominator=10**6))
def test_fractions_come_back_as_written(value: Fraction) -> None:
    """Any fraction, in both spellings, is read as itself."""
    top, bottom = abs(value.numerator), value.denominator
    sign = "-" if value < 0 else ""
    for text in (f"{sign}{top}/{bottom}", rf"{sign}\frac{{{top}}}{{{bottom}}}"):
        number = parse_number(text)
        assert number is not None
        assert number.value == value


@given(st.integers(-(10**12), 10**12))
def test_a_grouped_integer_equals_the_plain_one(value: int) -> None:
    """However a whole number is dressed, it is the same answer, and its neighbour is another."""
    same = Equivalence(verdict=True, method="numeric")
    for text in (f"{value:,}", f"${value}$", rf"\({value:,}\).", f"**{value}**", f"{value} apples", f"x = {value}"):
        found = compare_quickly(str(value), text)
        assert found is not None
        assert found.verdict is True, text
        assert compare_quickly(str(value + 1), text) == Equivalence(verdict=False, method=same.method)
