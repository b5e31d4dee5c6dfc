"""Sums, products and remainders: from one more to six digits times six digits."""

from __future__ import annotations

from fieldguide.benchmarks.ladder._draw import Draw
from fieldguide.benchmarks.ladder._problem import Problem, Rung


def _problem(expression: str, value: int) -> Problem:
    return Problem(question=expression, target=str(value))


def _sum(draw: Draw, digits: int) -> Problem:
    a, b = draw.digits(digits), draw.digits(digits)
    return _problem(f"{a} + {b}", a + b)


def _difference(draw: Draw, digits: int) -> Problem:
    a, b = draw.digits(digits), draw.digits(digits)
    return _problem(f"{max(a, b)} - {min(a, b)}", abs(a - b))


def _product(draw: Draw, left_digits: int, right_digits: int) -> Problem:
    a, b = draw.digits(left_digits), draw.digits(right_digits)
    return _problem(f"{a} * {b}", a * b)


def _one_or_two_more(draw: Draw) -> Problem:
    a, b = draw.between(1, 60), draw.pick((1, 1, 2))
    return _problem(f"{a} + {b}", a + b)


def _one_digit(draw: Draw) -> Problem:
    return draw.pick((_sum, _sum, _difference))(draw, 1)


def _two_and_one_digit(draw: Draw) -> Problem:
    a, b = draw.digits(2), draw.digits(1)
    return draw.pick((_problem(f"{a} + {b}", a + b), _problem(f"{a} - {b}", a - b)))


def _two_digits(draw: Draw) -> Problem:
    return draw.pick((_sum, _difference))(draw, 2)


def _three_digits(draw: Draw) -> Problem:
    if draw.below(3) == 0:
        return _product(draw, 2, 1)
    return draw.pick((_sum, _difference))(draw, 3)


def _five_digits(draw: Draw) -> Problem:
    if draw.below(3) == 0:
        return _product(draw, 3, 1)
    return draw.pick((_sum, _difference))(draw, 5)


def _two_by_two_digits(draw: Draw) -> Problem:
    a, b, c = draw.digits(2), draw.digits(2), draw.between(3, 9)
    return draw.pick((_problem(f"{a} * {b}", a * b), _problem(f"({a} + {b}) * {c}", (a + b) * c)))


def _three_by_two_digits(draw: Draw) -> Problem:
    a, b, c, d = draw.digits(3), draw.digits(2), draw.digits(2), draw.digits(2)
    return draw.pick(
        (
            _problem(f"{a} * {b} + {c}", a * b + c),
            _problem(f"{a} - {b} * {c}", a - b * c),
            _problem(f"{a} * {b} - {c} * {d}", a * b - c * d),
        )
    )


def _four_by_three_digits(draw: Draw) -> Problem:
    a, b, c, d = draw.digits(4), draw.digits(3), draw.digits(4), draw.digits(3)
    return draw.pick(
        (
            _problem(f"{a} * {b} - {c} * {d}", a * b - c * d),
            _problem(f"({a} * {b} + {c}) mod {d}", (a * b + c) % d),
        )
    )


def _six_by_six_digits(draw: Draw) -> Problem:
    a, b, c, d = draw.digits(6), draw.digits(6), draw.digits(6), draw.digits(6)
    m = draw.digits(4)
    return draw.pick(
        (
            _problem(f"{a} * {b} - {c} * {d}", a * b - c * d),
            _problem(f"({a} * {b} + {c} * {d}) mod {m}", (a * b + c * d) % m),
            _problem(f"(({a} mod {m}) * {b} - {c}) * {d}", ((a % m) * b - c) * d),
        )
    )


RUNGS: tuple[Rung, ...] = (
    _one_or_two_more,
    _one_digit,
    _two_and_one_digit,
    _two_digits,
    _three_digits,
    _five_digits,
    _two_by_two_digits,
    _three_by_two_digits,
    _four_by_three_digits,
    _six_by_six_digits,
)
"""Rungs 1 to 10."""
