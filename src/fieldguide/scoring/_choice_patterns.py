r"""How models say which choice they take. Every repetition is bounded, so that no text takes long to read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_S = r"\s{0,9}"
_SS = r"\s{1,9}"
_FLAGS = re.IGNORECASE | re.MULTILINE

_COMMAND = r"\\[(\[]|\\(?:boxed|fbox|text|textbf|mathrm|mathbf|rm|bf)\b"
_OPEN = rf"(?:[\s*_`\"'“‘«»:>({{\[$]|{_COMMAND}|<answer>){{0,24}}"
"""Wrapping before a letter."""
_CLOSE = r"[)\]}*_$`\"'”’»\s.:>]{0,9}"
_NOUN = rf"(?:(?:the{_SS})?(?:answer{_SS}choice|option|choice|letter|answer){_SS})?"
_NONE = rf"(?P<none>(?:none|neither)\b|n/a\b|no{_SS}(?:correct{_SS}|valid{_SS})?(?:answer|option|choice)\b)"

_START = r"(?:^|(?<=[.!?:;)\]]\s)|(?<=\*\*))(?:[\s*_#>`(\-•]|\\\[|\\text\{){0,24}"
"""Where a line or a sentence begins."""
_MARK = r"(?:answer|choice|option|ответ|答案)"
_COLON = rf"(?:{_S}\((?:letter|choice|option)\))?[*_`]{{0,9}}{_S}(?:is{_S})?[*_]{{0,9}}[:：=][*_`]{{0,9}}{_S}\}}?"
_IS_MARKED = rf"(?:{_COLON}|{_SS}is\b|[*_\s]{{0,9}}\n)"
_SO = rf"(?:(?:so|thus|therefore|hence),?{_SS})?(?:(?:the|my|правильный){_SS})?(?:(?:correct|best|chosen){_SS})?"

_SUBJECT = r"\b(?:answer|choice|option|statement|match|value|response|ответ|вариант)s?\b"
_BETWEEN = (
    rf"(?:{_SS}(?:to|for|from|among|of|here|would|must|should|will|therefore|thus|then|that|which|best|most|closely|"
    r"matches|fits|given|the|this|these|all|above|following|provided|options?|choices?|list|question|problem)){0,9}"
)
_BEING = rf"{_S}(?:,\s)?(?:is|be|(?:seems|appears){_SS}to{_SS}be|[:—–-])[:,]?{_S}"
_RIGHT = r"(?:correct|right|true|best|answer|accurate|appropriate|likely)\b"
_THE_RIGHT = rf"(?:the{_SS})?(?:most{_SS}\w{{1,30}}{_SS}|only{_SS}|best{_SS})?(?:correct|right|best|closest)"
_TAKING = rf"(?:choose|select|pick|conclude{_SS}that{_SS}it{_SS}is)(?:{_SS}the)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoicePatterns:
    """How a choice among these letters is stated, kind by kind."""

    final: re.Pattern[str]
    formal: re.Pattern[str]
    boxed: re.Pattern[str]
    more: re.Pattern[str]
    """A further letter in the same statement."""
    sentences: tuple[re.Pattern[str], ...]
    bare: re.Pattern[str]
    """A line that is a letter in its wrapping."""
    spelt: re.Pattern[str]
    """A line that is an option with its text."""
    alone: re.Pattern[str]
    """A letter set apart within a line."""


@cache
def choice_patterns(last: str, *, known: str) -> ChoicePatterns:
    """Return the patterns for choices from A to `last`; letters beyond it, up to `known`, are recognised as no choice.

    Where `I` may be a choice it is one unless it begins a clause ("I think").
    """
    letters, every = f"[A-{last}]", f"[A-{known}]"
    capital = every if known < "I" else rf"(?:(?!I){every}|I(?!\s{{1,9}}(?!is\b)[a-z]))"
    # A capital that is no word, no beginning of one, and no quantity (`E = …`).
    upper = rf"(?-i:{capital})(?![\w'’-]|{_S}[=^+])"
    lower = rf"[a-{known.lower()}](?={_S}[)\]}}]|[.*_$ ]{{0,9}}(?:\n|\Z))"
    letter = rf"(?P<letter>{upper}|{lower})"
    stated = f"{_OPEN}{_NOUN}{_OPEN}{letter}"
    several = rf"(?P<many>(?-i:{letters}{{2,{ord(last) - ord('A') + 1}}}))(?!\w)"
    formally = rf"{_OPEN}{_NOUN}{_OPEN}(?:{_NONE}|{letter}|{several})"
    return ChoicePatterns(
        final=re.compile(rf"\b(?:final|окончательный|最终){_S}(?:correct{_SS})?{_MARK}{_IS_MARKED}{formally}", _FLAGS),
        formal=re.compile(f"{_START}{_SO}{_MARK}{_COLON}{formally}", _FLAGS),
        boxed=re.compile(rf"\\(?:boxed|fbox){_S}\{{{stated}[\s)\]}}.]{{0,9}}\}}", _FLAGS),
        more=re.compile(
            rf"[)\]}}*_$.\s]{{0,4}}(?:,?{_S}\b(?:or|and|and/or)\b|[/,&+])[\s*_({{\[$]{{0,9}}(?:(?:option|choice){_SS})?"
            rf"(?P<letter>{letters})(?![\w'’-])",
            re.IGNORECASE,
        ),
        sentences=(
            re.compile(f"{_SUBJECT}{_BETWEEN}{_BEING}{stated}", _FLAGS),  # the correct answer is (B)
            re.compile(  # option B is the correct one
                rf"\b(?:answer|option|choice|ответ|вариант){_OPEN}{letter}{_CLOSE}"
                rf"(?:is|as|seems|appears|(?:would|must){_SS}be){_SS}(?:\w{{1,30}}{_SS}){{0,3}}?{_RIGHT}"
                rf"(?!{_SS}(?:not|in)\b)",
                _FLAGS,
            ),
            re.compile(rf"\b(?:I|we){_SS}(?:\w{{1,30}}{_SS})?{_TAKING}{stated}", _FLAGS),  # I would choose C
            re.compile(  # the correct order of reactions is: B) …
                rf"\b(?:correct|best|closest|right){_SS}\w{{1,30}}\b[^.\n]{{0,120}}?\bis:{_S}{_OPEN}"
                rf"(?P<letter>{letters})\)",
                _FLAGS,
            ),
            re.compile(  # B is the correct answer
                rf"{_OPEN}{letter}{_CLOSE}(?:is|as){_SS}{_THE_RIGHT}{_SS}(?:answer|option|choice|one)\b", _FLAGS
            ),
        ),
        bare=re.compile(rf"{stated}{_CLOSE}(?:</answer>)?", re.IGNORECASE),
        spelt=re.compile(
            rf"[\s*_#>`(\[$-]{{0,9}}(?P<letter>{every})[*_$]{{0,9}}[)\].:][*_]{{0,9}}(?:\s.*|)", re.DOTALL
        ),
        alone=re.compile(rf"\((?P<a>{every})\)|\*\*\(?(?P<b>{every})[).]?\*\*|\$(?P<c>{every})\$|\b(?P<d>{every})\)"),
    )


GPQA_PAPER = tuple(
    re.compile(pattern)
    for pattern in (r"answer is \((.)\)", r"Answer: \((.)\)", r"answer: \((.)\)", r"answer \((.)\)", r"\((.)\)")
)
"""`parse_sampled_answer` of baselines/closed_book.py in github.com/idavidrein/gpqa, in its order."""
SIMPLE_EVALS = re.compile(r"(?i)Answer[ \t]*:[ \t]*\$?([A-D])\$?")
"""`ANSWER_PATTERN_MULTICHOICE` of common.py in github.com/openai/simple-evals."""
