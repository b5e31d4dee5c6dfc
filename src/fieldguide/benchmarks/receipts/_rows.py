"""Receipts with their fields: of a list, of a hub's table, or of the folders that the competition hands out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fieldguide.benchmarks._data_files import DataRow
from fieldguide.benchmarks._pictures import row_pictures
from fieldguide.domain import Image, JsonValue
from fieldguide.errors import InputFileError
from fieldguide.scoring.receipt_fields import FIELDS

_PICTURE = ("image", "image_path", "file_name", "img")
_NESTED = ("entities", "fields", "labels")
_NAME = ("key", "id", "image_id", "name")
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One receipt."""

    name: str
    picture: Image
    fields: Mapping[str, str]
    """What stands on it, by field; a field that nobody wrote down is not there."""


def fits(row: DataRow) -> bool:
    """Whether a row is a receipt with its fields."""
    return len(_fields(row)) >= 2 and any(name in row.columns for name in _PICTURE)


def receipt(row: DataRow, index: int, path: Path) -> Receipt:
    """Return a row's receipt.

    Raises:
        InputFileError: It has no picture, or more than one; the line is named.
    """
    pictures = row_pictures(row, _PICTURE[:1] if "image" in row.columns else _PICTURE, path)
    if len(pictures) != 1:
        raise InputFileError(str(path), f"a receipt with {len(pictures)} pictures.", line=row.line)
    named = row.text(*_NAME) or _picture_name(row) or str(index)
    return Receipt(name=Path(named).stem, picture=pictures[0], fields=_fields(row))


def _picture_name(row: DataRow) -> str | None:
    for column in _PICTURE:
        value: object = row.columns.get(column)
        if isinstance(value, Mapping):
            value = value.get("path")
        if isinstance(value, str) and len(value) < 256:
            return value
    return None


def _fields(row: DataRow) -> dict[str, str]:
    given: Mapping[str, JsonValue] = row.columns
    for name in _NESTED:
        nested = row.columns.get(name)
        if isinstance(nested, dict):
            given = {key.lower(): value for key, value in nested.items()}
    return {field: str(given[field]).strip() for field in FIELDS if given.get(field) and str(given[field]).strip()}


def folder_rows(folder: Path) -> Iterator[DataRow]:
    """Yield the receipts of the competition's own folders: `img/NAME.jpg` with `entities/NAME.txt`, by their names.

    Raises:
        InputFileError: A file of fields is no JSON, or its picture is missing.
    """
    for number, path in enumerate(sorted((folder / "entities").glob("*.txt")), 1):
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES)
        try:
            fields = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputFileError(str(path), f"is not JSON ({error}).") from error
        pictures = (folder / "img" / f"{path.stem}{ending}" for ending in _ENDINGS)
        picture = next((each for each in pictures if each.is_file()), None)
        if picture is None or not isinstance(fields, dict):
            raise InputFileError(str(path), "has no picture of its name in the folder `img` beside it.")
        yield DataRow(line=number, columns={"image": f"img/{picture.name}", "entities": fields, "key": path.stem})
