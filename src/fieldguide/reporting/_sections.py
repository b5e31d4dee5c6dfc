"""Results brought into sections, one per exam, each with its charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.domain import Measure, Outcome
from fieldguide.reporting._charts import Dot, DotRow, OutcomeRow, accuracy_chart, difference_chart, outcome_chart
from fieldguide.reporting._drawings import Drawing, Studio
from fieldguide.reporting._numbers import NOT_AVAILABLE, percent, percent_interval, points_interval, signed
from fieldguide.reporting._values import Report, ReportExam, ReportGroup, ReportResult, ReportVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One part of an exam across models."""

    name: str
    cells: tuple[ReportGroup | None, ...]
    """In the order of the section's results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One exam under one protocol."""

    anchor: str
    benchmark: str
    exam_id: str
    protocol: str
    exam: ReportExam | None
    results: tuple[ReportResult, ...]
    verdicts: tuple[ReportVerdict, ...]
    group_kind: str
    groups: tuple[GroupRow, ...]
    accuracy: Drawing | None
    differences: Drawing | None
    outcomes: Drawing | None
    group_accuracy: Drawing | None


def sections(report: Report, studio: Studio) -> tuple[Section, ...]:
    """Return the sections in the order in which the results name their exams."""
    keys = dict.fromkeys((result.benchmark, result.exam_id, result.protocol) for result in report.results)
    first_of = {key[0]: key for key in reversed(keys)}
    places = {model.name: place for place, model in enumerate(report.models)}
    made = []
    for number, key in enumerate(keys, start=1):
        results = tuple(
            result for result in report.results if (result.benchmark, result.exam_id, result.protocol) == key
        )
        verdicts = tuple(
            shown for shown in report.verdicts if shown.verdict.benchmark == key[0] and first_of[key[0]] == key
        )
        exam = next((exam for exam in report.exams if exam.exam_id == key[1]), None)
        made.append(_section(f"exam-{number}", key, exam, results, verdicts, places, studio))
    return tuple(made)


def _section(
    anchor: str,
    key: tuple[str, str, str],
    exam: ReportExam | None,
    results: tuple[ReportResult, ...],
    verdicts: tuple[ReportVerdict, ...],
    places: dict[str, int],
    studio: Studio,
) -> Section:
    groups = _groups(results)
    group_kind = next((result.group_kind for result in results if result.group_kind), "part")
    return Section(
        anchor=anchor,
        benchmark=key[0],
        exam_id=key[1],
        protocol=key[2],
        exam=exam,
        results=results,
        verdicts=verdicts,
        group_kind=group_kind,
        groups=groups,
        accuracy=_draw_accuracy(f"{anchor}-accuracy", key[0], results, places, studio),
        differences=_draw_differences(f"{anchor}-differences", key[0], verdicts, studio),
        outcomes=_draw_outcomes(f"{anchor}-outcomes", key[0], results, studio),
        group_accuracy=_draw_groups(f"{anchor}-groups", key[0], group_kind, groups, results, places, studio),
    )


def _groups(results: Sequence[ReportResult]) -> tuple[GroupRow, ...]:
    names = dict.fromkeys(group.name for result in results for group in result.groups)
    by_model = [{group.name: group for group in result.groups} for result in results]
    return tuple(GroupRow(name=name, cells=tuple(groups.get(name) for groups in by_model)) for name in names)


def _draw_accuracy(
    anchor: str, benchmark: str, results: Sequence[ReportResult], places: dict[str, int], studio: Studio
) -> Drawing | None:
    rows = [
        DotRow(
            label=(result.model,),
            figure=percent(result.accuracy.accuracy),
            dots=(
                Dot(
                    value=result.accuracy.accuracy,
                    low=result.accuracy.ci_low,
                    high=result.accuracy.ci_high,
                    bound_low=result.accuracy.bound_low,
                    bound_high=result.accuracy.bound_high,
                    model=places.get(result.model),
                ),
            ),
        )
        for result in results
    ]
    told = [
        f"{result.model} " + percent_interval(result.accuracy.accuracy, result.accuracy.ci_low, result.accuracy.ci_high)
        for result in results
    ]
    return studio.draw(
        lambda layout: accuracy_chart(rows, layout),
        anchor=anchor,
        title=f"Accuracy on {benchmark}",
        description="; ".join(told),
    )


def _draw_differences(anchor: str, benchmark: str, verdicts: Sequence[ReportVerdict], studio: Studio) -> Drawing | None:
    if not verdicts:
        return None
    rows, told, of_what = [], [], ""
    for verdict in (shown.verdict for shown in verdicts):
        difference = verdict.difference
        dot = Dot(
            value=difference,
            low=verdict.ci_low,
            high=verdict.ci_high,
            bound_low=verdict.bound_low,
            bound_high=verdict.bound_high,
        )
        figure = NOT_AVAILABLE if difference is None else signed(difference)
        points = points_interval(difference, verdict.ci_low, verdict.ci_high)
        if verdict.measure is Measure.WORD_ERROR_RATE:
            of_what = " of word error rate"
            rows.append(DotRow(label=(verdict.a, f"against {verdict.b}"), figure=figure, dots=(dot,)))
            told.append(f"word error rate of {verdict.b} minus {verdict.a}: {points}")
        else:
            rows.append(DotRow(label=(verdict.a, f"\u2212 {verdict.b}"), figure=figure, dots=(dot,)))
            told.append(f"{verdict.a} minus {verdict.b}: {points}")
    margins = {shown.verdict.margin for shown in verdicts}
    margin = margins.pop() if len(margins) == 1 else None
    return studio.draw(
        lambda layout: difference_chart(rows, layout, margin=margin),
        anchor=anchor,
        title=f"Paired differences{of_what} on {benchmark}",
        description="; ".join(told),
    )


def _draw_outcomes(anchor: str, benchmark: str, results: Sequence[ReportResult], studio: Studio) -> Drawing | None:
    rows = [
        OutcomeRow(
            label=result.model,
            counts=tuple((outcome, result.accuracy.outcomes.get(outcome, 0)) for outcome in Outcome),
        )
        for result in results
    ]
    told = [
        f"{row.label}: " + ", ".join(f"{number} {outcome}" for outcome, number in row.counts if number) for row in rows
    ]
    return studio.draw(
        lambda layout: outcome_chart(rows, layout),
        anchor=anchor,
        title=f"Outcomes on {benchmark}",
        description="; ".join(told),
    )


def _draw_groups(
    anchor: str,
    benchmark: str,
    group_kind: str,
    groups: Sequence[GroupRow],
    results: Sequence[ReportResult],
    places: dict[str, int],
    studio: Studio,
) -> Drawing | None:
    if not groups:
        return None
    rows = [
        DotRow(
            label=(row.name,),
            dots=tuple(
                Dot(value=group.accuracy, low=group.ci_low, high=group.ci_high, model=places.get(result.model))
                for group, result in zip(row.cells, results)
                if group is not None
            ),
        )
        for row in groups
    ]
    return studio.draw(
        lambda layout: accuracy_chart(rows, layout),
        anchor=anchor,
        title=f"Accuracy by {group_kind} on {benchmark}",
        description="The table that follows holds the figures.",
    )
