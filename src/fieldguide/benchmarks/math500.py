"""MATH-500: the 500 test problems of Lightman et al. 2023 (arXiv:2305.20050), from MATH (arXiv:2103.03874)."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fieldguide.benchmarks._data_files import DataRow, find_data_file
from fieldguide.benchmarks._hub import HubFile
from fieldguide.benchmarks._interface import AnswerScorer, ExamRequest
from fieldguide.benchmarks._maths_exam import build_exam, fetched, needed, without_selector
from fieldguide.benchmarks._maths_protocols import MathsProtocol, maths_protocols, protocol_named
from fieldguide.benchmarks._maths_scorer import MathsScorer
from fieldguide.domain import Exam, ExamItem
from fieldguide.errors import InputFileError
from fieldguide.scoring.boxed import last_boxed

TEST_ITEMS = 500
_PROTOCOLS = maths_protocols(extraction="fieldguide-maths/1", max_output_tokens=4096)
_HUB = HubFile(dataset="HuggingFaceH4/MATH-500", file="test.jsonl", family="math")
_PROBLEM = ("problem", "question")
_ANSWER = ("answer", "expected_answer", "final_answer", "target")
_UNIQUE_ID = re.compile(r"(?:.*/)?(?P<split>test|train)/(?P<rest>[^/]+/\d+)(?:\.json)?")


class Math500:
    """The 500-problem split. Ids come from the data set's own: `math/test/precalculus/807`."""

    def __init__(self, *, hub_endpoint: str | None = None) -> None:
        """Read nothing yet; `hub_endpoint` is the hub's address, None takes the public one."""
        self._hub_endpoint = hub_endpoint

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam from `DIR/math/` or from the hub (`HuggingFaceH4/MATH-500`).

        Raises:
            DatasetUnavailableError: The data are not where they were looked for.
            InputFileError: A data file is malformed; the line is named.
            MissingDependencyError: There is no data folder and the hub's client is not installed.
            UnknownNameError: There is no such protocol, or a part was asked for.
        """
        without_selector("math500", request)
        protocol = protocol_named(_PROTOCOLS, request.protocol)
        if request.data_dir is None:
            file, source = fetched(_HUB, self._hub_endpoint)
        else:
            file = find_data_file(
                request.data_dir,
                "math",
                wanted="MATH-500 file (columns `problem`, `answer`, `unique_id` or `subject` and `level`)",
                fits=_fits,
                rows=TEST_ITEMS,
                most_rows=TEST_ITEMS,
            )
            source = file.source()
        return build_exam(
            "math500", request, protocol=protocol, file=file, source=source, item_of=_item, usual_rows=TEST_ITEMS
        )

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return a scorer for answers given under `protocol`."""
        return MathsScorer(protocol_named(_PROTOCOLS, protocol))


def math_item_id(problem: str, unique_id: str | None) -> str:
    """Return the id of a MATH problem: from its `unique_id`, or where a copy lacks it, from the problem's text.

    Raises:
        ValueError: The `unique_id` is not of the form `test/<subject>/<number>.json`.
    """
    if unique_id is None:
        return f"math/sha256/{hashlib.sha256(' '.join(problem.split()).encode()).hexdigest()[:24]}"
    parts = _UNIQUE_ID.fullmatch(unique_id.strip())
    if parts is None:
        raise ValueError(f"the unique_id {unique_id!r} is not of the form `test/<subject>/<number>.json`")
    return f"math/{parts['split']}/{parts['rest']}"


def _fits(row: DataRow) -> bool:
    has_place = row.text("unique_id") or (row.text("subject", "type") and row.text("level"))
    return bool(has_place and row.text(*_PROBLEM) and (row.text(*_ANSWER) or last_boxed(row.text("solution") or "")))


def _item(_: int, row: DataRow, protocol: MathsProtocol, path: Path) -> ExamItem:
    problem, unique_id = needed(row, path, *_PROBLEM), row.text("unique_id")
    try:
        item = math_item_id(problem, unique_id)
    except ValueError as error:
        raise InputFileError(str(path), f"{error}.", line=row.line) from error
    return ExamItem(
        item=item,
        target=_target(row, path),
        messages=protocol.messages(problem),
        metadata={"unique_id": unique_id, "subject": row.text("subject", "type"), "level": _level(row)},
    )


def _target(row: DataRow, path: Path) -> str:
    answer = row.text(*_ANSWER)
    if answer is None:
        boxed = last_boxed(row.text("solution") or "")
        answer = boxed.content if boxed else None
    if not answer:
        raise InputFileError(str(path), "has neither an answer nor one boxed in its solution.", line=row.line)
    return answer


def _level(row: DataRow) -> int | None:
    """Return the level, 1 to 5, from `3` or `Level 3`; None where it is unknown."""
    digits = re.search(r"\d+", row.text("level") or "")
    return int(digits[0]) if digits else None
