"""How far a transcript is from what was said, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fieldguide.scoring._spoken_words import spoken_words

NORMALISATION = "whisper-normalizer/1"
"""Name of the rules of `spoken_words`; a change of what they give is another number."""


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


def word_errors(reference: str, transcript: str, *, language: str | None = "en") -> WordErrors:
    """Return the errors of a transcript against what was said; both are normalised by `spoken_words`.

    Among equally few changes, those with the most substitutions count.
    """
    said, heard = spoken_words(reference, language=language), spoken_words(transcript, language=language)
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


def word_error_rate(pairs: Iterable[tuple[str, str]], *, language: str | None = "en") -> float | None:
    """Return the errors of all (reference, transcript) pairs for each word of all references; None without words."""
    found = [word_errors(reference, transcript, language=language) for reference, transcript in pairs]
    words = sum(each.words for each in found)
    return sum(each.errors for each in found) / words if words else None
