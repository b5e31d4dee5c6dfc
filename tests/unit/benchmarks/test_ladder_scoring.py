"""How answers to the ladder are read and judged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.benchmarks.ladder import Ladder
from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome, Score

CORRECT, WRONG, TRUNCATED = Outcome.CORRECT, Outcome.WRONG, Outcome.TRUNCATED
UNPARSED, REFUSED = Outcome.UNPARSED, Outcome.REFUSED


def score(text: str, target: str, finish: FinishReason = FinishReason.STOP) -> Score:
    item = ExamItem(item="ladder/0/arithmetic-01-0000", target=target, prompt="1 + 1 =")
    return Ladder().scorer("fieldguide").score(item, Completion(text=text, finish_reason=finish))


INTEGERS: list[tuple[str, str, Outcome]] = [
    # Bare answers and their dress.
    (" 42", "42", CORRECT),
    ("42.", "42", CORRECT),
    ("42\n", "42", CORRECT),
    ("042", "42", CORRECT),
    ("+42", "42", CORRECT),
    ("42.0", "42", CORRECT),
    ("42.5", "42", WRONG),
    ("-0", "0", CORRECT),
    ("-42", "-42", CORRECT),
    ("−42", "-42", CORRECT),
    ("-42", "42", WRONG),
    ("42", "-42", WRONG),
    ("minus 42", "-42", CORRECT),
    ("minus 42", "42", WRONG),
    ("- 42", "42", WRONG),
    ("1,234,567", "1234567", CORRECT),
    ("1 234 567", "1234567", WRONG),
    ("1\u202f234\u202f567", "1234567", CORRECT),
    ("1_234", "1234", CORRECT),
    ("1{,}234", "1234", CORRECT),
    ("1.234", "1234", WRONG),
    ("12,34", "1234", WRONG),
    ("$42$", "42", CORRECT),
    ("$42", "42", CORRECT),
    ("`42`", "42", CORRECT),
    ('"42"', "42", CORRECT),
    ("**42**", "42", CORRECT),
    ("**42.**", "42", CORRECT),
    (r"\(42\)", "42", CORRECT),
    (r"\boxed{42}", "42", CORRECT),
    (r"$\boxed{1{,}234}$", "1234", CORRECT),
    ("<answer>42</answer>", "42", CORRECT),
    ("= 42", "42", CORRECT),
    ("```\n42\n```", "42", CORRECT),
    ("```text\n42\n```", "42", CORRECT),
    # Sentences.
    ("The answer is 42.", "42", CORRECT),
    ("The answer is 42 apples.", "42", CORRECT),
    ("The answer is: 42", "42", CORRECT),
    ("42 apples", "42", CORRECT),
    ("Ben has 42 apples now.", "42", CORRECT),
    ("Ben has **42** more apples than Ana, who has 3.", "42", CORRECT),
    ("40 + 2 = 42", "42", CORRECT),
    ("x = 42", "42", CORRECT),
    ("Ben has 40 + 2 = 42 apples.", "42", CORRECT),
    ("6 × 7 = 40 + 2 = 42", "42", CORRECT),
    ("Ben has 40 and gets 2, so 40 + 2 = 42.", "42", CORRECT),
    ("42 (that is 40 + 2)", "42", CORRECT),
    ("The answer is 42 because 40 + 2 = 42.", "42", CORRECT),
    ("The answer is 41 because 43 - 1 = 42.", "42", WRONG),
    # A right value inside a wrong text is never picked out.
    ("12 or 13", "12", WRONG),
    ("12 or 13", "13", WRONG),
    ("either 12", "12", WRONG),
    ("The answer is 12 or it is 13.", "13", WRONG),
    ("3 4", "34", WRONG),
    ("3, 4", "34", WRONG),
    ("3 4", "4", WRONG),
    ("12, 13, 14", "12", WRONG),
    ("12, 13, 14", "14", WRONG),
    ("12-13", "13", WRONG),
    ("12 to 13", "13", WRONG),
    ("not 42", "42", WRONG),
    ("It isn't 42.", "42", WRONG),
    ("about 42", "42", WRONG),
    ("~42", "42", WRONG),
    ("more than 42", "42", WRONG),
    ("> 42", "42", WRONG),
    ("42 thousand", "42", WRONG),
    ("42 and a half", "42", WRONG),
    ("42%", "42", WRONG),
    ("4/2", "2", WRONG),
    ("2^5", "5", WRONG),
    ("40 + 2", "42", WRONG),
    ("42 = 40 + 2", "2", WRONG),
    ("x42", "42", WRONG),
    ("3:30", "30", WRONG),
    ("0x2a", "42", WRONG),
    ("４２", "42", UNPARSED),
    ("Ana has 7 apples and 3 pears.", "3", WRONG),
    # Nothing to read.
    ("", "42", UNPARSED),
    ("  \n ", "42", UNPARSED),
    ("forty-two", "42", UNPARSED),
    ("I am sure it is clear.", "42", UNPARSED),
    ("...", "42", UNPARSED),
]


@pytest.mark.parametrize(("text", "target", "outcome"), INTEGERS)
def test_integers_are_read_only_where_one_is_stated(text: str, target: str, outcome: Outcome) -> None:
    """One plain integer counts, in whatever dress; anything that leaves a choice does not."""
    assert score(text, target).outcome is outcome


REPLIES: list[tuple[str, str, Outcome]] = [
    ("A: 42", "42", CORRECT),
    ("Answer: 42", "42", CORRECT),
    ("**Answer:** 42", "42", CORRECT),
    ("**Answer: 42**", "42", CORRECT),
    ("### Answer\n42", "42", CORRECT),
    ("Answer:\n\n42", "42", CORRECT),
    ("First 20 + 20 = 40.\nThen 40 + 2 = 42.\n\nAnswer: 42", "42", CORRECT),
    ("Answer: 41\nWait, that is wrong.\nAnswer: 42", "42", CORRECT),
    ("Answer: 41\nor perhaps 42", "42", WRONG),
    ("Answer: 12 or 13", "12", WRONG),
    ("So the answer is 42.\n\nLet me know if you need more!", "42", CORRECT),
    ("Ben starts with 40.\nHe gets 2.\n\n**42**", "42", CORRECT),
    ("**Step 1**\n40 + 2\n\n**42**\n\nHope this helps.", "42", CORRECT),
    ("**Step 2**\n40 + 2 = 42", "2", WRONG),
    ("20 + 20 = 40\n\nThe result is \\boxed{42}, as 40 + 2 = 42.\nCheck: 42 - 2 = 40.", "42", CORRECT),
    ("\\boxed{41} no, \\boxed{42}", "42", CORRECT),
    ("42\n\nExplanation: 40 + 2 is the sum of 40 and 2.", "42", CORRECT),
    ("41\n\nExplanation: 40 + 2 = 42", "42", WRONG),
    ("42\nQ: What is 1 + 1?\nA: 2", "42", CORRECT),
    ("41\nQ: What is 1 + 1?\nA: 42", "42", WRONG),
    ("5\n\nQuestion: Tom has 42 nuts. How many?\nAnswer: 42", "42", WRONG),
    ("42\n17 + 3 = 20\n2 + 2 = 4", "42", CORRECT),
    ("41\n40 + 2 = 42", "42", WRONG),
    ("<think>40 + 2 = 41</think>42", "42", CORRECT),
    ("<think>It must be 42</think>41", "42", WRONG),
    ("it is 41, or rather\n</think>\n\n42", "42", CORRECT),
    ("<think>40 + 2 = 42, so", "42", TRUNCATED),
    ("<think>It is 42</think>", "42", UNPARSED),
    ("I'm sorry, I can't help with that.", "42", REFUSED),
    ("I cannot compute 123 * 456.", "42", REFUSED),
    ("I’m sorry for the delay: 42", "42", CORRECT),
]


@pytest.mark.parametrize(("text", "target", "outcome"), REPLIES)
def test_chatty_replies_are_read_where_they_state_their_answer(text: str, target: str, outcome: Outcome) -> None:
    """Markers, boxes and bold lines come before guesses; reasoning and invented questions do not count."""
    assert score(text, target).outcome is outcome


LISTS_AND_WORDS: list[tuple[str, str, Outcome]] = [
    ("[1, 2, 3]", "[1, 2, 3]", CORRECT),
    ("[1,2,3]", "[1, 2, 3]", CORRECT),
    (" [ 1, 2,3 ].", "[1, 2, 3]", CORRECT),
    ("`[1, 2, 3]`", "[1, 2, 3]", CORRECT),
    ("**[1, 2, 3]**", "[1, 2, 3]", CORRECT),
    ("The program prints [1, 2, 3].", "[1, 2, 3]", CORRECT),
    ("Output: [1, 2, 3]", "[1, 2, 3]", CORRECT),
    ("[]", "[]", CORRECT),
    ("[1, 2]", "[1, 2, 3]", WRONG),
    ("[3, 2, 1]", "[1, 2, 3]", WRONG),
    ("[12, 3]", "[1, 2, 3]", WRONG),
    ("1, 2, 3", "[1, 2, 3]", WRONG),
    ("[1, 2, 3] or [3, 2, 1]", "[1, 2, 3]", WRONG),
    ("[1, 2, 3", "[1, 2, 3]", WRONG),
    ("[1, 2, 3]", "6", WRONG),
    ("a list", "[1, 2, 3]", UNPARSED),
    ("pmal", "pmal", CORRECT),
    ("'pmal'", "pmal", CORRECT),
    ('"pmal".', "pmal", CORRECT),
    ("It prints `pmal`.", "pmal", CORRECT),
    ("The output is pmal", "pmal", CORRECT),
    ("Output: pmal", "pmal", CORRECT),
    ("pmal\n\nThe slice reverses the word.", "pmal", CORRECT),
    ("Pmal", "pmal", WRONG),
    ("pm al", "pmal", WRONG),
    ("lamp, reversed: pmal or lamp", "lamp", WRONG),
    ("It is not pmal", "pmal", WRONG),
    ("42", "pmal", WRONG),
    ("I'm sorry, I can't run programs.", "pmal", REFUSED),
]


@pytest.mark.parametrize(("text", "target", "outcome"), LISTS_AND_WORDS)
def test_lists_and_words_must_be_what_the_program_prints(text: str, target: str, outcome: Outcome) -> None:
    """Spaces within a list and quotes around a word do not matter; brackets, order and case do."""
    assert score(text, target).outcome is outcome


CUT: list[tuple[str, str, Outcome]] = [
    ("42", "42", TRUNCATED),
    ("", "42", TRUNCATED),
    ("Let me see: 40 + 2", "42", TRUNCATED),
    ("First, 40 + 2 = 42.\nThen", "42", TRUNCATED),
    ("Answer: 4", "42", TRUNCATED),
    ("Answer: 42\nThis is beca", "42", CORRECT),
    ("Answer: 41\nThis is beca", "42", WRONG),
    ("42\nThe next li", "42", CORRECT),
    (r"So \boxed{42} is the", "42", CORRECT),
    (r"So \boxed{42", "42", TRUNCATED),
    ("42\nQ: What is 1 + 1?\nA: 2\nQ: Wh", "42", CORRECT),
    ("The answer is 42.\nQ: What is 1 +", "42", CORRECT),
    ("<think>so 42", "42", TRUNCATED),
    ("[1, 2", "[1, 2, 3]", TRUNCATED),
    ("hous", "house", TRUNCATED),
]


@pytest.mark.parametrize(("text", "target", "outcome"), CUT)
def test_an_answer_that_the_token_limit_cut_is_truncated_unless_it_stood_before(
    text: str, target: str, outcome: Outcome
) -> None:
    """What was stated in full before the cut counts; an unfinished last line never does."""
    assert score(text, target, FinishReason.LENGTH).outcome is outcome


def test_an_answer_that_the_provider_withheld_is_refused() -> None:
    """Even where some of it came through."""
    assert score("42", "42", FinishReason.CONTENT_FILTER).outcome is REFUSED


def test_the_extracted_value_stands_in_the_form_of_targets() -> None:
    """So that a person can lay the two side by side."""
    assert score("**1,234** apples", "1234").extracted == "1234"
    assert score("12 or 13", "12").extracted == "12 or 13"
    assert score("", "12").extracted is None


def test_the_scorer_names_itself() -> None:
    """Name and version are those that the exam records as its extraction."""
    scorer = Ladder().scorer("fieldguide")
    assert (scorer.identity.name, scorer.identity.version) == ("ladder", "1")
    scorer.close()


def test_a_number_of_any_length_is_read() -> None:
    """Longer ones than Python converts by default, too."""
    assert score("9" * 10_000, "9").outcome is WRONG
    assert score("0" * 10_000 + "9", "9").outcome is CORRECT


@given(
    value=st.integers(), form=st.sampled_from(["{}", " {:,}.", "**{}**", "A: {}", "The answer is {}.", r"\boxed{{{}}}"])
)
def test_every_integer_is_recognised_in_every_dress(value: int, form: str) -> None:
    """Dress never changes the value, and another value is never accepted."""
    text = form.format(value)
    assert score(text, str(value)).outcome is CORRECT
    assert score(text, str(value + 1)).outcome is WRONG


@given(
    first=st.integers(0, 999), second=st.integers(0, 999), between=st.sampled_from([" ", ", ", " or ", " and ", "; "])
)
def test_two_numbers_are_never_one_answer(first: int, second: int, between: str) -> None:
    """Whatever stands between them, neither number and no joined one is accepted."""
    for target in (first, second, int(f"{first}{second}")):
        assert score(f"{first}{between}{second}", str(target)).outcome is WRONG


@given(
    text=st.text(), target=st.sampled_from(["42", "-7", "[1, 2]", "[]", "house"]), finish=st.sampled_from(FinishReason)
)
def test_any_text_gets_a_judgement(text: str, target: str, finish: FinishReason) -> None:
    """No text makes the scorer fail, and a failed outcome is never its to give."""
    assert score(text, target, finish).outcome is not Outcome.FAILED


@given(numbers=st.lists(st.integers(), max_size=8), gap=st.sampled_from(["", " ", "  "]))
def test_spaces_in_a_list_do_not_matter(numbers: list[int], gap: str) -> None:
    """`[1,2]` is `[1, 2]`."""
    assert score(f"[{gap}{f',{gap}'.join(map(str, numbers))}{gap}]", str(numbers)).outcome is CORRECT
