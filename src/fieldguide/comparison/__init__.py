"""Scores -> verdicts: accuracies with intervals, paired comparisons, and the sentence a person can act on."""

from fieldguide.comparison._accuracy import accuracy_of, mid_p_interval
from fieldguide.comparison._attempts import AttemptMetric, AttemptMetrics, attempt_metrics, pass_at_k, pass_hat_k
from fieldguide.comparison._claims import (
    Conflict,
    Difference,
    JudgedClaim,
    is_attainable,
    judge_claims,
    table_differences,
    unpaired_p_value,
    wilson_interval,
)
from fieldguide.comparison._compare import ExamScores, ModelScores, compare_models
from fieldguide.comparison._error_rate import error_rate_of
from fieldguide.comparison._holm import holm_adjusted
from fieldguide.comparison._looks import is_look
from fieldguide.comparison._pairing import items_compared
from fieldguide.comparison._sentence import verdict_sentence
from fieldguide.comparison._sizes import (
    SizePoint,
    SizeSeries,
    SizeStep,
    in_points,
    series_sentence,
    size_series,
    size_step,
)

__all__ = [
    "AttemptMetric",
    "AttemptMetrics",
    "Conflict",
    "Difference",
    "ExamScores",
    "JudgedClaim",
    "ModelScores",
    "SizePoint",
    "SizeSeries",
    "SizeStep",
    "accuracy_of",
    "attempt_metrics",
    "compare_models",
    "error_rate_of",
    "holm_adjusted",
    "in_points",
    "is_attainable",
    "is_look",
    "items_compared",
    "judge_claims",
    "mid_p_interval",
    "pass_at_k",
    "pass_hat_k",
    "series_sentence",
    "size_series",
    "size_step",
    "table_differences",
    "unpaired_p_value",
    "verdict_sentence",
    "wilson_interval",
]
