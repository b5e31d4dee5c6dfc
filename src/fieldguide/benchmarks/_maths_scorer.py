"""Scores answers to mathematical problems."""

from __future__ import annotations

from fieldguide.benchmarks._maths_protocols import MathsProtocol
from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome, Score, ScorerIdentity
from fieldguide.scoring.final_answer import find_final_answer
from fieldguide.scoring.maths import MATHS_VERSION, MathsEquivalence
from fieldguide.scoring.qwen_equality import QwenEquivalence
from fieldguide.scoring.reasoning import VisibleAnswer, strip_reasoning
from fieldguide.scoring.refusal import is_refusal


class MathsScorer:
    """Reads the final answer by a protocol's rule and holds it against the target."""

    def __init__(self, protocol: MathsProtocol, *, workers: int = 1, deadline_s: float = 2.0) -> None:
        """Start nothing yet; `deadline_s` bounds one comparison (processor seconds)."""
        self._protocol = protocol
        self._equivalence = MathsEquivalence(workers=workers, deadline_s=deadline_s)

    @property
    def identity(self) -> ScorerIdentity:
        """Name and version of the scorer and of the library behind it."""
        return ScorerIdentity(name="maths", version=MATHS_VERSION)

    def score(self, item: ExamItem, completion: Completion) -> Score:
        """Judge one answer; where the comparison overruns or dies the answer is `failed`, never wrong.

        Raises:
            MissingDependencyError: The comparison needs algebra and math-verify is not installed.
            ScoringError: The process that does the algebra cannot be started.
        """
        if completion.finish_reason is FinishReason.CONTENT_FILTER:
            return Score(outcome=Outcome.REFUSED, detail="withheld by a content filter")
        visible = self._visible(completion.text)
        found = find_final_answer(self._protocol.extraction, visible.text)
        cut = completion.finish_reason is FinishReason.LENGTH or visible.unfinished
        if found.text is None or (cut and self._protocol.strips_reasoning and not found.complete):
            return _without_answer(visible, cut=cut)
        return self._judged(item.target, found.text)

    def close(self) -> None:
        """Stop worker processes."""
        self._equivalence.close()

    def _visible(self, text: str) -> VisibleAnswer:
        return strip_reasoning(text) if self._protocol.strips_reasoning else VisibleAnswer(text=text, unfinished=False)

    def _judged(self, target: str, answer: str) -> Score:
        equality = (
            QwenEquivalence(self._equivalence) if self._protocol.equality == "qwen2.5-math" else self._equivalence
        )
        equivalence = equality.equivalent(target, answer)
        if equivalence.verdict is None:
            return Score(outcome=Outcome.FAILED, extracted=answer, detail=self._fault(equivalence.fault))
        return Score(outcome=Outcome.CORRECT if equivalence.verdict else Outcome.WRONG, extracted=answer)

    def _fault(self, fault: str | None) -> str:
        if fault == "overran":
            return f"scorer overran {self._equivalence.deadline_s:g} s"
        return "scorer ran out of memory" if fault == "memory" else "scorer died"


def _without_answer(visible: VisibleAnswer, *, cut: bool) -> Score:
    if cut:
        return Score(
            outcome=Outcome.TRUNCATED,
            detail="reasoning without an end" if visible.unfinished else "cut before the answer was complete",
        )
    if is_refusal(visible.text):
        return Score(outcome=Outcome.REFUSED, detail="declined to answer")
    return Score(outcome=Outcome.UNPARSED, detail="no final answer found" if visible.text else "empty answer")
