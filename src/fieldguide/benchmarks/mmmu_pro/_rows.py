"""From a row of MMMU-Pro to a question with its pictures and choices."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.benchmarks._data_files import DataRow
from fieldguide.benchmarks._pictures import row_pictures
from fieldguide.domain import Image, JsonValue
from fieldguide.errors import InputFileError

LETTERS = "ABCDEFGHIJ"
MARK = re.compile(r"<image (\d+)>")
_COLUMNS = ("images", *(f"image_{number}" for number in range(1, 8)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MmmuRow:
    """One question."""

    id: str
    question: str | None
    """None where it stands in the picture, as in the vision setting."""
    choices: tuple[str, ...]
    answer: str
    """Letter of the right choice."""
    pictures: tuple[Image, ...]
    subject: str | None
    difficulty: str | None

    @property
    def letters(self) -> str:
        """The letters of its choices."""
        return LETTERS[: len(self.choices)]


def fits(row: DataRow) -> bool:
    """Whether a row is one of MMMU-Pro's."""
    has_pictures = any(name in row.columns for name in ("image", *_COLUMNS))
    return has_pictures and {"id", "options", "answer"} <= set(row.columns)


def mmmu_row(row: DataRow, path: Path, *, vision: bool) -> MmmuRow:
    """Return a row's question.

    Raises:
        InputFileError: Something is missing or does not go together; the line is named.
    """

    def fault(what: str) -> InputFileError:
        return InputFileError(str(path), what, line=row.line)

    name, answer = row.text("id"), (row.text("answer") or "").strip()
    question = None if vision else row.text("question")
    choices = _choices(row.columns.get("options"))
    if name is None or (question is None and not vision):
        raise fault("a row without an id or a question.")
    if not 2 <= len(choices) <= len(LETTERS):
        raise fault(f"{name} has {len(choices)} choices; 2 to {len(LETTERS)} can be asked.")
    if answer not in LETTERS[: len(choices)] or len(answer) != 1:
        raise fault(f"the answer of {name} is {answer!r}, which is none of its {len(choices)} choices.")
    pictures = row_pictures(row, ("image",) if vision else _COLUMNS, path)
    named = {int(number) for text in (question or "", *choices) for number in MARK.findall(text)}
    if not pictures or (named and max(named) > len(pictures)):
        raise fault(f"{name} names a picture that its row does not have.")
    return MmmuRow(
        id=name,
        question=question,
        choices=choices,
        answer=answer,
        pictures=pictures,
        subject=row.text("subject"),
        difficulty=row.text("topic_difficulty"),
    )


def _choices(value: JsonValue) -> tuple[str, ...]:
    """Return the choices: a list, or a list as Python writes it, as the authors' files have it."""
    given: object = value
    if isinstance(value, str):
        try:
            given = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return ()
    return tuple(str(each) for each in given) if isinstance(given, Sequence) and not isinstance(given, str) else ()
