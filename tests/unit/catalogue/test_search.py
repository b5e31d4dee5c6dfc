"""The inverted index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue import Query, SearchIndex, SearchRecord, amount
from fieldguide.catalogue._spelling import one_slip_away
from fieldguide.errors import UsageError

_RECORDS = [
    SearchRecord(name="qwen2.5-coder-7b", words="code assistant", facets=frozenset({("kind", "code")}), parameters=7e9),
    SearchRecord(name="qwen2.5-72b", words="support chat", facets=frozenset({("kind", "general")}), parameters=72e9),
    SearchRecord(name="gpt-4o", words="support chat", facets=frozenset({("kind", "general")})),
]


def _names(query: Query) -> list[str]:
    return [_RECORDS[number].name for number in SearchIndex.of(_RECORDS).find(query).numbers]


def test_every_word_must_hold() -> None:
    """Words of names and of descriptions meet alike, whole or from the beginning."""
    assert _names(Query(text="qwen 2.5")) == ["qwen2.5-72b", "qwen2.5-coder-7b"]
    assert _names(Query(text="Qwen2.5-Coder")) == ["qwen2.5-coder-7b"]
    assert _names(Query(text="supp")) == ["gpt-4o", "qwen2.5-72b"]
    assert _names(Query(text="qwen penguin")) == []
    assert _names(Query(text="qwen 7b")) == ["qwen2.5-coder-7b"]  # never 72b


def test_facets_and_sizes_narrow_and_unknown_sizes_are_told() -> None:
    """An unknown size is neither small nor large."""
    found = SearchIndex.of(_RECORDS).find(Query(facets=[("kind", "general")], max_parameters=100e9))
    assert found.numbers == (1,)
    assert (found.total, found.unknown_size) == (1, 1)


def test_no_more_are_returned_than_asked_for_but_all_are_counted() -> None:
    """The count says that there is more."""
    found = SearchIndex.of(_RECORDS).find(Query(), most=2)
    assert (found.numbers, found.total) == ((0, 1), 3)


@given(st.lists(st.sampled_from(["qwen", "code", "chat", "big", "small"]), min_size=1, max_size=4))
def test_the_index_agrees_with_a_plain_walk(words: list[str]) -> None:
    """What is found is what holds every word."""
    records = [SearchRecord(name=f"m{number}", words=text) for number, text in enumerate(_TEXTS)]
    found = SearchIndex.of(records).find(Query(text=" ".join(words))).numbers
    plain = {number for number, text in enumerate(_TEXTS) if all(word in text.split() for word in words)}
    assert set(found) == plain


_TEXTS = ["qwen code", "qwen chat big", "code small", "chat", "qwen code chat big small"]


@pytest.mark.parametrize(("text", "value"), [("8B", 8e9), ("0.5b", 5e8), ("500M", 5e8), ("7000000000", 7e9)])
def test_sizes_are_read(text: str, value: float) -> None:
    """As publishers write them."""
    assert amount(text, "--max-parameters") == value


@pytest.mark.parametrize("text", ["big", "", "8BB", "-3B", "0B"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """The option is named."""
    with pytest.raises(UsageError, match="--max-parameters"):
        amount(text, "--max-parameters")


def test_a_misspelled_word_is_taken_for_the_nearest_and_that_is_told() -> None:
    """One letter wrong, missing, doubled or swapped; a number is never corrected."""
    index = SearchIndex.of(_RECORDS)
    for slip in ("qwne", "qqwen", "qwem"):
        found = index.find(Query(text=f"{slip} codr"))
        assert (found.numbers, found.corrected) == ((0,), ((slip, "qwen"), ("codr", "code")))
    assert index.find(Query(text="qwen 8b")).total == 0
    assert index.find(Query(text="penguin")).corrected == ()


@given(st.text(alphabet="abc", min_size=4, max_size=7), st.lists(st.text(alphabet="abc", min_size=3, max_size=8)))
def test_spelling_finds_what_a_comparison_with_each_word_finds(word: str, known: list[str]) -> None:
    """By the distance of Damerau and Levenshtein, its swaps of neighbours included."""
    assert one_slip_away(word, set(known)) == sorted({each for each in known if _distance(each, word) == 1})


def _distance(one: str, other: str) -> int:
    rows = [list(range(len(other) + 1))]
    for at, letter in enumerate(one, 1):
        row = [at]
        for to, opposite in enumerate(other, 1):
            row.append(min(rows[-1][to] + 1, row[-1] + 1, rows[-1][to - 1] + (letter != opposite)))
            if at > 1 and to > 1 and letter == other[to - 2] and one[at - 2] == opposite:
                row[-1] = min(row[-1], rows[-2][to - 2] + 1)
        rows.append(row)
    return rows[-1][-1]
