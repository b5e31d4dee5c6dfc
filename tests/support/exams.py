"""A small exam and its scorer, for tests of everything around them."""

from __future__ import annotations

import re

from fieldguide.domain import (
    Completion,
    Decoding,
    Exam,
    ExamItem,
    FinishReason,
    Outcome,
    Score,
    ScorerIdentity,
)
from fieldguide.errors import ScoringError


def sums(count: int = 10, *, max_output_tokens: int = 8, temperature: float = 0.0) -> Exam:
    """Return an exam of `count` sums; item k asks for k + k."""
    return Exam(
        benchmark="sums",
        protocol="fieldguide",
        extraction="sums/1",
        seed=0,
        decoding=Decoding(max_output_tokens=max_output_tokens, temperature=temperature, stop=("\n",)),
        items=tuple(
            ExamItem(item=f"sums/{k}", prompt=f"{k} + {k} =", target=str(2 * k), metadata={"line": k})
            for k in range(count)
        ),
        available_items=None,
    )


def right_answer(prompt: str) -> str:
    """Return the answer to a sum."""
    found = re.search(r"(\d+) \+ (\d+) =", prompt)
    assert found
    return str(int(found[1]) + int(found[2]))


class SumsScorer:
    """Compares the stripped text with the target; `broken` makes it die on one item."""

    identity = ScorerIdentity(name="sums", version="1")

    def __init__(self, *, broken: str | None = None) -> None:
        """Count what it judges."""
        self.judged: list[str] = []
        self._broken = broken

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one sum."""
        self.judged.append(item.item)
        if item.item == self._broken:
            raise ScoringError("the scorer died")
        if completion.finish_reason is FinishReason.LENGTH:
            return Score(outcome=Outcome.TRUNCATED)
        if completion.finish_reason is FinishReason.CONTENT_FILTER:
            return Score(outcome=Outcome.REFUSED)
        text = completion.text.strip()
        outcome = Outcome.CORRECT if text == item.target else Outcome.WRONG
        return Score(outcome=outcome, extracted=text)

    def close(self) -> None:
        """Do nothing."""
