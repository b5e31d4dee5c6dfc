"""The rule by which the authors of MMMU-Pro read a chosen letter, step for step, without its random guess.

References:
    `parse_multi_choice_response` of mmmu-pro/evaluate.py in github.com/MMMU-Benchmark/MMMU (Apache-2.0). Where it finds
    nothing it draws a letter at random, which is right once in ten times; here nothing was chosen then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

_MARK = "Answer:"
_ENDS = (",", ".", "!", "?", ";", ":", "'")
_LEAST_WORDS = 5


def mmmu_choice(text: str, choices: Mapping[str, str]) -> str | None:
    """Return the letter that the authors' rule reads in a text; None where theirs would guess.

    Its ways are kept: a lone capital before a space counts before a letter before a full stop, so that of
    "J. A dramatic increase" it reads A.

    Args:
        text: What the model said, as it is.
        choices: The texts of the choices by letter, in their order.
    """
    letters = list(choices)
    marked = text.rfind(_MARK)
    if marked != -1:
        after = text[marked + len(_MARK) :].strip()
        named = [letter for letter in letters if letter in after]
        if len(named) == 1:
            return named[0]
    for end in _ENDS:
        text = text.strip(end)
    text = f" {text} "
    for form, place in (
        ("({})", lambda letter: text.rfind(f"({letter})")),
        ("{} ", lambda letter: text.rfind(f" {letter} ")),
        ("{}.", lambda letter: text.rfind(f" {letter} ")),
    ):
        found = [letter for letter in letters if form.format(letter) in text]
        if found:
            return _last(found, place)
    if len(text.split()) <= _LEAST_WORDS:
        return None
    lower = text.lower()
    spelt = [letter for letter in letters if choices[letter].lower() in lower]
    return _last(spelt, lambda letter: lower.rfind(choices[letter].lower())) if spelt else None


def _last(letters: Sequence[str], place: Callable[[str], int]) -> str:
    """Return the letter that stands last; of several at one place the first."""
    return letters[0] if len(letters) == 1 else max(letters, key=place)
