"""LibriSpeech and FLEURS of the hub, unpacked once into folders of recordings with a list."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

from fieldguide.benchmarks._hub import HubFile
from fieldguide.benchmarks._interface import Hub
from fieldguide.domain import JsonValue
from fieldguide.errors import DatasetUnavailableError, InputFileError, MissingDependencyError, UnknownNameError

_LIBRISPEECH = {
    "test-clean": "clean/test/0000.parquet",
    "test-other": "other/test/0000.parquet",
    "dev-clean": "clean/validation/0000.parquet",
    "dev-other": "other/validation/0000.parquet",
}
_FLEURS_LANGUAGE = re.compile(r"[a-z]{2,3}(?:_[a-z]{2,4}){1,2}")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_LARGEST_RECORDING = 1 << 28
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSet:
    """One data set of recordings, named as a benchmark names it."""

    name: str
    """Such as `librispeech:test-clean`."""
    files: Mapping[str, HubFile]
    unpack: Callable[[Mapping[str, Path], Path], None]
    """Takes the fetched files by their names here, and an empty folder to fill."""

    def folder(self, home: Path, *, endpoint: str | None, hub: Hub) -> tuple[Path, dict[str, JsonValue]]:
        """Return the folder of the recordings, fetched and unpacked where that was not done yet, and what it is.

        Raises:
            DatasetUnavailableError: The hub cannot be reached or does not hold it.
            MissingDependencyError: The hub's client is not installed.
        """
        shelf = home / "benchmarks" / "asr"
        name = self.name.replace(":", "-")
        made = [*shelf.glob(f"{name}@*/source.json")]
        if made:
            return made[0].parent, json.loads(made[0].read_text(encoding="utf-8"))
        fetched = {key: file.download(endpoint=endpoint, hub=hub) for key, file in self.files.items()}
        commit = next(commit for _, commit in fetched.values())
        first = next(iter(self.files.values()))
        source: dict[str, JsonValue] = {"hub": "huggingface", "dataset": first.dataset, "commit": commit}
        place, draft = shelf / f"{name}@{commit[:12]}", shelf / f".{name}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            self.unpack({key: path for key, (path, _) in fetched.items()}, draft)
            (draft / "source.json").write_text(json.dumps(source), encoding="utf-8")
            draft.replace(place)
        except OSError as error:
            raise DatasetUnavailableError(f"{self.name} could not be unpacked into {shelf}: {error}") from error
        return place, source


def hub_set(name: str) -> HubSet | None:
    """Return the data set `librispeech[:PART]` or `fleurs[:LANGUAGE]`; None for any other name.

    Raises:
        UnknownNameError: It has no such part.
    """
    family, _, part = name.partition(":")
    if family == "librispeech":
        part = part or "test-clean"
        if part not in _LIBRISPEECH:
            raise UnknownNameError("part of LibriSpeech", part, hint=f"Known: {', '.join(_LIBRISPEECH)}.")
        file = HubFile(dataset="openslr/librispeech_asr", file=_LIBRISPEECH[part], family="speech")
        return HubSet(name=f"librispeech:{part}", files={"rows": file}, unpack=_unpack_librispeech)
    if family == "fleurs":
        part = part or "en_us"
        if not _FLEURS_LANGUAGE.fullmatch(part):
            raise UnknownNameError("language of FLEURS", part, hint="Such as en_us, de_de or cmn_hans_cn.")
        files = {
            key: HubFile(dataset="google/fleurs", file=f"data/{part}/{path}", family="speech")
            for key, path in (("list", "test.tsv"), ("sounds", "audio/test.tar.gz"))
        }
        return HubSet(name=f"fleurs:{part}", files=files, unpack=lambda found, out: _unpack_fleurs(found, out, part))
    return None


def _unpack_librispeech(found: Mapping[str, Path], out: Path) -> None:
    """Write each row's recording to a file of its own; columns `audio` (bytes), `text` and `id`."""
    with (out / "transcripts.jsonl").open("w", encoding="utf-8") as listing:
        for row in _parquet_rows(found["rows"]):
            sound, name = (row.get("audio") or {}).get("bytes"), str(row.get("id"))
            if not isinstance(sound, bytes) or not _SAFE_NAME.fullmatch(name):
                raise InputFileError(str(found["rows"]), "is not LibriSpeech: a row has no recording or no id.")
            file = f"{name}{'.flac' if sound[:4] == b'fLaC' else '.wav'}"
            (out / file).write_bytes(sound)
            listing.write(json.dumps({"audio": file, "text": row["text"], "language": "en"}) + "\n")


def _parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows, a few of them in memory at a time."""
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingDependencyError("Reading LibriSpeech from the hub", extra="hub") from error
    for batch in parquet.ParquetFile(path).iter_batches(batch_size=_ROWS_AT_ONCE, columns=["audio", "text", "id"]):
        yield from batch.to_pylist()


def _unpack_fleurs(found: Mapping[str, Path], out: Path, part: str) -> None:
    """Write the recordings that the list names; an archive's other members, and its folders, are passed over.

    Columns of the list, without a first line: id, file name, text as written, text in small letters, ...
    """
    rows = [line.split("\t") for line in found["list"].read_text(encoding="utf-8").splitlines()]
    texts = {row[1]: row[2] for row in rows if len(row) >= 4 and _SAFE_NAME.fullmatch(row[1])}
    there = set()
    with tarfile.open(found["sounds"], "r|*") as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            held = archive.extractfile(member) if member.isfile() and name in texts else None
            if held is not None and member.size <= _LARGEST_RECORDING:
                (out / name).write_bytes(held.read())
                there.add(name)
    language = "zh" if part.startswith("cmn") else part.split("_")[0]
    with (out / "transcripts.jsonl").open("w", encoding="utf-8") as listing:
        for name in (name for name in texts if name in there):
            listing.write(json.dumps({"audio": name, "text": texts[name], "language": language}) + "\n")
