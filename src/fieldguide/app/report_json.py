"""A report without its questions as JSON and back: what a page needs to show verdicts, charts and tables again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from fieldguide.domain import Decoding
from fieldguide.reporting import Report, ReportExam, ReportModel, ReportResult, ReportVerdict


def report_json(report: Report) -> dict[str, Any]:
    """Return title, moment, command, models and exams by name, results and verdicts whole."""
    results, verdicts, decoding = _adapters()
    return {
        "title": report.title,
        "created": report.created.isoformat(),
        "command": report.command,
        "models": [{"name": model.name, "reference": model.reference} for model in report.models],
        "exams": [
            {
                "benchmark": exam.benchmark,
                "exam_id": exam.exam_id,
                "protocol": exam.protocol,
                "items": exam.items,
                "decoding": decoding.dump_python(exam.decoding, mode="json"),
            }
            for exam in report.exams
        ],
        "results": results.dump_python(list(report.results), mode="json"),
        "verdicts": verdicts.dump_python(list(report.verdicts), mode="json"),
        "notes": list(report.notes),
    }


def report_from(held: Mapping[str, Any]) -> Report:
    """Return what `report_json` was given."""
    results, verdicts, decoding = _adapters()
    return Report(
        title=held["title"],
        created=datetime.fromisoformat(held["created"]),
        command=held["command"],
        models=tuple(ReportModel(**model) for model in held["models"]),
        exams=tuple(
            ReportExam(**exam | {"decoding": decoding.validate_python(exam["decoding"])}) for exam in held["exams"]
        ),
        results=tuple(results.validate_python(held["results"])),
        verdicts=tuple(verdicts.validate_python(held["verdicts"])),
        notes=tuple(held["notes"]),
    )


@cache
def _adapters() -> tuple[Any, Any, Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(list[ReportResult]), TypeAdapter(list[ReportVerdict]), TypeAdapter(Decoding)
