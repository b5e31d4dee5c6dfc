"""Reads the value out of an answer line: an integer, a list of integers, or a word.

A line is read only where it states one value. `12 or 13`, `3 4` and `about 40` state none, whatever the target: an
answer of that kind is wrong, and a right value is never picked out of it.

For integers, in order:

1. The line is an integer: a sign, thousands separators (`1,234`, `1_234`, a thin or no-break space), leading zeros
   and a decimal part of zeros do not matter.
2. A line that denies or offers alternatives states nothing.
3. It is an equation whose right end is one integer, with at most four words after it (`3 + 4 = 7 apples`).
4. It has exactly one passage in bold, and that is an integer.
5. It holds exactly one number and no operator.

Explanations after `because`, `since` or in closing brackets are left out first, and of `…, so …` the last part counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from fieldguide.scoring.short_answer import unwrapped

_GROUP_SPACES = re.compile(r"(?<=[0-9])(?:\{,\}|\\,|[\u00a0\u2009\u202f_])(?=[0-9]{3})")
_MINUS_WORD = re.compile(r"\b(?:minus|negative)\s+(?=[0-9])", re.IGNORECASE)
_INTEGER = r"[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.0+)?"
_WHOLE = re.compile(_INTEGER)
_LIST = re.compile(r"\[[^\[\]]*\]")
_EXPLANATION = re.compile(r"[\s,;]*(?:\b(?:because|since)\b.*|\([^()]*\)\.?)$", re.IGNORECASE)
_CONCLUSION = re.compile(r".*\b(?:so|thus|hence|therefore)\b[\s,:]*(?=.*[0-9])", re.IGNORECASE)
_NO_STATEMENT = re.compile(
    r"\b(?:or|nor|not|no|never|neither|either|between|unable|cannot|wrong|incorrect)\b|n['’]t\b"
    r"|\b(?:hundred|thousand|million|billion|dozen|half|halves|percent|squared|cubed)s?\b"
    r"|\b(?:about|around|approximately|roughly|almost|nearly|over|under|least|most|than)\s+(?=[-+$]?[0-9])",
    re.IGNORECASE,
)
_EQUATION = re.compile(
    rf"[^0-9=]*(?:(?:mod|[0-9+*/×÷%^()\s.−-]|,(?=[0-9]))*=)+\s*(?P<value>{_INTEGER})(?:\s+[A-Za-z'’-]+){{0,4}}"
)
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_OPERATOR = re.compile(r"[+*/×÷%^<>≤≥~≈=]|(?:^|\s)-(?=\s)")
_WORD_LEAD_IN = re.compile(
    r"(?:.*\b(?:is|prints?|outputs?|gives|returns|displays|be)|.*:)\s+(?P<word>\S+)", re.IGNORECASE
)


class Kind(Enum):
    """What a target is."""

    INTEGER = "integer"
    LIST = "list"
    WORD = "word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a line says."""

    value: str | None = None
    """The one value it states, in the form of targets; None where it states none."""
    relevant: bool
    """Whether the line holds anything of the target's kind, so that stating none is a wrong answer."""


def kind_of(target: str) -> Kind:
    """Return the kind of a target."""
    if _LIST.fullmatch(target):
        return Kind.LIST
    return Kind.INTEGER if _WHOLE.fullmatch(target) else Kind.WORD


def is_bare(kind: Kind, line: str) -> bool:
    """Return whether an unwrapped line is a value of that kind and nothing else."""
    line = _normalised(line)
    if kind is Kind.INTEGER:
        return _WHOLE.fullmatch(line) is not None
    if kind is Kind.LIST:
        return _LIST.fullmatch(line) is not None and _list(line) is not None
    return re.fullmatch(r"\w+", line) is not None


def read(kind: Kind, line: str) -> Reading:
    """Return what an unwrapped line states."""
    line = _normalised(line)
    if kind is Kind.WORD:
        return Reading(value=_word(line), relevant=bool(line))
    relevant = re.search(r"[0-9]", line) is not None
    if kind is Kind.LIST:
        return Reading(value=_only_list(line), relevant=relevant or "[" in line)
    return Reading(value=_integer(line) if relevant else None, relevant=relevant)


def _normalised(line: str) -> str:
    line = line.replace("−", "-").replace("–", "-").replace("$", "").replace("`", "")
    return _MINUS_WORD.sub("-", _GROUP_SPACES.sub(",", line)).strip()


def _canonical(digits: str) -> str:
    """Return the integer in its shortest form; by text, since `int` refuses more than 4300 digits."""
    digits = digits.split(".")[0].replace(",", "")
    magnitude = digits.lstrip("+-").lstrip("0") or "0"
    return f"-{magnitude}" if digits.startswith("-") and magnitude != "0" else magnitude


def _integer(line: str) -> str | None:
    if _WHOLE.fullmatch(line):
        return _canonical(line)
    line = _EXPLANATION.sub("", line)
    if _NO_STATEMENT.search(line):
        return None
    line = _CONCLUSION.sub("", line)
    bold = _BOLD.findall(line)
    line = unwrapped(line.replace("**", ""))
    equation = _EQUATION.fullmatch(line)
    if equation:
        return _canonical(equation["value"])
    if len(bold) == 1 and _WHOLE.fullmatch(inside := unwrapped(bold[0])):
        return _canonical(inside)
    return _only_number(line)


def _only_number(line: str) -> str | None:
    chunks = [chunk for chunk in line.split() if re.search(r"[0-9]", chunk)]
    if len(chunks) != 1 or _OPERATOR.search(line):
        return None
    number = chunks[0].strip(".,;:!?\"'“”‘’*_()")
    return _canonical(number) if _WHOLE.fullmatch(number) else None


def _only_list(line: str) -> str | None:
    lists = _LIST.findall(line)
    around = _LIST.sub("", line)
    if len(lists) != 1 or re.search(r"[0-9\[\]]", around) or _NO_STATEMENT.search(around):
        return None
    return _list(lists[0])


def _list(text: str) -> str | None:
    """Return the list as Python prints it; None where it holds anything but integers."""
    inside = text.strip()[1:-1].strip()
    parts = [part.strip() for part in inside.split(",")] if inside else []
    if all(re.fullmatch(r"[-+]?[0-9]+", part) for part in parts):
        return f"[{', '.join(_canonical(part) for part in parts)}]"
    return None


def _word(line: str) -> str | None:
    plain = unwrapped(line.replace("**", ""))
    if re.fullmatch(r"\S+", plain):
        return plain
    lead_in = _WORD_LEAD_IN.fullmatch(plain)
    if lead_in is None or _NO_STATEMENT.search(plain):
        return None
    return unwrapped(lead_in["word"])
