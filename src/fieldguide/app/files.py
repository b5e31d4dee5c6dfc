"""Files for the user: whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from fieldguide.domain import JsonValue
from fieldguide.errors import InputFileError


def written(path: Path, lines: Iterable[Mapping[str, JsonValue]]) -> None:
    """Write JSONL to `path` through a temporary file beside it.

    Raises:
        InputFileError: The folder does not exist, or cannot be written.
    """
    write_text(path, (jsonl_line(line) for line in lines))


def check_folder_of(path: Path) -> None:
    """Refuse a place that cannot be written, before any work is done for it.

    Raises:
        InputFileError: The folder does not exist or cannot be written, or a folder stands at `path` itself.
    """
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        raise InputFileError(str(path), "cannot be written", hint="Name a file in a folder that exists.")


def jsonl_line(value: Mapping[str, JsonValue]) -> str:
    """Return one line of JSONL; a lone surrogate, which UTF-8 cannot hold, stays escaped."""
    line = json.dumps(value, ensure_ascii=False)
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        line = json.dumps(value)
    return line + "\n"


def write_text(path: Path, pieces: Iterable[str]) -> None:
    """Write text to `path`, whole or not at all.

    Raises:
        InputFileError: As for `written`.
    """
    temporary: str | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = file.name
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
        temporary = None
    except OSError as error:
        raise InputFileError(
            str(path), f"cannot be written: {error.strerror or error}", hint="Name a file in a folder that exists."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
