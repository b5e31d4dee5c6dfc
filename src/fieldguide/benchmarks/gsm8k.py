"""GSM8K: 1,319 grade-school word problems with a whole number as answer (Cobbe et al. 2021, arXiv:2110.14168)."""

from __future__ import annotations

from pathlib import Path

from fieldguide.benchmarks._data_files import DataRow, find_data_file
from fieldguide.benchmarks._hub import HubFile
from fieldguide.benchmarks._interface import AnswerScorer, ExamRequest
from fieldguide.benchmarks._maths_exam import build_exam, fetched, needed, without_selector
from fieldguide.benchmarks._maths_protocols import MathsProtocol, maths_protocols, protocol_named
from fieldguide.benchmarks._maths_scorer import MathsScorer
from fieldguide.domain import Exam, ExamItem
from fieldguide.errors import InputFileError

TEST_ITEMS = 1319
_PROTOCOLS = maths_protocols(extraction="fieldguide-gsm8k/1", max_output_tokens=2048)
_HUB = HubFile(dataset="openai/gsm8k", file="main/test-00000-of-00001.parquet", family="gsm8k")
_QUESTION = ("question", "problem")
_ANSWER = ("answer", "solution", "expected_answer", "ground_truth")


class Gsm8k:
    """The test split. Items are numbered by their line, from 0: `gsm8k/test/0` to `gsm8k/test/1318`."""

    def __init__(self, *, hub_endpoint: str | None = None) -> None:
        """Read nothing yet; `hub_endpoint` is the hub's address, None takes the public one."""
        self._hub_endpoint = hub_endpoint

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam from `DIR/gsm8k/` or from the hub (`openai/gsm8k`).

        Raises:
            DatasetUnavailableError: The data are not where they were looked for.
            InputFileError: A data file is malformed; the line is named.
            MissingDependencyError: There is no data folder and the hub's client is not installed.
            UnknownNameError: There is no such protocol, or a part was asked for.
        """
        without_selector("gsm8k", request)
        protocol = protocol_named(_PROTOCOLS, request.protocol)
        if request.data_dir is None:
            file, source = fetched(_HUB, self._hub_endpoint)
        else:
            file = find_data_file(
                request.data_dir,
                "gsm8k",
                wanted="GSM8K test file (columns `question` and `answer` with `####`)",
                fits=_fits,
                rows=TEST_ITEMS,
            )
            source = file.source()
        return build_exam(
            "gsm8k", request, protocol=protocol, file=file, source=source, item_of=_item, usual_rows=TEST_ITEMS
        )

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return a scorer for answers given under `protocol`."""
        return MathsScorer(protocol_named(_PROTOCOLS, protocol))


def _fits(row: DataRow) -> bool:
    return row.text(*_QUESTION) is not None and "####" in (row.text(*_ANSWER) or "")


def _item(index: int, row: DataRow, protocol: MathsProtocol, path: Path) -> ExamItem:
    answer = needed(row, path, *_ANSWER)
    _, hashes, target = answer.rpartition("####")
    target = target.strip().replace(",", "")
    if not hashes or not target:
        raise InputFileError(str(path), "the answer does not end in `#### N`.", line=row.line)
    return ExamItem(
        item=f"gsm8k/test/{index}",
        target=target,
        messages=protocol.messages(needed(row, path, *_QUESTION)),
        metadata={"line": index},
    )
