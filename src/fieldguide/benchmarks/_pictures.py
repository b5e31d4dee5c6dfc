"""Pictures of a data set's rows: bytes in a column, as hubs store them, or files beside the list, by their names."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from fieldguide.benchmarks._data_files import DataRow
from fieldguide.domain import Image
from fieldguide.errors import InputFileError
from fieldguide.formats import picture_kind

_BESIDE = ("", "images", "img", "image")
"""Folders beside a list in which its pictures may lie."""
_LARGEST_BYTES = 64 << 20


def row_pictures(row: DataRow, columns: Sequence[str], path: Path) -> tuple[Image, ...]:
    """Return the pictures of a row: of the first of these columns that is a list, or of all of them in turn.

    Args:
        row: The row.
        columns: Columns that may hold one picture or several.
        path: The file it stands in, beside which pictures may lie.

    Raises:
        InputFileError: A picture is missing, lies elsewhere, or is none.
    """
    found: list[Image] = []
    for column in columns:
        value = row.columns.get(column)
        values = value if isinstance(value, list) else [value]
        found += [_picture(each, row, path) for each in values if each not in (None, "")]
    return tuple(found)


def _picture(value: object, row: DataRow, path: Path) -> Image:
    data: object = value
    if isinstance(value, Mapping):
        data = value.get("bytes") or value.get("path")
    if isinstance(data, str):
        data = _decoded(data) or _beside(data, row, path)
    kind = picture_kind(data) if isinstance(data, bytes) else None
    if not isinstance(data, bytes) or kind is None:
        raise InputFileError(str(path), "a picture of this row is no PNG, JPEG, GIF or WebP.", line=row.line)
    return Image(data=data, media_type=f"image/{kind}")


def _decoded(text: str) -> bytes | None:
    """Return the bytes of a picture in base64; None of a name."""
    if len(text) < 64:  # No picture is as short, and no name of a file as long as the others.
        return None
    try:
        return base64.b64decode(text.rpartition(",")[2] if text.startswith("data:") else text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _beside(name: str, row: DataRow, path: Path) -> bytes:
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts:
        raise InputFileError(str(path), f"names a picture outside its folder: {name!r}.", line=row.line)
    for folder in _BESIDE:
        place = path.parent / folder / parts
        if place.is_file() and place.resolve().is_relative_to(path.parent.resolve()):
            with place.open("rb") as file:
                data = file.read(_LARGEST_BYTES + 1)
            if len(data) > _LARGEST_BYTES:
                raise InputFileError(str(place), "is larger than any picture that is taken.")
            return data
    hint = "Put the picture beside its list, or into a folder `images` there."
    raise InputFileError(str(path), f"names a picture that is not there: {name!r}.", line=row.line, hint=hint)
