"""Words one slip away: a letter too many, too few, exchanged or swapped with its neighbour."""

from __future__ import annotations

from collections.abc import Container
from string import ascii_lowercase

_LEAST = 4
"""Letters of a word that is corrected; of shorter ones too many are near."""


def one_slip_away(word: str, known: Container[str]) -> list[str]:
    """Return the known words that one slip turns into `word`, in order.

    Everything that one slip makes of the word is looked up, some hundred texts, however many words are known. A word
    with a digit has none: 7 is no misspelling of 8.
    """
    if len(word) < _LEAST or not (word.isascii() and word.isalpha()):
        return []
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    slips = {left + right[1:] for left, right in halves if right}
    slips |= {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
    slips |= {left + letter + right[1:] for left, right in halves if right for letter in ascii_lowercase}
    slips |= {left + letter + right for left, right in halves for letter in ascii_lowercase}
    return sorted(slip for slip in slips - {word} if slip in known)
