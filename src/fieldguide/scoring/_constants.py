r"""Approximate values of constant expressions such as `11\sqrt{5}+11` or `\frac{5\pi}{4}`, by a parser of a page.

Whatever it does not know for certain is left to algebra: variables, functions, mixed numbers, `2/3\pi`, and values
so large that floating point would lose what distinguishes two answers.
"""

from __future__ import annotations

import math
import re

_PIECE = re.compile(
    r"\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?![\d])|\d+(?:\.\d*)?|\.\d+)"
    r"|(?P<word>\\frac|\\sqrt|\\pi|\\cdot|\\times|pi)(?![a-zA-Z])|(?P<sign>[-+*/^(){}\[\]]))"
)
_LARGEST = 1e7
_LARGEST_EXPONENT = 64.0
_MAX_CHARACTERS = 200
_CLOSING = {"(": ")", "{": "}", "[": "]"}
_STARTS_FACTOR = frozenset({r"\frac", r"\sqrt", r"\pi", "pi", "(", "{"})


class _NotConstantError(Exception):
    """Not an expression of this small grammar."""


def constant(text: str) -> float | None:
    """Return the value of a cleaned constant expression to about 1e-9, or None where it is none or not surely."""
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        return _Parser(_pieces(text)).whole()
    except (_NotConstantError, ArithmeticError, ValueError, RecursionError):
        return None


def _pieces(text: str) -> list[str]:
    pieces, position = [], 0
    text = text.rstrip()
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise _NotConstantError
        pieces.append(piece["number"] or piece["word"] or piece["sign"])
        position = piece.end()
    return pieces


class _Parser:
    """Recursive descent over the pieces; each method reads its part and returns its value."""

    def __init__(self, pieces: list[str]) -> None:
        self._pieces = pieces
        self._next = 0

    def whole(self) -> float:
        value = self._sum()
        if self._next != len(self._pieces):
            raise _NotConstantError
        return value

    def _peek(self) -> str:
        return self._pieces[self._next] if self._next < len(self._pieces) else ""

    def _take(self) -> str:
        piece = self._peek()
        self._next += 1
        return piece

    def _sum(self) -> float:
        value = self._product()
        while self._peek() in {"+", "-"}:
            value = _bounded(value + self._product() if self._take() == "+" else value - self._product())
        return value

    def _product(self) -> float:
        value = self._signed()
        divided = False
        while True:
            piece = self._peek()
            if piece in {"*", r"\cdot", r"\times"}:
                self._take()
                value = _bounded(value * self._signed())
            elif piece == "/":
                self._take()
                value, divided = value / self._signed(), True
            elif piece in _STARTS_FACTOR:
                if divided or (piece == r"\frac" and self._pieces[self._next - 1][-1].isdigit()):
                    raise _NotConstantError  # 2/3\pi and 1\frac{1}{2} are read in two ways.
                value = _bounded(value * self._power())
            else:
                return value

    def _signed(self) -> float:
        if self._peek() in {"+", "-"}:
            return self._signed() if self._take() == "+" else -self._signed()
        return self._power()

    def _power(self) -> float:
        base = self._atom()
        if self._peek() != "^":
            return base
        self._take()
        exponent = self._signed() if self._peek() != "^" else math.nan
        if not abs(exponent) <= _LARGEST_EXPONENT or (base < 0 and exponent != int(exponent)):
            raise _NotConstantError
        return _bounded(float(base**exponent))

    def _atom(self) -> float:
        piece = self._take()
        if piece in {r"\pi", "pi"}:
            return math.pi
        if piece == r"\frac":
            return self._group("{") / self._group("{")
        if piece == r"\sqrt":
            degree = self._group("[") if self._peek() == "[" else 2.0
            radicand = self._group("{")
            return math.sqrt(radicand) if degree == 2.0 else math.pow(radicand, 1 / degree)
        if piece in {"(", "{"}:
            self._next -= 1
            return self._group(piece)
        if not piece or not (piece[0].isdigit() or piece[0] == "."):
            raise _NotConstantError
        return _bounded(float(piece.replace(",", "")))

    def _group(self, opening: str) -> float:
        if self._take() != opening:
            raise _NotConstantError
        value = self._sum()
        if self._take() != _CLOSING[opening]:
            raise _NotConstantError
        return value


def _bounded(value: float) -> float:
    if not abs(value) <= _LARGEST:
        raise _NotConstantError
    return value
