"""How far a transcript is from what was said, in words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_BRACKETED = re.compile(r"[<\[][^>\]]*[>\]]|\([^)]*\)")
_NOT_SPOKEN = frozenset("MSP")
"""First letters of the Unicode categories of marks, symbols and punctuation."""
_WRITTEN_SHORT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "prof": "professor"}
_APOSTROPHES = str.maketrans("’‘ʼ", "'''")
_CONTRACTED = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'m\b"), " am"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordErrors:
    """The fewest changes that make the transcript the reference."""

    words: int
    """Of the reference."""
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """All changes together."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """Errors for each word of the reference; may exceed 1, and is None where the reference has no word."""
        return self.errors / self.words if self.words else None


def spoken_words(text: str, *, english: bool = True) -> list[str]:
    """Return the words of a text as they are compared, after the normalisation of Whisper's authors in the main.

    Small letters; what stands in brackets is left out; marks, symbols and punctuation part words. In English,
    contractions and five titles are written out first, and the apostrophe of `'s` is dropped. Spelt numbers,
    British spelling and fillers stay as they are, unlike there.

    References:
        Radford et al. 2022, arXiv:2212.04356, appendix C; openai/whisper, whisper/normalizers.
    """
    text = _BRACKETED.sub(" ", unicodedata.normalize("NFKC", text).translate(_APOSTROPHES).lower())
    if english:
        for pattern, spoken in _CONTRACTED:
            text = pattern.sub(spoken, text)
        text = text.replace("'", "")
    parted = "".join(" " if unicodedata.category(char)[0] in _NOT_SPOKEN else char for char in text)
    words = parted.split()
    return [_WRITTEN_SHORT.get(word, word) for word in words] if english else words


def word_errors(reference: str, transcript: str, *, english: bool = True) -> WordErrors:
    """Return the errors of a transcript against what was said; both are normalised by `spoken_words`.

    Among equally few changes, those with the most substitutions count.
    """
    said, heard = spoken_words(reference, english=english), spoken_words(transcript, english=english)
    # Each cell: (changes, deletions, insertions) from a start of `said` to a start of `heard`.
    row = [(n, 0, n) for n in range(len(heard) + 1)]
    for i, word in enumerate(said, start=1):
        before, row = row, [(i, i, 0)]
        for j, other in enumerate(heard, start=1):
            if word == other:
                row.append(before[j - 1])
                continue
            swap, drop, add = before[j - 1], before[j], row[j - 1]
            row.append(
                min(
                    (swap[0] + 1, swap[1], swap[2]),
                    (drop[0] + 1, drop[1] + 1, drop[2]),
                    (add[0] + 1, add[1], add[2] + 1),
                )
            )
    changes, deletions, insertions = row[-1]
    return WordErrors(
        words=len(said),
        substitutions=changes - deletions - insertions,
        deletions=deletions,
        insertions=insertions,
    )


def word_error_rate(pairs: Iterable[tuple[str, str]], *, english: bool = True) -> float | None:
    """Return the errors of all (reference, transcript) pairs for each word of all references; None without words."""
    found = [word_errors(reference, transcript, english=english) for reference, transcript in pairs]
    words = sum(each.words for each in found)
    return sum(each.errors for each in found) / words if words else None
