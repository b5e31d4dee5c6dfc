"""Search over the catalogue: an inverted index in memory.

Every word of a record and every value of a facet is a key with the numbers of the records that have it; a query meets
the sets of its words and facets. Records are numbered in the order in which they are shown where nothing else decides.
"""

from __future__ import annotations

import bisect
import heapq
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from fieldguide.catalogue._spelling import one_slip_away
from fieldguide.errors import UsageError

_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmbt]?)", re.IGNORECASE)
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12}
_LEAST_PREFIX = 2
"""A word of one letter is met only by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """What search knows of one model."""

    name: str
    words: str
    """Free text: title, family, publisher, what it is good for."""
    facets: frozenset[tuple[str, str]] = frozenset()
    """Such as `("kind", "code")`, `("at", "ollama")`, `("licence", "mit")`."""
    parameters: float | None = None
    """What a limit on size is held against; None where no size is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for; everything must hold."""

    text: str = ""
    facets: Collection[tuple[str, str]] = ()
    max_parameters: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The answer to a query."""

    numbers: tuple[int, ...]
    """Positions of the records found, best first, no more than were asked for."""
    total: int
    unknown_size: int
    """Records left out only because their size is not known."""
    corrected: tuple[tuple[str, str], ...] = ()
    """Words that nothing has, and the words one slip away that were taken instead."""


@dataclass(slots=True)
class SearchIndex:
    """An index over records, which keep their order."""

    _names: list[str] = field(default_factory=list)
    _sizes: list[float | None] = field(default_factory=list)
    _by_word: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _by_name_word: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _by_facet: dict[tuple[str, str], set[int]] = field(default_factory=lambda: defaultdict(set))
    _vocabulary: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, records: Iterable[SearchRecord]) -> SearchIndex:
        """Return an index over records."""
        made = cls()
        for number, record in enumerate(records):
            made._names.append(record.name.lower())
            made._sizes.append(record.parameters)
            for word in words_of(record.name):
                made._by_name_word[word].add(number)
                made._by_word[word].add(number)
            for word in words_of(record.words):
                made._by_word[word].add(number)
            for facet in record.facets:
                made._by_facet[facet].add(number)
        made._vocabulary = sorted(made._by_word)
        return made

    def facet_values(self, facet: str) -> list[str]:
        """Return every value that a facet has, in order."""
        return sorted(value for key, value in self._by_facet if key == facet)

    def find(self, query: Query, *, most: int = 50) -> Found:
        """Return the records for which everything in the query holds.

        A word is met by itself or, from two letters on, by its beginning; a word that nothing has, by the commonest
        word one slip away. Records whose name holds more of the words come first, then those with the shorter name.
        """
        corrected = self._corrected(dict.fromkeys(words_of(query.text)))
        wanted = list(dict.fromkeys(corrected.values()))
        changed = tuple((word, taken) for word, taken in corrected.items() if word != taken)
        sets: list[set[int]] = [self._by_facet.get(facet, set()) for facet in query.facets]
        sets += [self._meeting(word) for word in wanted]
        held: Iterable[int] = set.intersection(*sorted(sets, key=len)) if sets else range(len(self._names))
        unknown = 0
        if query.max_parameters is not None:
            kept = []
            for number in held:
                size = self._sizes[number]
                if size is None:
                    unknown += 1
                elif size <= query.max_parameters:
                    kept.append(number)
            held = kept
        held = held if isinstance(held, Sequence) else list(held)
        if not wanted:
            return Found(numbers=tuple(heapq.nsmallest(most, held)), total=len(held), unknown_size=unknown)
        in_name = [self._by_name_word.get(word, set()) for word in wanted]
        best = heapq.nsmallest(
            most, held, key=lambda number: (-sum(number in each for each in in_name), len(self._names[number]), number)
        )
        return Found(numbers=tuple(best), total=len(held), unknown_size=unknown, corrected=changed)

    def _corrected(self, words: Iterable[str]) -> dict[str, str]:
        return {word: word if self._meeting(word) else self._nearest(word) for word in words}

    def _nearest(self, word: str) -> str:
        near = one_slip_away(word, self._by_word.keys())
        return max(near, key=lambda each: len(self._by_word[each]), default=word)

    def _meeting(self, word: str) -> set[int]:
        if len(word) < _LEAST_PREFIX or word[0].isdigit():
            return self._by_word.get(word, set())
        met: set[int] = set()
        for place in range(bisect.bisect_left(self._vocabulary, word), len(self._vocabulary)):
            if not self._vocabulary[place].startswith(word):
                break
            met |= self._by_word[self._vocabulary[place]]
        return met


def words_of(text: str) -> list[str]:
    """Return the words and numbers of a text, folded: `Qwen2.5-7B` is qwen, 2.5, 7, b."""
    return _WORD.findall(text.lower())


def amount(text: str, option: str) -> float:
    """Return a number of parameters from `8B`, `500M` or `8000000000`.

    Raises:
        UsageError: It is none.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or float(found[1]) == 0:
        raise UsageError(f"{option} takes a size such as 8B or 500M, not {text!r}.")
    return float(found[1]) * _UNITS[found[2].lower()]
