"""Reasoning is taken away before an answer is looked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.scoring import strip_reasoning


@pytest.mark.parametrize(
    ("text", "visible", "unfinished"),
    [
        ("<think>1 or 2</think>It is 2.", "It is 2.", False),
        ("<thinking>a</thinking> b <reasoning>c</reasoning> d", "b  d", False),
        ("it began in the prompt</think>\n\n7", "7", False),
        ("<think>no end", "", True),
        ("5 <THINK>wait", "5", True),
        ("<|begin_of_thought|>x<|end_of_thought|><|begin_of_solution|>y<|end_of_solution|>", "y", False),
        ("[THINK]x[/THINK]y", "y", False),
        ("◁think▷x◁/think▷y", "y", False),
        ("<think>a <think> b</think>c", "c", False),
        ("no tags at all", "no tags at all", False),
        ("x < think and > 3", "x < think and > 3", False),
    ],
)
def test_reasoning_is_parted_from_the_answer(text: str, visible: str, unfinished: bool) -> None:
    """Each family's tags are known; reasoning without an end leaves no answer and is told as such."""
    found = strip_reasoning(text)
    assert (found.text, found.unfinished) == (visible, unfinished)


@given(st.text("ab<>/think |_", max_size=60), st.text("xyz ", max_size=20))
def test_what_follows_the_last_closing_tag_is_the_answer(reasoning: str, answer: str) -> None:
    """Whatever the reasoning holds, the text after its end survives."""
    assert strip_reasoning(f"<think>{reasoning}</think>{answer}").text.endswith(answer.strip())
