"""Finds recordings with their transcripts in a folder: lists of any of the usual kinds, recognised by their content."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.benchmarks._data_files import DataRow, file_sha256, stream_rows
from fieldguide.domain import JsonValue
from fieldguide.errors import InputFileError, MissingDependencyError

_AUDIO = ("audio", "audio_filepath", "audio_path", "file_name", "filename", "path", "file", "wav")
_TEXT = ("text", "sentence", "transcription", "transcript", "reference", "target")
_LANGUAGE = ("language", "lang", "locale")
_BESIDE = ("", "clips", "audio", "wavs", "wav")
"""Folders beside a list in which its recordings may lie."""
_LISTS = (".jsonl", ".json", ".csv", ".tsv")
_SOUNDS = {
    ".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".opus": "audio/ogg",
    ".m4a": "audio/mp4", ".mp4": "audio/mp4", ".webm": "audio/webm", ".aac": "audio/aac",
}  # fmt: skip
_TRANSCRIPTS = re.compile(r".*\.trans\.txt")
"""LibriSpeech's lists: a line `ID TEXT` for each `ID.flac` beside them."""
_PLACE = re.compile(r"[a-z]{2,3}(?:_[a-z]{2,4}){1,2}")
"""What FLEURS calls the folder of a language, such as `de_de`."""
_OF_FLEURS = {"cmn": "zh", "fil": "tl", "nb": "no"}
_DEEPEST = 6
_MOST_FOLDERS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One utterance and what was said."""

    item: str
    path: Path
    text: str
    language: str | None
    """None where its list does not say."""
    name: str
    """Path of the file below the folder that was searched."""

    @property
    def media_type(self) -> str | None:
        """By the ending of its name; None lets the receiver find out."""
        return _SOUNDS.get(self.path.suffix.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFolder:
    """Everything that was found."""

    recordings: tuple[Recording, ...]
    lists: Mapping[str, JsonValue]
    """The sha256 of each list by its path below the folder."""


def recordings_in(folder: Path) -> RecordingFolder:
    """Return the recordings that the lists of a folder and of those below it name, each list's in its order.

    Raises:
        InputFileError: A list is malformed, or names a recording that is not there or lies elsewhere.
    """
    found: dict[str, Recording] = {}
    lists: dict[str, JsonValue] = {}
    for path in _candidates(folder, _DEEPEST):
        rows = _rows_of(path)
        if rows is None:
            continue
        shown = path.relative_to(folder).as_posix()
        lists[shown] = file_sha256(path)
        for line, audio, text, language in rows:
            file = _located(folder, path, audio, line)
            name = file.relative_to(folder.resolve()).as_posix()
            item = _item(name)
            if item in found and found[item].name != name:
                item = name
            if item in found:
                raise InputFileError(str(path), f"{name} stands twice.", line=line)
            found[item] = Recording(item=item, path=file, text=text, language=_code(language), name=name)
    return RecordingFolder(recordings=tuple(found.values()), lists=lists)


def _item(name: str) -> str:
    """Return a recording's id: its name and that of the folder it lies in, without the ending; never its whole path."""
    parts = name.rsplit(".", 1)[0].split("/")
    return "/".join(part for part in parts[-2:])


def _code(language: str | None) -> str | None:
    """Return `en` for `en_US`, `en-US` or `EN`, and of FLEURS's own codes those that models of speech know."""
    if language is None:
        return None
    code = re.split(r"[-_]", language.strip().lower(), maxsplit=1)[0]
    return _OF_FLEURS.get(code, code) or None


def _candidates(folder: Path, deepest: int) -> Iterator[Path]:
    """Yield the files that may be lists, in the order of their names, folder by folder."""
    try:
        entries = sorted(folder.iterdir())[:_MOST_FOLDERS]
    except OSError as error:
        raise InputFileError(str(folder), f"cannot be read: {error.strerror}.") from error
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_file() and (entry.suffix.lower() in _LISTS or _TRANSCRIPTS.fullmatch(entry.name)):
            yield entry
    if deepest:
        for entry in entries:
            if entry.is_dir() and not entry.is_symlink() and not entry.name.startswith("."):
                yield from _candidates(entry, deepest - 1)


_Row = tuple[int, str, str, str | None]


def _rows_of(path: Path) -> Sequence[_Row] | None:
    """Return line, recording, text and language of each row; None where the file is no list of recordings."""
    if _TRANSCRIPTS.fullmatch(path.name):
        return [*_librispeech(path)]
    if path.suffix.lower() == ".tsv":
        return _tabbed(path)
    try:
        first = next(stream_rows(path, lambda _: None), None)
    except (InputFileError, MissingDependencyError):
        return None
    if first is None or first.text(*_AUDIO) is None or first.text(*_TEXT) is None:
        return None
    return [_row(path, row) for row in stream_rows(path, lambda _: None)]


def _row(path: Path, row: DataRow) -> _Row:
    audio, text = row.text(*_AUDIO), row.text(*_TEXT)
    if audio is None or text is None:
        raise InputFileError(str(path), "names no recording or no text.", line=row.line)
    return row.line, audio, text, row.text(*_LANGUAGE)


def _librispeech(path: Path) -> Iterator[_Row]:
    for line, written in enumerate(_lines(path), start=1):
        name, _, text = written.partition(" ")
        if name and text.strip():
            found = next(
                (f"{name}{end}" for end in _SOUNDS if path.with_name(f"{name}{end}").is_file()), f"{name}.flac"
            )
            yield line, found, text.strip(), "en"


def _tabbed(path: Path) -> Sequence[_Row] | None:
    """Return the rows of a table with tabs: with a first line of names, or FLEURS's seven columns without one."""
    table = [*csv.reader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)]
    if not table:
        return None
    names = [name.strip().lower() for name in table[0]]
    if set(names) & set(_AUDIO) and set(names) & set(_TEXT):
        rows = (DataRow(line=line, columns=dict(zip(names, row))) for line, row in enumerate(table[1:], start=2) if row)
        return [_row(path, row) for row in rows]
    if len(table[0]) >= 4 and table[0][1].lower().endswith(".wav"):
        language = path.parent.name if _PLACE.fullmatch(path.parent.name) else None
        return [(line, row[1], row[3], language) for line, row in enumerate(table, start=1) if len(row) >= 4]
    return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(str(path), f"cannot be read as text: {error}.") from error


def _located(folder: Path, listed_in: Path, audio: str, line: int) -> Path:
    """Return where a recording lies; a list may name nothing outside the folder that was searched.

    Raises:
        InputFileError: It is not there, or lies elsewhere.
    """
    places = [listed_in.parent / beside / audio for beside in (*_BESIDE, f"audio/{listed_in.stem}")]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise InputFileError(str(listed_in), f"names {audio}, which is not there.", line=line)
    if not file.resolve().is_relative_to(folder.resolve()):
        raise InputFileError(str(listed_in), f"names {audio}, which lies outside {folder}.", line=line)
    return file.resolve()
