"""What the mathematical benchmarks share: from rows to an exam."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fieldguide.benchmarks._data_files import DataFile, DataRow
from fieldguide.benchmarks._hub import HubFile
from fieldguide.benchmarks._interface import ExamRequest
from fieldguide.benchmarks._maths_protocols import MathsProtocol
from fieldguide.domain import Exam, ExamItem, JsonValue
from fieldguide.errors import InputFileError, UnknownNameError

ItemOf = Callable[[int, DataRow, MathsProtocol, Path], ExamItem]


def build_exam(
    benchmark: str,
    request: ExamRequest,
    *,
    protocol: MathsProtocol,
    file: DataFile,
    source: Mapping[str, JsonValue],
    item_of: ItemOf,
    usual_rows: int,
) -> Exam:
    """Return the exam of a file's rows in their order; nothing is drawn, so that its seed is always 0.

    Raises:
        InputFileError: A row lacks what it needs, or an id stands twice; the line is named.
    """
    items: dict[str, ExamItem] = {}
    for index, row in enumerate(file.rows):
        item = item_of(index, row, protocol, file.path)
        if item.item in items:
            raise InputFileError(str(file.path), f"{item.item!r} stands twice.", line=row.line)
        items[item.item] = item
    warnings = list(file.warnings)
    if len(items) != usual_rows:
        warnings.append(f"{file.name} holds {len(items)} of the usual {usual_rows} items.")
    exam = Exam(
        benchmark=benchmark,
        protocol=protocol.name,
        extraction=protocol.extraction,
        seed=0,
        decoding=protocol.decoding,
        items=tuple(items.values()),
        available_items=len(items),
        source={**source, "warnings": warnings},
    )
    return exam.limited(request.limit)


def without_selector(benchmark: str, request: ExamRequest) -> None:
    """Refuse a selector, for benchmarks that have no parts.

    Raises:
        UnknownNameError: There is one.
    """
    if request.selector is not None:
        raise UnknownNameError(f"part of {benchmark}", request.selector, hint=f"Write `{benchmark}` alone.")


def needed(row: DataRow, path: Path, *names: str) -> str:
    """Return the text of the first of these columns that holds something.

    Raises:
        InputFileError: None of them does.
    """
    text = row.text(*names)
    if text is None:
        raise InputFileError(str(path), f"has no {' or '.join(names[:2])}.", line=row.line)
    return text


def fetched(hub_file: HubFile, endpoint: str | None) -> tuple[DataFile, Mapping[str, JsonValue]]:
    """Return a file from the hub and what an exam records of it."""
    file, commit = hub_file.fetch(endpoint=endpoint)
    return file, hub_file.source(file, commit)
