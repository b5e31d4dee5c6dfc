"""Symbolic equality by math-verify, with a second look at what it is known to pass too lightly. Worker process only."""

from __future__ import annotations

from typing import Any

import sympy
from math_verify import parse, verify

_POINTS = ((3, 5, 7, 11, 13, 17), (2, 9, 4, 19, 23, 6), (8, 1, 29, 3, 31, 5), (1, 4, 2, 8, 5, 7))


def equivalent(gold: str, predicted: str) -> bool:
    """Return whether math-verify holds `predicted` equal to `gold`, both LaTeX in dollar signs or a whole text.

    The order matters to it: the right answer comes first. Its own timers are off, because this process is killed from
    outside.
    """
    right, given = (parse(text, parsing_timeout=None) for text in (gold, predicted))
    if not verify(right, given, timeout_seconds=None):
        return False
    pair = _equation(right), _equation(given)
    return pair[0] is None or pair[1] is None or _same_solutions(pair[0], pair[1])


def _equation(parsed: list[Any]) -> Any | None:
    """Return left side minus right side of a parsed equation, or None for anything else and for `x = value`."""
    if not parsed or not isinstance(parsed[0], sympy.Eq):
        return None
    left, right = parsed[0].args
    if isinstance(left, sympy.Symbol) or not isinstance(left, sympy.Expr) or not isinstance(right, sympy.Expr):
        return None
    return left - right


def _same_solutions(gold: Any, predicted: Any) -> bool:
    """Return whether two expressions vanish together, as seen from a constant ratio at four points.

    math-verify takes two different lines for equal when it reads both as `0` (Math-Verify issue 60).
    """
    if gold.free_symbols != predicted.free_symbols:
        return False
    symbols = sorted(gold.free_symbols, key=str)
    if not symbols or len(symbols) > len(_POINTS[0]):
        return True
    ratios = [_ratio(gold, predicted, dict(zip(symbols, point))) for point in _POINTS]
    known = [ratio for ratio in ratios if ratio is not None]
    return not known or (abs(known[0]) > 1e-9 and all(abs(ratio - known[0]) < 1e-6 * abs(known[0]) for ratio in known))


def _ratio(gold: Any, predicted: Any, point: dict[Any, int]) -> complex | None:
    below = complex(gold.subs(point).evalf())
    return None if abs(below) < 1e-12 else complex(predicted.subs(point).evalf()) / below
