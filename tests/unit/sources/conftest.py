"""Folders and settings of the sources' tests: a home, a folder of wheels, and a pip that looks nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder where pip finds its packages, by the user's own settings; it asks no index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for variable in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The user folder; it does not exist yet."""
    return tmp_path / "home"
