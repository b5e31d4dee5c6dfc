"""Tables that several commands print."""

from __future__ import annotations

from collections.abc import Sequence

from fieldguide.app.attempts import metrics_sentence
from fieldguide.app.evaluate import ExamResult
from fieldguide.app.field_scores import field_scores, fields_sentence
from fieldguide.cli._output import console, interval, money, number, percent, seconds, table
from fieldguide.domain import Accuracy, Exam, ItemScore, Outcome


def accuracy_table(rows: Sequence[tuple[str, str, Accuracy]]) -> None:
    """Print accuracy, interval, bounds and outcomes of (model, benchmark, accuracy)."""
    made = table(
        "model", "benchmark", "right", "of", "accuracy", "95 % interval", "bounds", "other outcomes", right=(2, 3, 4)
    )
    for model, benchmark, accuracy in rows:
        made.add_row(
            model,
            benchmark,
            str(accuracy.correct),
            str(accuracy.scored),
            percent(accuracy.accuracy),
            interval(accuracy.ci_low, accuracy.ci_high),
            interval(accuracy.bound_low, accuracy.bound_high),
            other_outcomes(accuracy),
        )
    console().print(made)


def metrics_lines(rows: Sequence[tuple[str, str, Sequence[ItemScore]]]) -> None:
    """Print the metrics over attempts of (model, benchmark, scores), where there are several attempts at an item."""
    for model, benchmark, scores in rows:
        told = metrics_sentence(benchmark, scores)
        if told is not None:
            print(f"{model} on {benchmark}, {told}")


def fields_lines(rows: Sequence[tuple[str, Exam, Sequence[ItemScore]]]) -> None:
    """Print precision, recall and F1 of (model, exam, scores), where the exam asks for fields."""
    for model, exam, scores in rows:
        if (found := field_scores(exam, scores)) is not None:
            print(f"{model} on {exam.benchmark}, {fields_sentence(found)}")


def other_outcomes(accuracy: Accuracy) -> str:
    """Return the outcomes besides right and wrong, in words."""
    others = [
        f"{count} {outcome.value}"
        for outcome, count in accuracy.outcomes.items()
        if count and outcome not in {Outcome.CORRECT, Outcome.WRONG}
    ]
    return ", ".join(others) or "none"


def speed_table(results: Sequence[ExamResult]) -> None:
    """Print tokens, time and cost of each result."""
    made = table(
        "model", "benchmark", "input tokens", "output tokens", "time", "output rate", "cost", "run",
        right=(2, 3, 4, 5, 6),
    )  # fmt: skip
    for result in results:
        made.add_row(
            result.model,
            result.run.exam.benchmark,
            number(result.input_tokens),
            number(result.output_tokens),
            seconds(result.run.run.active_s),
            number(result.speed.output_tokens_per_s, "tokens/s"),
            money(result.cost_usd),
            result.run.run.run_id,
        )
    console().print(made)
