"""Reads which of up to ten choices was taken."""

from __future__ import annotations

from fieldguide.benchmarks.mmmu_pro._rows import LETTERS
from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome, Score, ScorerIdentity, with_tail
from fieldguide.errors import ScoringError
from fieldguide.scoring.choice import NO_CHOICE, FoundChoice, find_choice
from fieldguide.scoring.mmmu_choice import mmmu_choice
from fieldguide.scoring.reasoning import strip_reasoning
from fieldguide.scoring.refusal import is_refusal

AUTHORS_RULE = "mmmu-pro-choice/1"
_TAIL_CHARACTERS = 120


class MmmuScorer:
    """Reads a letter by a protocol's rule."""

    def __init__(self, extraction: str) -> None:
        """Take the rule's name."""
        self._extraction = extraction

    @property
    def identity(self) -> ScorerIdentity:
        """Name and version of the scorer."""
        return ScorerIdentity(name="mmmu-pro-choice", version="1")

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one answer.

        Raises:
            ScoringError: The item does not say its choices.
        """
        if completion.finish_reason is FinishReason.CONTENT_FILTER:
            return Score(outcome=Outcome.REFUSED, detail="withheld by a content filter")
        choices = _choices(item)
        visible = strip_reasoning(completion.text)
        cut = completion.finish_reason is FinishReason.LENGTH or visible.unfinished
        found = self._found(visible.text, choices, cut=cut)
        if found.letter is not None and (found.complete or not cut):
            outcome = Outcome.CORRECT if found.letter == item.target else Outcome.WRONG
            return Score(outcome=outcome, extracted=found.letter)
        if cut:
            told = "reasoning without an end" if visible.unfinished else "cut before the choice was made"
            return Score(outcome=Outcome.TRUNCATED, detail=told)
        if not visible.text:
            return Score(outcome=Outcome.UNPARSED, detail="empty answer")
        if found.reason == NO_CHOICE and is_refusal(visible.text):
            return Score(outcome=Outcome.REFUSED, detail="declined to answer")
        tail = " ".join(visible.text[-2 * _TAIL_CHARACTERS :].split())[-_TAIL_CHARACTERS:]
        return Score(outcome=Outcome.UNPARSED, detail=with_tail(found.reason or NO_CHOICE, tail))

    def close(self) -> None:
        """Do nothing; there are no worker processes."""

    def _found(self, text: str, choices: dict[str, str], *, cut: bool) -> FoundChoice:
        if self._extraction == AUTHORS_RULE:
            letter = mmmu_choice(text, choices)
            return FoundChoice(letter=letter, reason=None if letter else NO_CHOICE)
        return find_choice(self._extraction, text, cut=cut, letters="".join(choices))


def _choices(item: ExamItem) -> dict[str, str]:
    told = item.metadata.get("choices")
    if not isinstance(told, list) or not 2 <= len(told) <= len(LETTERS):
        raise ScoringError(f"{item.item} does not say its choices.")
    return {letter: str(choice) for letter, choice in zip(LETTERS, told, strict=False)}
