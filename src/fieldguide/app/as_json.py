"""Values to the JSON that programs read. The keys are contracts; unknown is null and never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fieldguide.app.apart import beside
from fieldguide.app.attempts import metrics_json
from fieldguide.app.compare import Comparison
from fieldguide.app.evaluate import Evaluation, ExamResult
from fieldguide.app.field_scores import field_scores
from fieldguide.app.score import Difference, Scored, against
from fieldguide.domain import Accuracy, Exam, ItemScore, Outcome, ScorerIdentity, Verdict


def accuracy_json(accuracy: Accuracy) -> dict[str, Any]:
    """Return the keys that `score` and `evaluate` share."""
    return {
        "items": accuracy.items,
        "attempts": accuracy.attempts,
        "scored": accuracy.scored,
        "correct": accuracy.correct,
        "accuracy": accuracy.accuracy,
        "ci_low": accuracy.ci_low,
        "ci_high": accuracy.ci_high,
        "bound_low": accuracy.bound_low,
        "bound_high": accuracy.bound_high,
        "outcomes": {outcome.value: accuracy.outcomes.get(outcome, 0) for outcome in Outcome},
    }


def scorer_json(scorer: ScorerIdentity) -> dict[str, str]:
    """Return who judged; of programs also in which mode, and confined by what (`code-process`, `1+fork-server`)."""
    shown = {"name": scorer.name, "version": scorer.version}
    kind, dash, mode = scorer.name.partition("-")
    if kind == "code" and dash:
        shown |= {"mode": mode, "tier": scorer.version.partition("+")[2]}
    return shown


def beside_json(exam: Exam, scores: Sequence[ItemScore]) -> dict[str, Any]:
    """Return what stands beside a score, where its benchmark has it: tests at hand, bad items apart, fields."""
    found = beside(exam, scores)
    shown: dict[str, Any] = {} if found.tests is None else {"tests": found.tests}
    if found.without_bad_items is not None:
        shown["errata"] = {"items": found.bad_items, "without": accuracy_json(found.without_bad_items)}
    if (fields := field_scores(exam, scores)) is not None:
        shown["fields"] = {name: each.as_json() for name, each in fields.items()}
    return shown


def scored_json(scored: Scored) -> dict[str, Any]:
    """Return the result of `score`."""
    return {
        "benchmark": scored.exam.benchmark,
        "exam_id": scored.exam.exam_id,
        "protocol": scored.exam.protocol,
        **accuracy_json(scored.accuracy),
        **metrics_json(scored.exam.benchmark, scored.scores),
        **beside_json(scored.exam, scored.scores),
        "scorer": scorer_json(scored.scorer),
        "unknown_items": len(scored.unknown_items),
        "unanswered_items": scored.unanswered_items,
        "warnings": list(scored.warnings),
    }


def protocols_json(scored: Sequence[Scored], differences: Sequence[Difference]) -> dict[str, Any]:
    """Return the result of `score --protocol all`."""
    ours = scored[0]
    return {
        "benchmark": ours.exam.benchmark,
        "items": ours.accuracy.items,
        "attempts": ours.accuracy.attempts,
        "protocols": [
            {**scored_json(each), "gained": gained, "lost": lost}
            for each, (gained, lost) in ((each, against(ours, each)) for each in scored)
        ],
        "differences": [difference_json(difference) for difference in differences],
        "warnings": list(dict.fromkeys(warning for each in scored for warning in each.warnings)),
    }


def difference_json(difference: Difference) -> dict[str, Any]:
    """Return an attempt that protocols judge differently."""
    return {
        "item": difference.item,
        "attempt": difference.attempt,
        "outcomes": {name: score.outcome.value for name, score in difference.scores.items()},
        "extracted": {name: score.extracted for name, score in difference.scores.items()},
    }


def item_score_json(score: ItemScore, target: str | None, *, quoted: bool = True) -> dict[str, Any]:
    """Return one line of `--per-item`; not `quoted`, it holds nothing of the answer but what was read."""
    return {
        "item": score.item,
        "attempt": score.attempt,
        "outcome": score.score.outcome.value,
        "extracted": score.score.extracted,
        "target": score.score.target or target,
        "detail": score.score.detail if quoted else score.score.detail_unquoted,
    }


def exam_result_json(result: ExamResult) -> dict[str, Any]:
    """Return one model on one exam."""
    run = result.run
    return {
        "model": result.model,
        "reference": result.resolved.reference,
        "model_key": result.resolved.model_key,
        "identity": result.resolved.identity,
        "run_id": run.run.run_id,
        "state": run.run.state.value,
        "benchmark": run.exam.benchmark,
        "exam_id": run.exam.exam_id,
        "protocol": run.exam.protocol,
        **accuracy_json(result.accuracy),
        **metrics_json(run.exam.benchmark, run.scores),
        **beside_json(run.exam, run.scores),
        "scorer": scorer_json(run.scorer),
        "planned": run.planned,
        "missing": run.missing,
        "reused": run.reused,
        "usage": {"input_tokens": result.input_tokens, "output_tokens": result.output_tokens},
        "cost_usd": None if result.cost_usd is None else float(result.cost_usd),
        "price": run.run.options.get("price"),
        "seconds": run.run.active_s,
        "forecast": run.run.forecast,
        "output_tokens_per_s": result.speed.output_tokens_per_s,
        "ttft_s": result.speed.median_ttft_s,
        "e2e_latency_s": result.speed.median_e2e_latency_s,
        "warnings": list(result.warnings),
    }


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return the result of `evaluate`."""
    return {
        "state": evaluation.state.value,
        "results": [exam_result_json(result) for result in evaluation.results],
        "warnings": list(evaluation.warnings),
    }


def verdict_json(verdict: Verdict, sentence: str) -> dict[str, Any]:
    """Return one verdict."""
    return {
        "benchmark": verdict.benchmark,
        "a": verdict.a,
        "b": verdict.b,
        "verdict": verdict.verdict.value,
        "sentence": sentence,
        "measure": verdict.measure.value,
        "difference": verdict.difference,
        "ci_low": verdict.ci_low,
        "ci_high": verdict.ci_high,
        "confidence_level": verdict.confidence_level,
        "look": {
            "number": verdict.look.number,
            "level": verdict.look_level,
            "last": verdict.look.last,
            "provisional": verdict.look.provisional,
        },
        "p_value": verdict.p_value,
        "p_adjusted": verdict.p_adjusted,
        "discordant": {"a_only": verdict.a_only, "b_only": verdict.b_only},
        "pairs": verdict.pairs,
        "unpaired": verdict.unpaired,
        "bound_low": verdict.bound_low,
        "bound_high": verdict.bound_high,
        "margin": verdict.margin,
        "more_items_needed": verdict.more_items_needed,
        "more_items_reason": verdict.more_items_reason,
        "method": verdict.method,
    }


def comparison_json(comparison: Comparison, *, report: str | None) -> dict[str, Any]:
    """Return the result of `compare`; `report` is the path of the written report."""
    names = list(dict.fromkeys(result.model for result in comparison.evaluation.results))
    return {
        "models": names,
        **evaluation_json(comparison.evaluation),
        "verdicts": [
            verdict_json(verdict, sentence)
            for verdict, sentence in zip(comparison.verdicts, comparison.sentences, strict=True)
        ],
        "report": report,
    }
