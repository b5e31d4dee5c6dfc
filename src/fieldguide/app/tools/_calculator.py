"""Exact arithmetic for models: a small language of numbers, read without running anything."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from fieldguide.domain import Tool

Number: TypeAlias = Fraction | float

TOOL = Tool(
    name="calculator",
    description="Compute an arithmetic expression exactly: + - * / // % **, parentheses, and sqrt, abs, min, max, "
    "round, floor, ceil, gcd, lcm, factorial, comb, perm, exp, log, sin, cos, tan, asin, acos, atan, pi, e.",
    parameters={
        "type": "object",
        "properties": {"expression": {"type": "string", "description": "such as (17 * 23 + 4) / 5 or comb(52, 5)"}},
        "required": ["expression"],
        "additionalProperties": False,
    },
)
_LONGEST = 1000
_MOST_BITS = 20_000
"""Of a numerator or denominator, some 6,000 digits."""
_SHOWN_DIGITS = 1_000


def calculate(expression: str) -> str:
    """Return the value: a whole number or fraction exactly, with its decimals; else a decimal marked as rounded.

    Raises:
        ValueError: It is not such an expression, or its value is not a number, or too large.
    """
    if len(expression) > _LONGEST:
        raise ValueError(f"the expression is longer than {_LONGEST} characters")
    try:
        tree = ast.parse(expression.strip().replace("^", "**").replace("\N{MULTIPLICATION SIGN}", "*"), mode="eval")
        value = _value(tree.body)
    except SyntaxError as error:
        raise ValueError(f"this is not arithmetic: {error.msg}") from error
    except ZeroDivisionError as error:
        raise ValueError("division by zero") from error
    except (OverflowError, RecursionError, MemoryError) as error:
        raise ValueError("the value is too large") from error
    return _shown(value)


def _value(node: ast.expr) -> Number:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return _bounded(Fraction(str(node.value)))
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        inner = _value(node.operand)
        return inner if isinstance(node.op, ast.UAdd) else -inner
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _bounded(_OPERATORS[type(node.op)](_value(node.left), _value(node.right)))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        if node.func.id not in _FUNCTIONS:
            raise ValueError(f"there is no function {node.func.id}")
        try:
            return _bounded(_FUNCTIONS[node.func.id](*(_value(argument) for argument in node.args)))
        except TypeError as error:
            raise ValueError(f"{node.func.id} does not take these arguments") from error
    raise ValueError(f"this is not arithmetic: {ast.unparse(node)[:60]}")


def _bounded(value: Number) -> Number:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("the value is not a number")
        return value
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise ValueError("the value is too large")
    return value


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if bits * abs(exponent.numerator) > 2 * _MOST_BITS and abs(base) != 1 and base != 0:
            raise ValueError("the value is too large")
        return Fraction(base ** int(exponent))
    if exponent == Fraction(1, 2):
        return _root(base)
    if base < 0:
        raise ValueError("the value is not a real number")
    return math.pow(base, exponent)


def _root(value: Number) -> Number:
    if value < 0:
        raise ValueError("the value is not a real number")
    if isinstance(value, Fraction):
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return math.sqrt(value)


def _whole(function: Callable[..., int], *, largest: int) -> Callable[..., Number]:
    def called(*arguments: Number) -> Number:
        numbers = [int(each) for each in arguments if each == int(each)]
        if len(numbers) != len(arguments):
            raise ValueError(f"{function.__name__} takes whole numbers")
        if any(abs(each) > largest for each in numbers):
            raise ValueError("the value is too large")
        return Fraction(function(*numbers))

    return called


def _rounded_real(function: Callable[..., float]) -> Callable[..., Number]:
    return lambda *arguments: function(*(float(each) for each in arguments))


def _round(value: Number, digits: Number = Fraction(0)) -> Number:
    if not -100 <= digits <= 100:
        raise ValueError("round takes at most 100 digits")
    return Fraction(round(Fraction(value), int(digits)))


_CONSTANTS: dict[str, Number] = {"pi": math.pi, "e": math.e}
_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda left, right: Fraction(left // right),
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
_HUGE = 1 << _MOST_BITS
_FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": _root,
    "abs": abs,
    "min": min,
    "max": max,
    "round": _round,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "gcd": _whole(math.gcd, largest=_HUGE),
    "lcm": _whole(math.lcm, largest=_HUGE),
    "factorial": _whole(math.factorial, largest=2000),
    "comb": _whole(math.comb, largest=5000),
    "perm": _whole(math.perm, largest=2000),
    "exp": _rounded_real(math.exp),
    "log": _rounded_real(math.log),
    "sin": _rounded_real(math.sin),
    "cos": _rounded_real(math.cos),
    "tan": _rounded_real(math.tan),
    "asin": _rounded_real(math.asin),
    "acos": _rounded_real(math.acos),
    "atan": _rounded_real(math.atan),
}


def _shown(value: Number) -> str:
    if isinstance(value, float):
        return f"{value!r} (rounded)"
    if value.denominator == 1:
        return str(value.numerator) if value.numerator.bit_length() < 3.3 * _SHOWN_DIGITS else f"{_decimals(value)}"
    exact = f"{value.numerator}/{value.denominator}"
    return f"{exact} = {_decimals(value)}" if len(exact) < _SHOWN_DIGITS else _decimals(value)


def _decimals(value: Fraction) -> str:
    """Return 30 digits, and whether they are all there are."""
    import decimal

    context = decimal.Context(prec=30)
    digits = context.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))
    return f"{digits}" if Fraction(digits) == value else f"{digits} (rounded)"
