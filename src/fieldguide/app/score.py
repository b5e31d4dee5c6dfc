"""Score answers that were made elsewhere; no model is called and nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fieldguide.app.exams import build_exam
from fieldguide.app.wiring import House
from fieldguide.comparison import accuracy_of
from fieldguide.domain import Accuracy, Exam, ExamItem, ItemScore, ScorerIdentity
from fieldguide.errors import InputFileError
from fieldguide.evaluation import judge
from fieldguide.runners.recorded import read_answers

_OWN_IDS = ("unique_id", "task_id", "question_id", "record_id")
"""Metadata keys under which a data set's own identifier may stand; recorded answers may use it as `item`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A file of answers under one protocol."""

    exam: Exam
    scorer: ScorerIdentity
    scores: tuple[ItemScore, ...]
    targets: dict[str, str]
    accuracy: Accuracy
    unknown_items: tuple[str, ...]
    """Items of the file that the exam does not have; they are not scored."""
    warnings: tuple[str, ...]
    """What was passed over in the files that were read."""
    unanswered_items: int
    """Items of the exam without an answer in the file."""


def score_file(
    house: House,
    benchmark: str,
    answers: Path,
    *,
    protocol: str | None,
    data: Path | None,
    seed: int | None = None,
    told: Callable[[int, int], None] | None = None,
) -> Scored:
    """Judge every answer of a file.

    Args:
        house: The user's settings.
        benchmark: Name of the benchmark.
        answers: JSONL, one attempt a line (`item`, `attempt`, `completion`, ...).
        protocol: Under whose protocol; None takes ours.
        data: Folder of benchmark data.
        seed: Seed of the exam.
        told: Called with (judged, all) as it goes.

    Raises:
        InputFileError: The file is malformed, or none of its items belongs to the exam.
        BenchmarkError: The exam cannot be built.
    """
    warnings: list[str] = []
    recorded = read_answers(answers, warnings.append)
    exam, scorer = build_exam(benchmark, data=data or house.settings.data, seed=seed, protocol=protocol)
    items = known_items(exam)
    mine = {key: completion for key, completion in recorded.items() if key[0] in items}
    if not mine:
        raise InputFileError(
            str(answers),
            f"none of its items belongs to {exam.benchmark}; the first is {next(iter(recorded))[0]!r}, "
            f"the exam's first is {exam.items[0].item!r}",
            hint=f"See the item ids with `fieldguide exam {benchmark}`.",
        )
    try:
        scores = []
        for number, ((item, attempt), completion) in enumerate(mine.items(), start=1):
            scores.append(
                ItemScore(item=items[item].item, attempt=attempt, score=judge(items[item], completion, scorer))
            )
            if told:
                told(number, len(mine))
    finally:
        scorer.close()
    return Scored(
        exam=exam,
        scorer=scorer.identity,
        scores=tuple(scores),
        targets={item.item: item.target for item in exam.items},
        accuracy=accuracy_of(scores),
        unknown_items=tuple(dict.fromkeys(item for item, _ in recorded if item not in items)),
        warnings=(*warnings, *_warnings_of(exam)),
        unanswered_items=len(exam.items) - len({score.item for score in scores}),
    )


def _warnings_of(exam: Exam) -> list[str]:
    told = exam.source.get("warnings")
    return [str(warning) for warning in told] if isinstance(told, list) else []


def known_items(exam: Exam) -> dict[str, ExamItem]:
    """Return the items by their id and by the identifier that their data set gives them."""
    items = {str(item.metadata[key]): item for item in exam.items for key in _OWN_IDS if key in item.metadata}
    return items | {item.item: item for item in exam.items}
