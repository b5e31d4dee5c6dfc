"""English numbers in words to figures: `twenty one thousand` is `21000`, `three point one four` is `3.14`.

It follows the rules by which transcripts of speech are usually compared, so that a model that writes figures and one
that writes words are judged alike. A number is built word by word, as a whole number while it can be reckoned with
and as a string of figures once it can only be read out (`one oh one` is `101`, `nineteen forty five` is `1945`).

References:
    Radford et al. 2022, arXiv:2212.04356, appendix C; openai/whisper, whisper/normalizers/english.py (MIT). Written
    anew here; tests hold it against recorded outputs of that program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

_UNITS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_ONES = {word: number for number, word in enumerate(_UNITS, start=1)}
_ZEROS = frozenset({"o", "oh", "zero"})
_TENS = {
    word: 10 * number
    for number, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
}
_LARGE = [
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
    "sextillion",
    "septillion",
    "octillion",
    "nonillion",
    "decillion",
]
_MULTIPLIERS = {"hundred": 100, **{word: 1000**power for power, word in enumerate(_LARGE, start=1)}}
_IRREGULAR = {"zeroth": (0, "th"), "first": (1, "st"), "second": (2, "nd"), "third": (3, "rd"), "fifth": (5, "th")}
_ONES_ENDED = {
    **_IRREGULAR,
    "twelfth": (12, "th"),
    **{
        word + ("h" if word.endswith("t") else "th"): (number, "th")
        for word, number in _ONES.items()
        if number > 3 and number not in {5, 12}
    },
    **{("sixes" if word == "six" else word + "s"): (number, "s") for word, number in _ONES.items()},
}
_TENS_ENDED = {
    **{word.replace("y", "ies"): (number, "s") for word, number in _TENS.items()},
    **{word.replace("y", "ieth"): (number, "th") for word, number in _TENS.items()},
}
_MULTIPLIERS_ENDED = {
    **{word + "s": (number, "s") for word, number in _MULTIPLIERS.items()},
    **{word + "th": (number, "th") for word, number in _MULTIPLIERS.items()},
}
_SIGNS = {"minus": "-", "negative": "-", "plus": "+", "positive": "+"}
_MONEY = {
    "pound": "£", "pounds": "£", "euro": "€", "euros": "€", "dollar": "$", "dollars": "$", "cent": "¢", "cents": "¢",
}  # fmt: skip
_BEFORE = frozenset({*_SIGNS.values(), *_MONEY.values()})
_REPEATED = {"double": 2, "triple": 3}
_SPECIAL = frozenset({"and", "point", *_REPEATED})
_DECIMALS = frozenset({*_ONES, *_TENS, *_ZEROS})
_NUMERAL = frozenset(
    {
        *_DECIMALS, *_MULTIPLIERS, *_ONES_ENDED, *_TENS_ENDED, *_MULTIPLIERS_ENDED,
        *_SIGNS, *_MONEY, "per", "percent", *_SPECIAL,
    }
)  # fmt: skip
"""Words that may be part of a number."""
_FIGURES = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_HALF = re.compile(r"\band\s+a\s+half\b")


def numbers_in_figures(text: str) -> str:
    """Return a text in small letters with its numbers in figures; a lone `1` is written `one`, as people say it."""
    words = _prepared(text).split()
    return _finished(" ".join(_Numbers(words)))


def _prepared(text: str) -> str:
    """Return the text with `and a half` as a decimal after a number, and figures parted from letters.

    With nothing before it, `and a half` is left out, as it is by the program that these rules come from.
    """
    pieces: list[str] = []
    parts = _HALF.split(text)
    for number, part in enumerate(parts):
        if not part.strip():
            continue
        pieces.append(part)
        if number < len(parts) - 1:
            last = (part.rsplit(maxsplit=1) or [""])[-1]
            pieces.append("point five" if last in _DECIMALS or last in _MULTIPLIERS else "and a half")
    text = " ".join(pieces)
    text = re.sub(r"([a-z])([0-9])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-z])", r"\1 \2", text)
    return re.sub(r"([0-9])\s+(st|nd|rd|th|s)\b", r"\1\2", text)


def _finished(text: str) -> str:
    text = re.sub(
        r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b",
        lambda found: f"{found[1]}{found[2]}.{int(found[3]):02d}",
        text,
    )
    text = re.sub(r"[€£$]0\.([0-9]{1,2})\b", lambda found: f"¢{int(found[1])}", text)
    return re.sub(r"\b1(s?)\b", r"one\1", text)


class _Numbers:
    """Reads words one by one and yields them back, numbers joined."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._value: int | str | None = None
        self._sign = ""
        self._skip = False

    def __iter__(self) -> Iterator[str]:
        for place, word in enumerate(self._words):
            before = self._words[place - 1] if place else None
            after = self._words[place + 1] if place + 1 < len(self._words) else None
            if self._skip:
                self._skip = False
            else:
                yield from self._read(before, word, after)
        yield from self._flush()

    def _read(self, before: str | None, word: str, after: str | None) -> Iterator[str]:
        numeric_after = after is not None and _FIGURES.fullmatch(after) is not None
        signed = word[0] in _BEFORE
        bare = word[1:] if signed else word
        if _FIGURES.fullmatch(bare):
            yield from self._figures(bare, word[0] if signed else None)
        elif word not in _NUMERAL:
            yield from self._flush()
            yield self._out(word)
        elif word in _ZEROS:
            self._append("0")
        elif word in _ONES or word in _TENS:
            self._add(_ONES.get(word) or _TENS[word], before)
        elif word in _ONES_ENDED or word in _TENS_ENDED:
            number, ending = _ONES_ENDED.get(word) or _TENS_ENDED[word]
            yield from self._ended(number, ending, before)
        elif word in _MULTIPLIERS:
            yield from self._multiply(_MULTIPLIERS[word])
        elif word in _MULTIPLIERS_ENDED:
            number, ending = _MULTIPLIERS_ENDED[word]
            yield from self._multiply(number)
            yield from self._flush(ending)
        elif word in _SIGNS:
            yield from self._flush()
            if after in _NUMERAL or numeric_after:
                self._sign = _SIGNS[word]
            else:
                yield self._out(word)
        elif word in _MONEY:
            yield from self._with_money(word)
        elif word in {"per", "percent"}:
            yield from self._with_percent(word, after)
        else:
            yield from self._special(before, word, after, follows=after in _NUMERAL or numeric_after)

    def _flush(self, ending: str = "") -> Iterator[str]:
        """Yield the number so far, if there is one, and begin anew."""
        if self._value is not None:
            yield self._out(f"{self._value}{ending}")
            self._value = None

    def _out(self, text: str) -> str:
        """Return what is said next, with the sign that stands before it."""
        text, self._sign = f"{self._sign}{text}", ""
        return text

    def _append(self, figures: str) -> None:
        self._value = f"{'' if self._value is None or self._value == 0 else self._value}{figures}"

    def _figures(self, figures: str, sign: str | None) -> Iterator[str]:
        if isinstance(self._value, str) and self._value.endswith("."):
            self._value += figures  # a decimal
            return
        yield from self._flush()
        if sign is not None:
            self._sign = sign
        value = Fraction(figures)
        self._value = value.numerator if value.denominator == 1 else figures

    def _add(self, number: int, before: str | None) -> None:
        """Take a number below 100 into the number so far."""
        value = self._value
        room = 100 if number >= 10 else 10
        if value is None:
            self._value = number
        elif number < 20 and before in _TENS and number < 10 and isinstance(value, str):
            self._value = value[:-1] + str(number)
        elif isinstance(value, str) or (number < 20 and before in _ONES) or value % room:
            self._value = f"{value}{number}"
        else:
            self._value = value + number

    def _ended(self, number: int, ending: str, before: str | None) -> Iterator[str]:
        """Take a number that ends the whole one, such as `third` or `sixties`."""
        self._add(number, before)
        yield from self._flush(ending)

    def _multiply(self, by: int) -> Iterator[str]:
        value = self._value
        if value is None:
            self._value = by
        elif isinstance(value, str) or value == 0:
            number = _fraction(value)
            if number is not None and (number * by).denominator == 1:
                self._value = (number * by).numerator
            else:
                yield from self._flush()
                self._value = by
        else:
            self._value = value // 1000 * 1000 + value % 1000 * by

    def _with_money(self, word: str) -> Iterator[str]:
        if self._value is None:
            yield self._out(word)
        else:
            self._sign = _MONEY[word]
            yield from self._flush()

    def _with_percent(self, word: str, after: str | None) -> Iterator[str]:
        if self._value is None:
            yield self._out(word)
        elif word == "percent":
            yield from self._flush("%")
        elif after == "cent":
            yield from self._flush("%")
            self._skip = True
        else:
            yield from self._flush()
            yield self._out(word)

    def _special(self, before: str | None, word: str, after: str | None, *, follows: bool) -> Iterator[str]:
        if not follows:
            yield from self._flush()
            yield self._out(word)
        elif word == "and":
            if before not in _MULTIPLIERS:  # after them it is part of the number
                yield from self._flush()
                yield self._out(word)
        elif word == "point":
            if after in _DECIMALS or (after is not None and _FIGURES.fullmatch(after)):
                self._append_point()
        elif after in _ONES or after in _ZEROS:
            self._value = f"{self._value or ''}{str(_ONES.get(after or '', 0)) * _REPEATED[word]}"
            self._skip = True
        else:
            yield from self._flush()
            yield self._out(word)

    def _append_point(self) -> None:
        self._value = f"{self._value or ''}."


def _fraction(value: int | str) -> Fraction | None:
    try:
        return Fraction(value)
    except ValueError:
        return None
