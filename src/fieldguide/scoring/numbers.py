r"""Reads written numbers exactly: `1{,}250`, `\frac{3}{4}`, `-3/8`, `137\frac{1}{2}`, `3.5\times10^{4}`, `12.5%`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

_MAX_CHARACTERS = 4000
_MAX_EXPONENT = 400
_DOUBLE_NOISE = Fraction(1, 10**9)

_DIGITS = r"\d{1,3}(?:,\d{3})+(?!\d)|\d+"
_DECIMAL = rf"(?:(?:{_DIGITS})(?:\.\d*)?|\.\d+)"
_INTEGER = re.compile(r"-?\d+")
_NUMBER = re.compile(
    rf"(?P<sign>[+-]?)\s*(?:"
    rf"(?:(?P<whole>\d+)\s*)?\\frac\s*\{{\s*(?P<top>-?\s*{_DECIMAL})\s*\}}\s*\{{\s*(?P<bottom>-?\s*{_DECIMAL})\s*\}}"
    rf"|(?:(?P<whole2>\d+)\s+)?(?P<top2>{_DECIMAL})\s*/\s*(?P<bottom2>{_DECIMAL})"
    rf"|(?P<decimal>{_DECIMAL})(?:\s*(?:\\times|\\cdot|\*)\s*10\s*\^\s*\{{?(?P<power>[+-]?\d{{1,4}})\}}?"
    rf"|[eE](?P<exponent>[+-]?\d{{1,4}}))?"
    rf")\s*(?P<percent>%?)"
)
_MULTIPLIERS = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number as it was written."""

    value: Fraction
    """Its exact value; a percentage as the number before the sign."""
    percent: bool = False
    last_digit: Fraction | None = None
    """What one step of the last digit is worth, where it is written as a decimal and so perhaps rounded."""
    digits: int = 0
    """Significant digits of a decimal."""


def parse_number(text: str) -> Number | None:
    """Return the number that the whole of a cleaned answer writes, or None where it is something else.

    Groups of three digits may be parted by commas. Numbers of more than 4,000 characters are left alone.
    """
    if not text or len(text) > _MAX_CHARACTERS:
        return None
    if _INTEGER.fullmatch(text):
        return Number(value=Fraction(int(text)))
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    value = _unsigned(found)
    if value is None:
        return None
    number = Number(value=-value if found["sign"] == "-" else value, percent=bool(found["percent"]))
    power = found["power"] or found["exponent"]
    if found["decimal"] is None or ("." not in found["decimal"] and power is None):
        return number
    whole, _, places = found["decimal"].replace(",", "").partition(".")
    last_digit = Fraction(10) ** (int(power or 0) - len(places))
    return replace(number, last_digit=last_digit, digits=len((whole + places).lstrip("0")))


def multiplied(number: Number, unit: str) -> Number:
    """Return the number with a counting word behind it worked in (`5 million`).

    Other units change nothing: the question says in what the answer is counted.
    """
    first = unit.split(" ")[0].lower() if unit else ""
    if first in {"percent", "percentage"}:
        return replace(number, percent=True)
    return _scaled(number, _MULTIPLIERS[first]) if first in _MULTIPLIERS else number


def numbers_equal(gold: Number, predicted: Number) -> bool:
    """Return whether two written numbers are the same answer.

    Exact values must be equal. Where the right answer is no whole number, a decimal of six digits or more may be the
    other value rounded. Where only one is a percentage, 10 % is both 10 and 0.1: questions ask for either.
    """
    if gold.percent == predicted.percent:
        return _close(gold, predicted)
    if gold.percent:
        return any(_close(one, predicted) for one in (gold, _scaled(gold, Fraction(1, 100))))
    return any(_close(gold, one) for one in (predicted, _scaled(predicted, Fraction(1, 100))))


def rounds(decimal: Number, value: Fraction) -> bool:
    """Return whether a decimal is `value` rounded to six digits or more, or to the precision of a double."""
    if decimal.last_digit is None:
        return False
    difference = abs(decimal.value - value)
    return difference <= abs(value) * _DOUBLE_NOISE or (decimal.digits >= 6 and difference < decimal.last_digit / 2)


def _close(gold: Number, predicted: Number) -> bool:
    if gold.value == predicted.value:
        return True
    if gold.value.denominator == 1 and gold.last_digit is None:
        return False
    return rounds(predicted, gold.value) or rounds(gold, predicted.value)


def _scaled(number: Number, factor: Fraction | int) -> Number:
    last_digit = None if number.last_digit is None else number.last_digit * factor
    return replace(number, value=number.value * factor, last_digit=last_digit)


def _unsigned(found: re.Match[str]) -> Fraction | None:
    if found["decimal"] is not None:
        power = int(found["power"] or found["exponent"] or 0)
        if abs(power) > _MAX_EXPONENT:
            return None
        return _fraction(found["decimal"]) * Fraction(10) ** power
    top = _fraction(found["top"] or found["top2"])
    bottom = _fraction(found["bottom"] or found["bottom2"])
    if bottom == 0:
        return None
    return _fraction(found["whole"] or found["whole2"] or "0") + top / bottom


def _fraction(written: str) -> Fraction:
    written = written.replace(",", "").replace(" ", "")
    return Fraction(written + "0" if written.endswith(".") else written)
