"""Exams of MMMU-Pro: `mmmu-pro` (up to ten choices), `mmmu-pro@standard-4`, `mmmu-pro@vision`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fieldguide.benchmarks._data_files import DataFile, find_data_file
from fieldguide.benchmarks._hub_folder import HubFolder
from fieldguide.benchmarks._interface import AnswerScorer, ExamRequest
from fieldguide.benchmarks.mmmu_pro._protocols import PROTOCOLS, MmmuProtocol, protocol_named
from fieldguide.benchmarks.mmmu_pro._rows import MmmuRow, fits, mmmu_row
from fieldguide.benchmarks.mmmu_pro._scorer import MmmuScorer
from fieldguide.domain import Exam, ExamItem, JsonValue
from fieldguide.errors import InputFileError, UnknownNameError
from fieldguide.registry import nearest

FAMILY = "mmmu_pro"
_FOLDERS = ("mmmu_pro", "mmmu-pro", "multimodal/mmmu_pro")
_ITEMS = 1730
_MOST_CHOICES = {"standard": 10, "standard-4": 4, "vision": 10}
_PARTS = {"standard": ("standard (10 options)", 2), "standard-4": ("standard (4 options)", 2), "vision": ("vision", 4)}


class MmmuPro:
    """The settings share their questions; ids name the setting, since its choices stand at other letters."""

    protocols = PROTOCOLS

    def __init__(self, *, hub_endpoint: str | None = None) -> None:
        """Read nothing yet; `hub_endpoint` is the hub's address, None takes the public one."""
        self._hub_endpoint = hub_endpoint

    def exam(self, request: ExamRequest) -> Exam:
        """Build the exam from `DIR/mmmu_pro/` or from the hub, its items in the order of the file.

        Raises:
            DatasetUnavailableError: The data are not where they were looked for.
            InputFileError: A data file is malformed, or is of another setting.
            MissingDependencyError: There is no data folder and the hub's client is not installed.
            UnknownNameError: There is no such setting or protocol.
        """
        setting = _setting(request.selector)
        protocol = protocol_named(request.protocol)
        files, source = self._files(setting, request)
        rows = [
            mmmu_row(row, file.path, vision=setting == "vision")
            for file in files
            for row in (file.rows if request.limit is None else file.rows[: request.limit])
        ]
        _check(rows, setting, files[0].path)
        there = sum(len(file.rows) for file in files)
        warnings: list[JsonValue] = [warning for file in files for warning in file.warnings]
        if there != _ITEMS:
            warnings.append(f"{files[0].name} holds {there} of the usual {_ITEMS} items.")
        exam = Exam(
            benchmark=f"mmmu-pro@{setting}",
            protocol=protocol.name,
            extraction=protocol.extraction,
            seed=0,
            decoding=protocol.decoding,
            items=tuple(_item(row, setting, protocol) for row in rows),
            available_items=there,
            source={**source, "warnings": warnings},
        )
        return exam.limited(request.limit)

    def scorer(self, protocol: str) -> AnswerScorer:
        """Return a scorer for answers given under `protocol`."""
        return MmmuScorer(protocol_named(protocol).extraction)

    def _files(self, setting: str, request: ExamRequest) -> tuple[tuple[DataFile, ...], Mapping[str, JsonValue]]:
        if request.data_dir is None:
            return _folder(setting).fetch(endpoint=self._hub_endpoint, hub=request.hub)
        family = next((name for name in _FOLDERS if (request.data_dir / name).is_dir()), FAMILY)
        file = find_data_file(
            request.data_dir,
            family,
            wanted="list of MMMU-Pro (columns `id`, `options`, `answer` and pictures)",
            fits=fits,
            rows=_ITEMS,
        )
        return (file,), file.source()


def _setting(selector: str | None) -> str:
    wanted = "standard" if selector in (None, "standard-10") else str(selector)
    if wanted not in _MOST_CHOICES:
        raise UnknownNameError("setting of mmmu-pro", wanted, nearest(wanted, list(_PARTS)) or list(_PARTS))
    return wanted


def _folder(setting: str) -> HubFolder:
    folder, parts = _PARTS[setting]
    return HubFolder(
        dataset="MMMU/MMMU_Pro",
        prefix=f"{folder}/test-",
        parts=tuple(f"{folder}/test-{part:05d}-of-{parts:05d}.parquet" for part in range(parts)),
        family=FAMILY,
    )


def _check(rows: list[MmmuRow], setting: str, path: Path) -> None:
    most = max((len(row.choices) for row in rows), default=0)
    if most > _MOST_CHOICES[setting]:
        raise InputFileError(str(path), f"has questions of {most} choices, and {setting} has at most 4.")
    ids = [row.id for row in rows]
    twice = next((name for name in ids if ids.count(name) > 1), None) if len(set(ids)) < len(ids) else None
    if twice is not None:
        raise InputFileError(str(path), f"the question {twice} stands twice.")


def _item(row: MmmuRow, setting: str, protocol: MmmuProtocol) -> ExamItem:
    known = {"subject": row.subject, "topic_difficulty": row.difficulty}
    metadata: dict[str, JsonValue] = {"question_id": row.id, **{key: value for key, value in known.items() if value}}
    return ExamItem(
        item=f"mmmu-pro/{setting}/{row.id}",
        target=row.answer,
        messages=(protocol.message(row),),
        metadata={**metadata, "choices": [*row.choices]},
    )
