"""A comparison, or an evaluation, as the values of one report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from fieldguide.app.attempts import metrics_with_intervals
from fieldguide.app.compare import Comparison
from fieldguide.app.evaluate import ExamResult
from fieldguide.comparison import accuracy_of
from fieldguide.domain import Exam, ExamItem, ItemScore, JsonValue, Outcome
from fieldguide.reporting import (
    Report,
    ReportAnswer,
    ReportExam,
    ReportGroup,
    ReportItem,
    ReportModel,
    ReportResult,
    ReportVerdict,
    write_html,
)
from fieldguide.store import Store, StoredAnswer

_GROUPS = ("rung", "level", "domain")
"""Metadata keys whose values divide an exam into parts worth a chart, in order of preference."""


def write_report(comparison: Comparison, path: Path, *, store: Store, command: str) -> None:
    """Write one self-contained HTML file, whole or not at all; the texts of the answers are read from `store`.

    Raises:
        FieldguideError: An answer cannot be read, or the file not be written.
    """
    write_html(build_report(comparison, store=store, command=command, created=datetime.now(UTC)), path)


def build_report(
    comparison: Comparison, *, store: Store, command: str, created: datetime, items: bool = True
) -> Report:
    """Return everything the page shows; without its `items`, no answer is read."""
    results = comparison.evaluation.results
    models = {result.model: result for result in results}
    exams = {result.run.exam.exam_id: result.run.exam for result in results}
    return Report(
        title=_title(models, exams.values()),
        created=created,
        command=command,
        models=tuple(_model(result) for result in models.values()),
        results=tuple(_result(result) for result in results),
        exams=tuple(_exam(exam) for exam in exams.values()),
        verdicts=tuple(
            ReportVerdict(verdict=verdict, sentence=sentence)
            for verdict, sentence in zip(comparison.verdicts, comparison.sentences, strict=True)
        ),
        items=tuple(item for exam in exams.values() for item in _items(exam, results, store)) if items else (),
        environment=_environment(results),
        notes=comparison.evaluation.warnings,
    )


def _title(models: Mapping[str, ExamResult], exams: Iterable[Exam]) -> str:
    *others, last = models
    names = f"{', '.join(others)} and {last}" if others else last
    return f"{names} on {', '.join(exam.benchmark for exam in exams)}"


def _environment(results: tuple[ExamResult, ...]) -> Mapping[str, str | None]:
    stored = results[0].run.run.environment if results else {}
    return {key: None if value is None else str(value) for key, value in stored.items()}


def _model(result: ExamResult) -> ReportModel:
    sha256 = result.resolved.identity.get("file_sha256")
    return ReportModel(
        name=result.model,
        reference=result.resolved.reference,
        identity=result.resolved.identity,
        facts=result.resolved.facts,
        file_sha256=str(sha256) if sha256 else None,
        licence=result.licence,
    )


def _exam(exam: Exam) -> ReportExam:
    return ReportExam(
        benchmark=exam.benchmark,
        exam_id=exam.exam_id,
        protocol=exam.protocol,
        items=len(exam.items),
        decoding=exam.decoding,
        extraction=exam.extraction,
        seed=exam.seed,
        available_items=exam.available_items,
        source=exam.source,
    )


def _result(result: ExamResult) -> ReportResult:
    kind, groups = _groups(result)
    unknown: dict[str, str] = {}
    if result.speed.median_ttft_s is None:
        unknown["ttft_s"] = "answers came whole and not as a stream"
    if result.cost_usd is None:
        unknown["cost_usd"] = "the price, or a token count, is not known"
    return ReportResult(
        benchmark=result.run.exam.benchmark,
        exam_id=result.run.exam.exam_id,
        protocol=result.run.exam.protocol,
        model=result.model,
        run_id=result.run.run.run_id,
        accuracy=result.accuracy,
        scorer=result.run.scorer,
        metrics=metrics_with_intervals(result.run.exam.benchmark, result.run.scores),
        input_tokens=result.input_tokens,
        output_tokens=result.output_tokens,
        cost_usd=result.cost_usd,
        seconds=result.run.run.active_s,
        ttft_s=result.speed.median_ttft_s,
        e2e_latency_s=result.speed.median_e2e_latency_s,
        group_kind=kind,
        groups=groups,
        unknown_because=unknown,
    )


def _groups(result: ExamResult) -> tuple[str | None, tuple[ReportGroup, ...]]:
    """Return the accuracy on each part of the exam, by the first kind of part that its items have."""
    kind = next((key for key in _GROUPS if all(key in item.metadata for item in result.run.exam.items)), None)
    if kind is None:
        return None, ()
    parts: dict[JsonValue, list[ItemScore]] = {}
    for answer in result.run.answers:
        if answer.score is not None:
            score = ItemScore(item=answer.item.item, attempt=answer.attempt, score=answer.score)
            parts.setdefault(answer.item.metadata[kind], []).append(score)
    return kind, tuple(_group(f"{kind} {value}", parts[value]) for value in sorted(parts, key=_order))


def _order(value: JsonValue) -> tuple[bool, float, str]:
    is_text = not isinstance(value, int | float)
    return is_text, 0.0 if is_text else float(str(value)), str(value)


def _group(name: str, scores: list[ItemScore]) -> ReportGroup:
    accuracy = accuracy_of(scores)
    return ReportGroup(
        name=name,
        scored=accuracy.scored,
        correct=accuracy.correct,
        ci_low=accuracy.ci_low,
        ci_high=accuracy.ci_high,
    )


def _items(exam: Exam, results: tuple[ExamResult, ...], store: Store) -> list[ReportItem]:
    answers: dict[str, list[ReportAnswer]] = {}
    for result in results:
        if result.run.exam.exam_id == exam.exam_id:
            for answer in result.run.answers:
                shown = _answer(result.model, answer, None if exam.restricted else store)
                answers.setdefault(answer.item.item, []).append(shown)
    withheld = exam.restricted is not None
    return [
        ReportItem(
            benchmark=exam.benchmark,
            item=item.item,
            prompt_text=None if withheld else _prompt_text(item),
            target=_targets(item.target, answers.get(item.item, ())),
            metadata=item.metadata,
            answers=tuple(answers.get(item.item, ())),
            withheld_because=exam.restricted,
        )
        for item in exam.items
    ]


def _targets(target: str, answers: Iterable[ReportAnswer]) -> str:
    """Return the right answer, and where attempts had an order of choices of their own, what it was for them."""
    own = {f"{each.model}, attempt {each.attempt}": each.target for each in answers if each.target is not None}
    return "\n".join([target, *(f"{right} for {who}" for who, right in own.items())])


def _prompt_text(item: ExamItem) -> str:
    if item.messages is None:
        return item.prompt or ""
    return "\n\n".join(f"[{message.role}]\n{message.text}" for message in item.messages)


def _answer(model: str, answer: StoredAnswer, store: Store | None) -> ReportAnswer:
    """Return an answer as it is shown; without the store of texts, one that quotes nothing."""
    call, score = answer.call, answer.score
    return ReportAnswer(
        model=model,
        attempt=answer.attempt,
        outcome=Outcome.FAILED if score is None else score.outcome,
        extracted=None if score is None else score.extracted,
        target=None if score is None else score.target,
        text=None if call is None or store is None else store.completion(call.call_id).text,
        finish_reason=None if call is None else call.finish_reason.value,
        output_tokens=None if call is None else call.usage.output_tokens,
        seconds=None if call is None else call.latency.e2e_latency_s,
        detail="not judged" if score is None else score.detail_unquoted if store is None else score.detail,
    )
