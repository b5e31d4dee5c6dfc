"""Texts made to cost time: whatever is repeated, reading it stays in proportion to its length."""

from __future__ import annotations

import time

import pytest

from fieldguide.scoring import find_final_answer, is_refusal, strip_reasoning
from fieldguide.scoring.maths import _for_algebra, compare_quickly

PIECES = [
    "a ", "1 ", "  ", "(", "{", r"\frac", r"\text{", r"\boxed{", "$a", r"\(", r"\[ ", "1,", "√(1", "answer is ",
    "Answer:\n", "answer  ", "answer **", "####", "<think>", "</think>", r"\text{ and }", "x=", "sqrt(",
    r"\begin{pmatrix}", "1&", "I can't ", ". ", "* ",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_repetition_costs_time_in_proportion(piece: str) -> None:
    """Thirty thousand repetitions are read, by every rule and by the quick comparison, in seconds at most."""
    began = time.process_time()
    text = piece * 30_000
    for hostile in (text, "answer" + text, text + "#### 5"):
        compare_quickly("x+1", hostile)
        _for_algebra(hostile)
        is_refusal(strip_reasoning(hostile).text)
        for rule in ("fieldguide-maths/1", "fieldguide-gsm8k/1", "qwen2.5-math/1"):
            find_final_answer(rule, hostile)
    assert time.process_time() - began < 10
