"""Exams on receipts: an item for each field; the items of one receipt share one question, which is asked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fieldguide.benchmarks._data_files import DataFile, DataRow, find_data_file
from fieldguide.benchmarks._hub_folder import HubFolder
from fieldguide.benchmarks._interface import AnswerScorer, ExamRequest
from fieldguide.benchmarks.receipts._rows import Receipt, fits, folder_rows, receipt
from fieldguide.benchmarks.receipts._scorer import ReceiptScorer
from fieldguide.domain import Decoding, Exam, ExamItem, JsonValue, Message, Text
from fieldguide.errors import InputFileError, UnknownNameError
from fieldguide.registry import nearest
from fieldguide.scoring.receipt_fields import FIELDS

PROTOCOLS = ("fieldguide", "sroie")
"""Ours compares what fields mean; `sroie` their texts, as the competition does. Both ask in our words: the competition
was for systems that are not asked in words."""
_EXTRACTION = {"fieldguide": "receipt-fields/1", "sroie": "sroie-exact/1"}
_FOLDERS = ("receipts", "sroie", "SROIE2019/test", "multimodal/sroie")
_HUB = HubFolder(
    dataset="jsdnrs/ICDAR2019-SROIE",
    prefix="data/test-",
    parts=("data/test-00000-of-00001.parquet",),
    family="receipts",
)
_RECEIPTS = 347
_QUESTION = """\
This is a scanned receipt. Read four fields from it, each exactly as it is printed:
company: the name of the seller
date: the date of the purchase
address: the address of the seller, on one line
total: the amount to be paid, without the currency

Reply with one JSON object with the keys "company", "date", "address" and "total" and nothing else. \
Write null for a field that is not there."""


class Receipts:
    """Fields of SROIE's receipts. The four items of a receipt are one question: one answer is judged four times."""

    protocols = PROTOCOLS

    def __init__(self, *, hub_endpoint: str | None = None) -> None:
        """Read nothing yet; `hub_endpoint` is the hub's address, None takes the public one."""
        self._hub_endpoint = hub_endpoint

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam from `DIR/receipts/` or from the hub, receipt by receipt.

        Raises:
            DatasetUnavailableError: The data are not where they were looked for.
            InputFileError: A data file is malformed.
            MissingDependencyError: There is no data folder and the hub's client is not installed.
            UnknownNameError: There is no such protocol, or a part was asked for.
        """
        if request.selector is not None:
            raise UnknownNameError("part of receipts", request.selector, hint="Write `receipts` alone.")
        protocol = _protocol(request.protocol)
        found, source = self._receipts(request)
        items = [item for each in found for item in _items(each)]
        return Exam(
            benchmark="receipts",
            protocol=protocol,
            extraction=_EXTRACTION[protocol],
            seed=0,
            decoding=Decoding(max_output_tokens=1024, temperature=0.0),
            items=tuple(items),
            available_items=len(items),
            source=source,
        ).limited(request.limit)

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return a scorer for answers given under `protocol`."""
        return ReceiptScorer(exact=_protocol(protocol) == "sroie")

    def _receipts(self, request: ExamRequest) -> tuple[list[Receipt], Mapping[str, JsonValue]]:
        if request.data_dir is None:
            files, source = _HUB.fetch(endpoint=self._hub_endpoint, hub=request.hub)
            return _unlike([made for file in files for made in _of(file.rows, file.path)], files[0].path), source
        family = next((name for name in _FOLDERS if (request.data_dir / name).is_dir()), "receipts")
        folder = request.data_dir / family
        if (folder / "entities").is_dir():
            rows = list(folder_rows(folder))
            return _of(rows, folder / "list"), {"folder": family, "rows": len(rows)}
        file = find_data_file(
            request.data_dir,
            family,
            wanted="list of receipts (columns `company`, `date`, `address`, `total` and `image`)",
            fits=fits,
            rows=_RECEIPTS,
        )
        return _unlike(_of(file.rows, file.path), file.path), _told(file)


def _told(file: DataFile) -> Mapping[str, JsonValue]:
    source = file.source()
    if len(file.rows) != _RECEIPTS:
        source["warnings"] = [*file.warnings, f"{file.name} holds {len(file.rows)} of the usual {_RECEIPTS} receipts."]
    return source


def _protocol(name: str | None) -> str:
    wanted = PROTOCOLS[0] if name is None else name
    if wanted not in PROTOCOLS:
        raise UnknownNameError("protocol", wanted, nearest(wanted, list(PROTOCOLS)) or PROTOCOLS)
    return wanted


def _of(rows: Sequence[DataRow], path: Path) -> list[Receipt]:
    return [receipt(row, index, path) for index, row in enumerate(rows)]


def _unlike(receipts: list[Receipt], path: Path) -> list[Receipt]:
    seen: set[str] = set()
    for each in receipts:
        if each.name in seen:
            raise InputFileError(str(path), f"the receipt {each.name} stands twice.")
        seen.add(each.name)
    return receipts


def _items(each: Receipt) -> list[ExamItem]:
    messages = (Message(role="user", content=(each.picture, Text(text=_QUESTION))),)
    return [
        ExamItem(
            item=f"receipts/{each.name}/{field}",
            target=each.fields[field],
            messages=messages,
            metadata={"receipt": each.name, "field": field},
        )
        for field in FIELDS
        if field in each.fields
    ]
