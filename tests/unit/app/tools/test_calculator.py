"""The calculator: exact where it can be, marked as rounded where it cannot, and never more than it should do."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.app.tools._calculator import calculate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("17 * 23", "391"),
        ("0.1 + 0.2", "3/10 = 0.3"),
        ("1/3", "1/3 = 0.333333333333333333333333333333 (rounded)"),
        ("2^10", "1024"),
        ("2 ** -2", "1/4 = 0.25"),
        ("sqrt(9/4)", "3/2 = 1.5"),
        ("sqrt(2)", f"{math.sqrt(2)!r} (rounded)"),
        ("comb(52, 5)", "2598960"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("round(2/3, 2)", "67/100 = 0.67"),
        ("gcd(12, 18) + lcm(4, 6)", "18"),
        ("factorial(20)", str(math.factorial(20))),
    ],
)
def test_what_it_computes(expression: str, value: str) -> None:
    """Whole numbers and fractions exactly; the rest says that it is rounded."""
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "1 +", "__import__('os')", "a", "(1).__class__", "[1]", "'a' * 3", "1/0", "10**10**10", "factorial(10**9)",
        "2**0.5**0.5**-99999", "1 if 1 else 2", "sqrt(-1)", "gcd(1.5, 2)", "9" * 2000, "sin()", "exp(10**6)",
        "round(1, 10**9)", "(" * 500 + "1" + ")" * 500, "0 ** -1", "lambda: 1",
    ],
)  # fmt: skip
def test_what_it_refuses(expression: str) -> None:
    """Anything but arithmetic, and what would be too large, is an error with a sentence; nothing is run."""
    with pytest.raises(ValueError, match=r"\w"):
        calculate(expression)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_it_agrees_with_fractions(a: int, b: int, c: int) -> None:
    """Sums, products and quotients are those of exact fractions."""
    shown = calculate(f"({a} + {b} * {a}) / {c}").split(" ")[0]
    assert Fraction(shown) == Fraction(a + b * a, c)
