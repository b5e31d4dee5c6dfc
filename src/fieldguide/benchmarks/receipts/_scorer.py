"""Judges one field of what a model read on a receipt."""

from __future__ import annotations

from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome, Score, ScorerIdentity, with_tail
from fieldguide.scoring.reasoning import strip_reasoning
from fieldguide.scoring.receipt_fields import read_fields, same_meaning, same_text
from fieldguide.scoring.refusal import is_refusal

_TAIL_CHARACTERS = 120


class ReceiptScorer:
    """Compares the field that an item asks for; the answer holds all of them."""

    def __init__(self, *, exact: bool) -> None:
        """Take whether texts must be the same, as in the competition, or mean the same."""
        self._exact = exact

    @property
    def identity(self) -> ScorerIdentity:
        """Name and version of the scorer."""
        if self._exact:
            return ScorerIdentity(name="receipt-field-exact", version="1")
        return ScorerIdentity(name="receipt-field", version="2")

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one field; one that was not given is wrong and has nothing extracted."""
        if completion.finish_reason is FinishReason.CONTENT_FILTER:
            return Score(outcome=Outcome.REFUSED, detail="withheld by a content filter")
        visible = strip_reasoning(completion.text)
        fields = read_fields(visible.text)
        if fields is None:
            return _without_fields(visible.text, cut=completion.finish_reason is FinishReason.LENGTH)
        field = str(item.metadata.get("field"))
        given = fields.get(field)
        if given is None:
            return Score(outcome=Outcome.WRONG, detail="the field was not given")
        right = same_text(given, item.target) if self._exact else same_meaning(field, given, item.target)
        return Score(outcome=Outcome.CORRECT if right else Outcome.WRONG, extracted=given)

    def close(self) -> None:
        """Do nothing; there are no worker processes."""


def _without_fields(text: str, *, cut: bool) -> Score:
    if cut:
        return Score(outcome=Outcome.TRUNCATED, detail="cut before the fields were complete")
    if is_refusal(text):
        return Score(outcome=Outcome.REFUSED, detail="declined to answer")
    tail = " ".join(text[-2 * _TAIL_CHARACTERS :].split())[-_TAIL_CHARACTERS:]
    return Score(outcome=Outcome.UNPARSED, detail=with_tail("no JSON with the fields", tail))
