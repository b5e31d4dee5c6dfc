"""Models that already lie on this machine: `file:PATH`, or just the path of a file or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fieldguide.errors import NotFoundError, SourceError
from fieldguide.sources._offer import Offer, OfferedFile, SourceSettings
from fieldguide.sources._reference import SourceReference
from fieldguide.sources._select import part_names, select
from fieldguide.sources.transfer import RefusalError, RemoteFile

_MOST_FILES = 10_000
_DEEPEST = 3


class LocalFileSource:
    """Finds a model by its path. Nothing is copied and nothing has to be fetched: it is used where it lies."""

    def __init__(self, settings: SourceSettings | None = None) -> None:
        """Nothing outside is needed."""

    def resolve(self, path: str) -> Path:
        """Return the absolute path of what an engine is told: a file, the first of its parts, or a folder's model.

        The engine that loads it checks what is in it.

        Args:
            path: As the user wrote it, with or without `file:` before it; `~` is the user's home.

        Raises:
            NotFoundError: There is no such file, or a part of it is missing.
            SourceError: It cannot be read.
            UsageError: The folder holds several models.
        """
        found = Path(path.removeprefix("file:")).expanduser()
        if found.is_dir():
            artifact = select(self.offer(SourceReference(source="file", name=str(found))), None)
            first = found.resolve() / artifact.files[0].path
            return first if artifact.kind == "gguf" else first.parent
        parts = _parts(found)
        for part in parts:
            _readable(part)
        return parts[0].resolve()

    def offer(self, reference: SourceReference) -> Offer:
        """Return the files of a folder, or a file with its other parts; see `OfferingSource.offer`."""
        path = Path(reference.name).expanduser()
        if path.is_dir():
            folder, files = path.resolve(), tuple(_under(path.resolve()))
        else:
            parts = _parts(path)
            for part in parts:
                _readable(part)
            folder, files = path.resolve().parent, tuple(part.resolve() for part in parts)
            if any(part.parent != folder for part in files):  # A link: its target is what is used.
                folder = Path(os.path.commonpath([part.parent for part in files]))
        offered = tuple(_offered(file, str(file.relative_to(folder))) for file in files)
        return Offer(reference=SourceReference(source="file", name=str(path.resolve())), files=offered)

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what a refusal means; there is no server that could refuse."""
        return SourceError(f"{reference} cannot be had: {refusal}.")


def _parts(path: Path) -> list[Path]:
    return [path.with_name(name) for name in part_names(path.name)]


def _readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", hint="Check the path.") from error
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}.", hint="Name a GGUF file.") from error


def _under(folder: Path) -> Iterator[Path]:
    """Return the plain files of a folder, links that lead out of it and hidden ones left out."""
    count = 0
    for at, folders, names in os.walk(folder):
        here = Path(at)
        deep = len(here.relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if not name.startswith(".")) if deep < _DEEPEST else []
        for name in sorted(names):
            count += 1
            if count > _MOST_FILES:
                raise SourceError(f"{folder} holds more than {_MOST_FILES:,} files.", hint="Name the model's file.")
            file = here / name
            if not name.startswith(".") and file.is_file() and file.resolve().is_relative_to(folder):
                yield file


def _offered(file: Path, path: str) -> OfferedFile:
    remote = RemoteFile(url=file.as_uri(), name=path, size_bytes=file.stat().st_size)
    return OfferedFile(path=path, remote=remote, local=file)
