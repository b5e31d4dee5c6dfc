"""Judges an answer to the ladder: exact, by the target's kind."""

from __future__ import annotations

import re
from typing import ClassVar

from fieldguide.benchmarks.ladder._reading import is_bare, kind_of, read
from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome, Score, ScorerIdentity
from fieldguide.scoring.reasoning import strip_reasoning
from fieldguide.scoring.short_answer import answer_line

_REFUSAL = re.compile(
    r"\b(?:I['’]m|I am) (?:sorry|afraid|unable|not able)\b|\bas an AI\b"
    r"|\bI (?:can['’]t|cannot|can not|won['’]t|will not)\b",
    re.IGNORECASE,
)
_LONGEST_EXTRACT = 200


class LadderScorer:
    """Compares the one value that an answer states with the target.

    - `truncated`: the token limit, or reasoning without an end, cut the answer before it was stated.
    - `unparsed`: nothing was said, or nothing of the target's kind (a number spelled out in words, for example).
    - `refused`: the provider withheld the answer, or the model declined and stated no value.
    - `wrong`: another value, several values, or an expression left to be worked out.
    """

    IDENTITY: ClassVar[ScorerIdentity] = ScorerIdentity(name="ladder", version="1")

    @property
    def identity(self) -> ScorerIdentity:
        """Name and version of the rules."""
        return self.IDENTITY

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one answer."""
        if completion.finish_reason is FinishReason.CONTENT_FILTER:
            return Score(outcome=Outcome.REFUSED, detail="withheld by the provider")
        visible = strip_reasoning(completion.text)
        if visible.unfinished:
            return Score(outcome=Outcome.TRUNCATED, detail="the reasoning has no end")
        return _judge(item.target, visible.text, cut=completion.finish_reason is FinishReason.LENGTH)

    def close(self) -> None:
        """Do nothing: there are no worker processes."""


def _judge(target: str, text: str, *, cut: bool) -> Score:
    kind = kind_of(target)
    line = answer_line(text, finished=not cut, bare=lambda some: is_bare(kind, some))
    if line is None:
        return _unread(cut=cut, detail="no answer line")
    reading = read(kind, line)
    if reading.value is not None:
        outcome = Outcome.CORRECT if reading.value == target else Outcome.WRONG
        return Score(outcome=outcome, extracted=reading.value[:_LONGEST_EXTRACT])
    if _REFUSAL.search(text):
        return Score(outcome=Outcome.REFUSED, detail="the model declined")
    if not reading.relevant:
        return _unread(cut=cut, detail=f"no {kind.value} in the answer line")
    return Score(outcome=Outcome.WRONG, extracted=line[:_LONGEST_EXTRACT], detail=f"not one plain {kind.value}")


def _unread(*, cut: bool, detail: str) -> Score:
    if cut:
        return Score(outcome=Outcome.TRUNCATED, detail="the token limit cut the answer")
    return Score(outcome=Outcome.UNPARSED, detail=detail)
