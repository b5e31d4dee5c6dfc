r"""Finds the letter that a model chose. Each rule has a name and a version, which stand in the exam's id.

Ours, `fieldguide-choice/1`, looks for statements in this order; the first kind that is there decides:

1. `Final answer: C`, in any usual wrapping: `**Answer:** C`, `Answer: \boxed{C}`, `Answer: (C)`, `$C$`, `C) …`.
2. `Answer: C` at the start of a line or sentence, and `\boxed{C}`.
3. A sentence that says it: "The correct answer is (B)", "option B is correct", "I choose B".
4. The last line, if it is a bare letter or an option spelt out (`B) …`), and otherwise the first line.
5. The only letter in the last line that stands alone in brackets, bold or dollar signs.

Statements of one kind that name different letters contradict each other, and nothing was chosen; so does one that
names several (`Answer: B or C`, `Answer: ABCD`). "None of them" in the place of 1 or 2 is an answer, and never right.
A letter beyond the last choice is no choice. Where the answer was cut, only 1 and 2 count.

`fieldguide-choices/1` is the same for up to ten choices, A to J; `I` at the beginning of a clause is a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from re import Pattern
from typing import TypeAlias

from fieldguide.errors import UnknownNameError
from fieldguide.scoring._choice_patterns import GPQA_PAPER, SIMPLE_EVALS, ChoicePatterns, choice_patterns

LETTERS = "ABCD"
NO_CHOICE = "no choice found"
NONE_OF_THEM = "none"
"""What is read where a model says in the form asked for that none of the choices is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChoice:
    """What a rule found."""

    letter: str | None
    """The letter as read, or `NONE_OF_THEM`; None where there is neither."""
    reason: str | None = None
    """Why there is none, in a few words."""
    complete: bool = True
    """False where the statement ends with the text, so that a cut may have taken something from it."""


_NONE = FoundChoice(letter=None, reason=NO_CHOICE)


def find_choice(rule: str, text: str, *, cut: bool = False, letters: str = LETTERS) -> FoundChoice:
    """Return the choice in `text`, from which reasoning has been taken away, by the named rule.

    Args:
        rule: Name and version of the rule.
        text: What the model said.
        cut: Whether the token limit cut it, so that only a statement in the form asked for counts.
        letters: The choices that there are, for a rule that reads any number of them.

    Raises:
        UnknownNameError: There is no such rule.
    """
    if rule not in _RULES:
        raise UnknownNameError("extraction rule", rule, sorted(_RULES))
    return _RULES[rule](text, cut, letters)


def _gpqa_paper(text: str, _: bool, __: str) -> FoundChoice:
    """Take the first of the authors' patterns whose first hit is one of the letters."""
    for pattern in GPQA_PAPER:
        hit = pattern.search(text)
        if hit and hit[1] in LETTERS:
            return FoundChoice(letter=hit[1], complete=hit.end() < len(text))
    return _NONE


def _simple_evals(text: str, _: bool, __: str) -> FoundChoice:
    """Take the first hit as it is written: theirs compares `c` with `C`, and finds them unequal."""
    hit = SIMPLE_EVALS.search(text)
    return FoundChoice(letter=hit[1], complete=hit.end() < len(text)) if hit else _NONE


def _fieldguide(text: str, cut: bool, _: str) -> FoundChoice:
    return _by_kind(text, cut, LETTERS, choice_patterns("D", known="H"))


def _fieldguide_many(text: str, cut: bool, letters: str) -> FoundChoice:
    return _by_kind(text, cut, letters, choice_patterns("J", known="N"))


def _by_kind(text: str, cut: bool, choices: str, patterns: ChoicePatterns) -> FoundChoice:
    formal: tuple[_Kind, ...] = (_final, _formally)
    loose: tuple[_Kind, ...] = (_sentences, _last_line, _first_line, _alone)
    beyond: str | None = None
    for kind in formal if cut else (*formal, *loose):
        statements = kind(text, patterns)
        letters = {letter for statement in statements for letter in statement.letters}
        strangers = sorted(letters - {*choices, NONE_OF_THEM})
        if strangers:
            beyond = beyond or f"names {strangers[0]}, which is not a choice"
            letters -= set(strangers)
            if kind in formal:
                return FoundChoice(letter=None, reason=beyond)
        if len(letters) > 1:
            return FoundChoice(letter=None, reason=f"contradictory: {' and '.join(sorted(letters))}")
        if letters:
            return FoundChoice(letter=letters.pop(), complete=statements[-1].end < len(text))
    return FoundChoice(letter=None, reason=beyond or NO_CHOICE)


_RULES: dict[str, Callable[[str, bool, str], FoundChoice]] = {
    "fieldguide-choice/1": _fieldguide,
    "fieldguide-choices/1": _fieldguide_many,
    "gpqa-paper/1": _gpqa_paper,
    "simple-evals-choice/1": _simple_evals,
}


@dataclass(frozen=True, slots=True)
class _Statement:
    """Letters that one statement names, and where it ends."""

    letters: tuple[str, ...]
    end: int


_Kind: TypeAlias = Callable[[str, ChoicePatterns], list[_Statement]]


def _statements(pattern: Pattern[str], more: Pattern[str], text: str) -> Iterator[_Statement]:
    for hit in pattern.finditer(text):
        found = hit.groupdict()
        name = next(name for name in ("letter", "many", "none") if found.get(name))
        letters, end = [NONE_OF_THEM] if name == "none" else list(hit[name].upper()), hit.end(name)
        while further := more.match(text, end):
            letters.append(further["letter"].upper())
            end = further.end("letter")
        yield _Statement(tuple(letters), end)


def _final(text: str, patterns: ChoicePatterns) -> list[_Statement]:
    return list(_statements(patterns.final, patterns.more, text))


def _formally(text: str, patterns: ChoicePatterns) -> list[_Statement]:
    found = [*_statements(patterns.formal, patterns.more, text), *_statements(patterns.boxed, patterns.more, text)]
    return sorted(found, key=lambda statement: statement.end)


def _sentences(text: str, patterns: ChoicePatterns) -> list[_Statement]:
    return [statement for pattern in patterns.sentences for statement in _statements(pattern, patterns.more, text)]


def _last_line(text: str, patterns: ChoicePatterns) -> list[_Statement]:
    lines = text.strip().splitlines()
    return _option(lines[-1], len(text), patterns) if lines else []


def _first_line(text: str, patterns: ChoicePatterns) -> list[_Statement]:
    lines = text.strip().splitlines()
    return _option(lines[0], len(lines[0]), patterns) if lines else []


def _option(line: str, end: int, patterns: ChoicePatterns) -> list[_Statement]:
    hit = patterns.bare.fullmatch(line.strip()) or patterns.spelt.fullmatch(line.strip())
    return [_Statement((hit["letter"].upper(),), end)] if hit else []


def _alone(text: str, patterns: ChoicePatterns) -> list[_Statement]:
    lines = text.strip().splitlines()
    hits = patterns.alone.finditer(lines[-1]) if lines else iter(())
    return [_Statement((next(filter(None, hit.groups())),), len(text)) for hit in hits]
