from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import UsageError
from fieldguide.reporting import render_html, write_html
from tests.support import sample_report


def test_a_report_is_written_whole_and_leaves_nothing_else(tmp_path: Path) -> None:
    """The file holds the page, replaces an older one, and no temporary file stays."""
    path = tmp_path / "report.html"
    path.write_text("old")
    report = sample_report.empty()
    write_html(report, path)
    assert path.read_text("utf-8") == render_html(report)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    """No folder is made behind the user's back."""
    with pytest.raises(UsageError, match="does not exist") as caught:
        write_html(sample_report.empty(), tmp_path / "missing" / "report.html")
    assert caught.value.hint
    assert not list(tmp_path.iterdir())


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """The user is asked for a name in it."""
    with pytest.raises(UsageError, match="is a folder"):
        write_html(sample_report.empty(), tmp_path)


def test_a_failing_disk_leaves_the_old_report_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what went wrong; the older file and the folder are as they were."""
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_html(sample_report.empty(), path)
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
