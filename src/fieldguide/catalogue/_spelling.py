"""Words one slip away: a letter too many, too few, exchanged or swapped with its neighbour."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

_LEAST = 4
"""Letters of a word that is corrected; of shorter ones too many are near."""


class Spelling:
    """Looks words up with one slip allowed, by what both leave when a letter is taken out.

    Two words that share such a rest are at most two slips apart. Looking up costs as many look-ups as the word has
    letters, however many words are known.
    """

    def __init__(self, known: Iterable[str]) -> None:
        """Take the words that exist; those with digits are left out, since 7 is no misspelling of 8."""
        self._by_rest: dict[str, set[str]] = defaultdict(set)
        for word in known:
            if word.isalpha() and len(word) >= _LEAST - 1:
                for rest in _rests(word):
                    self._by_rest[rest].add(word)

    def nearest(self, word: str) -> list[str]:
        """Return the known words that one slip turns into `word`, in order."""
        if not word.isalpha() or len(word) < _LEAST:
            return []
        near = {each for rest in _rests(word) for each in self._by_rest.get(rest, ())}
        return sorted(each for each in near if _one_slip(each, word))


def _rests(word: str) -> set[str]:
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def _one_slip(one: str, other: str) -> bool:
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return short in _rests(long)
    differ = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differ) == 2 and differ[1] == differ[0] + 1:
        at = differ[0]
        return one[at] == other[at + 1] and one[at + 1] == other[at]
    return len(differ) == 1
