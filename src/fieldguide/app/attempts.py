"""Metrics over the attempts at an exam, for everything that shows a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fieldguide.comparison import AttemptMetrics, attempt_metrics, error_rate_of
from fieldguide.domain import ErrorRate, ItemScore
from fieldguide.scoring import vote_key

_PROGRAMS = frozenset({"livecodebench", "humaneval", "humaneval+", "mbpp", "mbpp+", "asr"})
"""Benchmarks whose answers are programs or whole texts: hardly ever are two of them one answer, so none votes."""
_WORD_ERRORS = "word_error_rate"


def metrics_of(benchmark: str, scores: Sequence[ItemScore]) -> AttemptMetrics:
    """Return the metrics that these attempts at `benchmark` allow."""
    family = benchmark.partition("@")[0]
    return attempt_metrics(scores, vote_key=None if family in _PROGRAMS else vote_key)


def metrics_json(benchmark: str, scores: Sequence[ItemScore]) -> dict[str, Any]:
    """Return the values by name, and beside them what they rest on."""
    found, errors = metrics_of(benchmark, scores), error_rate_of(scores)
    intervals = {metric.name: [metric.ci_low, metric.ci_high] for metric in found.metrics}
    values = dict(found.by_name)
    if errors is not None:
        values[_WORD_ERRORS], intervals[_WORD_ERRORS] = errors.rate, [errors.ci_low, errors.ci_high]
    return {
        "metrics": values,
        **({} if errors is None else {_WORD_ERRORS: _errors_json(errors)}),
        "metrics_basis": {
            "n": found.metrics[0].items if found.metrics else 0,
            "attempts_per_item": found.attempts_per_item,
            "failed_attempts": found.failed_attempts,
            "items_left_out": found.items_left_out,
            "intervals": intervals,
        },
    }


def _errors_json(errors: ErrorRate) -> dict[str, Any]:
    return {
        "value": errors.rate,
        "ci_low": errors.ci_low,
        "ci_high": errors.ci_high,
        "errors": errors.errors,
        "words": errors.parts,
        "utterances": errors.items,
    }


def metrics_with_intervals(benchmark: str, scores: Sequence[ItemScore]) -> dict[str, tuple[float, float, float]]:
    """Return value and interval of each metric by name; with one attempt at an item the word error rate, if any."""
    found, errors = metrics_of(benchmark, scores), error_rate_of(scores)
    shown = {} if errors is None else {"word error rate": (errors.rate, errors.ci_low, errors.ci_high)}
    if found.attempts_per_item < 2:
        return shown
    return shown | {metric.name: (metric.value, metric.ci_low, metric.ci_high) for metric in found.metrics}


def metrics_sentence(benchmark: str, scores: Sequence[ItemScore]) -> str | None:
    """Return the metrics on one line, each with its interval; None where there is none to tell besides the accuracy."""
    errors, attempts = error_rate_of(scores), _attempts_sentence(benchmark, scores)
    return "; ".join(told for told in (None if errors is None else _errors_sentence(errors), attempts) if told) or None


def _errors_sentence(errors: ErrorRate) -> str:
    return (
        f"word error rate {100 * errors.rate:.1f} % ({100 * errors.ci_low:.1f} to {100 * errors.ci_high:.1f}): "
        f"{errors.errors:,} errors in {errors.parts:,} words of {errors.items:,} recordings"
    )


def _attempts_sentence(benchmark: str, scores: Sequence[ItemScore]) -> str | None:
    found = metrics_of(benchmark, scores)
    n = found.attempts_per_item
    if n < 2:
        return None
    shown = [metric for metric in found.metrics if metric.name != "pass@1"]
    told = ", ".join(
        f"{metric.name} {100 * metric.value:.1f} % ({100 * metric.ci_low:.1f} to {100 * metric.ci_high:.1f})"
        for metric in shown
    )
    left_out = [f"{found.failed_attempts} failed attempts are in none"] * bool(found.failed_attempts)
    left_out += [f"{found.items_left_out} items without a judged attempt left out"] * bool(found.items_left_out)
    return "; ".join([f"over {shown[0].items} items x {n} attempts: {told}", *left_out])
