"""Compare models on benchmarks and settle which one is better."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.app.evaluate import EvaluateRequest, Evaluation, ExamResult, evaluate
from fieldguide.app.wiring import House
from fieldguide.comparison import ExamScores, ModelScores, compare_models, verdict_sentence
from fieldguide.domain import Verdict
from fieldguide.errors import UsageError
from fieldguide.evaluation import Listener, Stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was measured and what it settles."""

    evaluation: Evaluation
    verdicts: tuple[Verdict, ...]
    """One per benchmark and pair of models; empty where the evaluation ended early without a pair."""
    sentences: tuple[str, ...]
    """The verdicts in words, in the same order."""


async def compare(
    house: House, request: EvaluateRequest, *, margin: float | None, stop: Stop, listener: Listener | None = None
) -> Comparison:
    """Measure every model, pair them item by item, and return the verdicts.

    Args:
        house: The user's records and models.
        request: What to measure; at least two models.
        margin: Difference in accuracy (fraction) within which models count as equivalent; None asks for none.
        stop: Asks the runs to stop early.
        listener: Told of progress.

    Raises:
        UsageError: Fewer than two models, or the same one twice.
        FieldguideError: As for `evaluate`.
    """
    if len(request.models) < 2:
        raise UsageError("A comparison takes at least two models.", hint="For one model use `fieldguide evaluate`.")
    if len(set(request.models)) < len(request.models):
        raise UsageError("The same model is named twice.", hint="Name each model once.")
    if margin is not None and not 0 < margin < 1:
        raise UsageError(
            f"--margin takes a fraction between 0 and 1, not {margin}.", hint="5 points are `--margin 0.05`."
        )
    evaluation = await evaluate(house, request, stop=stop, listener=listener)
    found = compare_models(_exam_scores(evaluation.results), margin=margin)
    return Comparison(
        evaluation=evaluation, verdicts=found, sentences=tuple(verdict_sentence(verdict) for verdict in found)
    )


def _exam_scores(results: tuple[ExamResult, ...]) -> list[ExamScores]:
    by_exam: dict[str, list[ExamResult]] = {}
    for result in results:
        by_exam.setdefault(result.run.exam.exam_id, []).append(result)
    return [
        ExamScores(
            benchmark=group[0].run.exam.benchmark,
            available_items=group[0].run.exam.available_items,
            models=tuple(ModelScores(name=result.model, scores=result.run.scores) for result in group),
        )
        for group in by_exam.values()
        if len(group) > 1
    ]
