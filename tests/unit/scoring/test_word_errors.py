"""Word errors: what counts as a word, and how changes are counted."""

from __future__ import annotations

import pytest

from fieldguide.scoring import spoken_words, word_error_rate, word_errors


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mr. Dashwood's house", "mister dashwood is HOUSE"),
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
    assert spoken_words("L'été, c'est fini.", language="fr") == ["l", "été", "c", "est", "fini"]


def test_languages_that_do_not_part_words_are_compared_by_character() -> None:
    """Japanese, Chinese and Thai come in characters, without blanks."""
    assert spoken_words("日本語 の テスト。", language="ja") == [*"日本語のテスト"]


# What openai/whisper's English normaliser gives (whisper-normalizer 0.1.15, run on 2026-11-26).
THEIRS = [
    ("Mr. and Mrs. Dursley, of number four, Privet Drive.", "mister and missus dursley of number 4 privet drive"),
    ("It cost $3.50, or three dollars and fifty cents.", "it cost $3.50 or $3.50"),
    ("In nineteen forty-five the 1960s were far off.", "in 1945 the 1960s were far off"),
    ("He's been to St. Paul's; they'd gone.", "he has been to saint paul is they had gone"),
    ("one oh one", "101"),
    ("twenty one thousand three hundred and five", "21305"),
    ("two and a half million", "2500000"),
    ("the twenty-first of June", "the 21st of june"),
    ("a hundred and one dalmatians", "a 101 dalmatians"),
    ("fifty percent of 1,234,567", "50% of 1234567"),
    ("minus five degrees", "-5 degrees"),
    ("double oh seven", "007"),
    ("I'm gonna go, y'all!", "i am going to go you all"),
    ("The colour of the grey theatre was recognised.", "the color of the gray theater was recognized"),
    ("Um, uh, I mean... hmm.", "i mean ."),
    ("[laughter] (applause) yes", "yes"),
    ("naïve café œuvre Straße", "naive cafe oeuvre strasse"),
    ("three point one four one five", "3.1415"),
    ("ten pounds and five cents", "£10.05"),
    ("she came first and he second", "she came 1st and he 2nd"),
    ("oh no, one of the ones", "0 no one of the ones"),
    ("the sixties and seventies", "the 60s and 70s"),
    ("5 000 men at 3:30 p.m.", "5 0 men at 3 30 p m"),
    ("won't can't let's ain't ma'am", "will not can not let us aint madam"),
    ("e-mail: a.b@c.com", "e mail a b c com"),
    ("seventy six trombones", "76 trombones"),
    ("one hundred twenty three million four hundred fifty six thousand seven hundred eighty nine", "123456789"),
    ("half past two", "half past 2"),
    ("per cent of ten per cent", "per cent of 10%"),
    ("third world war two", "3rd world war 2"),
]


@pytest.mark.parametrize(("text", "theirs"), THEIRS)
def test_english_is_normalised_as_by_the_authors_of_whisper(text: str, theirs: str) -> None:
    """Numbers, titles, contractions, spelling, fillers and signs, against recorded outputs of the original."""
    assert spoken_words(text) == theirs.split()
