"""The rule of MMMU-Pro's authors, and ours for up to ten choices."""

from __future__ import annotations

import pytest

from fieldguide.scoring.choice import find_choice
from fieldguide.scoring.mmmu_choice import mmmu_choice

TEN = dict(
    zip(
        "ABCDEFGHIJ",
        ["Gout", "Zinc", "Low-conflict", "2.70%", "Iron oxide", "False", "5.58%", "29800 N", "Nitrogen", "A mystery"],
        strict=True,
    )
)


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("I. Nitrogen", "I"),
        ("C. Low-conflict", "C"),
        ("H", "H"),
        ("I.", "I"),
        ("J. A dramatic increase in migration", "A"),  # the authors' file says so: a capital before a blank goes first
        ("The correct option is **A**.", None),  # theirs guesses
        ("Answer: C", "C"),
        ("Reasoning.\nAnswer: D. 2.70%", "D"),
        ("The answer is (B) and not (C)", "C"),
        ("First I thought of gout but it can only be iron oxide here", "I"),
        ("we were sure that the thing is gout in the end", "A"),
        ("", None),
        ("no idea", None),
    ],
)
def test_the_authors_rule_is_kept_step_for_step(text: str, letter: str | None) -> None:
    """With its ways; where theirs would draw a letter nothing is read."""
    assert mmmu_choice(text, TEN) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("J. A dramatic increase in migration", "J"),
        ("The correct option is **A**.", "A"),
        ("I think it is nitrogen.\nAnswer: I", "I"),
        ("I would say that the answer is B", "B"),
        ("The answer is I.", "I"),
        ("I believe none of them fits", None),
        ("Answer: K", None),
        ("Answer: A or J", None),
    ],
)
def test_our_rule_reads_ten_letters_and_takes_a_person_for_no_choice(text: str, letter: str | None) -> None:
    """`I` at the beginning of a clause is who speaks."""
    assert find_choice("fieldguide-choices/1", text, letters="ABCDEFGHIJ").letter == letter


def test_a_letter_beyond_the_items_own_choices_is_none() -> None:
    """A question of four choices has no F."""
    found = find_choice("fieldguide-choices/1", "Answer: F", letters="ABCD")
    assert (found.letter, found.reason) == (None, "names F, which is not a choice")
