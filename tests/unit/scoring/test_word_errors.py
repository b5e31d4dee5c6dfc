"""Word errors: what counts as a word, and how changes are counted."""

from __future__ import annotations

import pytest

from fieldguide.scoring import spoken_words, word_error_rate, word_errors


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mr. Dashwood's house", "mister dashwoods HOUSE"),
        ("He won't; they’re late [laughter]", "he will not they are late"),
        ("ill-disposed", "ill disposed"),
        ("(applause) Yes!", "yes"),
    ],
)
def test_writing_alone_makes_no_error(one: str, other: str) -> None:
    """Capitals, punctuation, titles, contractions and bracketed sounds are no difference."""
    assert spoken_words(one) == spoken_words(other)


def test_each_kind_of_change_is_counted() -> None:
    """A swapped, a missing and an added word are told apart."""
    found = word_errors("a b c d e g h", "a x c e g h f")
    assert (found.words, found.substitutions, found.deletions, found.insertions) == (7, 1, 1, 1)
    assert found.rate == pytest.approx(3 / 7)


def test_no_reference_has_no_rate() -> None:
    """Errors against nothing said are counted and make no rate."""
    found = word_errors("", "you")
    assert (found.insertions, found.rate) == (1, None)
    assert word_error_rate([("", "you")]) is None


def test_the_rate_of_many_weighs_each_by_its_words() -> None:
    """Errors are added up before they are divided."""
    assert word_error_rate([("a b c d", "a b c d"), ("e", "f")]) == pytest.approx(1 / 5)


def test_other_languages_keep_their_apostrophes_apart() -> None:
    """English contractions are not sought in French."""
    assert spoken_words("L'été, c'est fini.", english=False) == ["l", "été", "c", "est", "fini"]
