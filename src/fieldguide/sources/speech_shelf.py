"""The folders of speech models that are here: listed, checked, removed."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from fieldguide.catalogue import SpeechEntry, speech_entry
from fieldguide.errors import CatalogueError, IntegrityError
from fieldguide.sources._files import locked, sha256_of

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechFile:
    """One file of a speech model."""

    path: str
    """Below the model's folder."""
    size_bytes: int
    sha256: str | None
    """What it must be; None where nobody said so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechFolder:
    """A speech model that is here."""

    name: str
    reference: str
    """Where it came from."""
    path: Path
    files: tuple[SpeechFile, ...]
    licence_id: str | None
    """None where it is not known."""
    pinned: bool
    """Whether the catalogue says what every byte must be."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)


class SpeechShelf:
    """The speech models of one user folder. Nothing is created by naming it."""

    def __init__(self, home: Path) -> None:
        """Look under `home/models/speech`."""
        self._folder = home / "models" / "speech"

    def list(self) -> tuple[SpeechFolder, ...]:
        """Return every model that is here, in the order of their names; what is on its way is not."""
        if not self._folder.is_dir():
            return ()
        places = sorted(path for path in self._folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        return tuple(found for place in places if (found := self._read(place)).files)

    def find(self, name: str) -> SpeechFolder | None:
        """Return the model of this name, or of the repository that it came from; None where it is not here."""
        return next((each for each in self.list() if name in {each.name, each.reference}), None)

    def verify(self, model: SpeechFolder) -> tuple[str, ...]:
        """Read every byte again and return the files that nobody said the content of.

        Raises:
            IntegrityError: A file is not what it was, or is missing.
        """
        for file in model.files:
            actual = sha256_of(model.path / file.path)
            if file.sha256 is not None and actual != file.sha256:
                raise IntegrityError(f"{model.name}: {file.path}", expected=file.sha256, actual=actual)
        entry = _entry(model.name)
        for wanted in () if entry is None else entry.files:
            if not (model.path / wanted.file).is_file():
                raise IntegrityError(f"{model.name}: {wanted.file}", expected=wanted.file_sha256, actual="missing")
        return tuple(file.path for file in model.files if file.sha256 is None)

    def remove(self, model: SpeechFolder) -> int:
        """Remove a model and return the bytes that it took."""
        with locked(self._folder / f".{model.name}.lock", waiting=lambda: None):
            gone = self._folder / f".{model.name}.gone"
            shutil.rmtree(gone, ignore_errors=True)
            model.path.replace(gone)
            shutil.rmtree(gone)
        return model.size_bytes

    def _read(self, place: Path) -> SpeechFolder:
        entry = _entry(place.name)
        pins = {} if entry is None else {file.file: file.file_sha256 for file in entry.files}
        paths = sorted(path for path in place.rglob("*") if path.is_file())
        inside = [(path.relative_to(place), path) for path in paths]
        return SpeechFolder(
            name=place.name,
            reference=_reference(place.name, entry),
            path=place,
            files=tuple(
                SpeechFile(
                    path=name.as_posix(),
                    size_bytes=path.stat().st_size,
                    sha256=pins.get(name.as_posix()) or _promised(place, name),
                )
                for name, path in inside
                if name.parts[0] != ".cache"
            ),
            licence_id=None if entry is None else entry.licence.id,
            pinned=entry is not None,
        )


def _entry(name: str) -> SpeechEntry | None:
    try:
        return speech_entry(name)
    except (CatalogueError, OSError):
        return None


def _reference(name: str, entry: SpeechEntry | None) -> str:
    if entry is not None:
        return entry.files[0].reference
    return "hf:rhasspy/piper-voices" if name == "piper" else f"hf:{name.replace('--', '/', 1)}"


def _promised(place: Path, name: Path) -> str | None:
    """Return the sha256 that the hub gave with a file; of large ones its client keeps it beside, as second line."""
    note = place / ".cache" / "huggingface" / "download" / f"{name.as_posix()}.metadata"
    try:
        lines = note.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    return lines[1] if len(lines) > 1 and _SHA256.fullmatch(lines[1]) else None
