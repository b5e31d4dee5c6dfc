"""Model files that lie here already."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide import registry
from fieldguide.errors import NotFoundError, SourceError
from fieldguide.sources import FetchingSource, LocalFileSource, PackageSource


@pytest.mark.parametrize("prefix", ["", "file:"])
def test_an_existing_model_file_is_found_by_its_path(tmp_path: Path, prefix: str) -> None:
    """With or without the name of the source."""
    (tmp_path / "a b@c#d.gguf").write_bytes(b"GGUF...")
    assert LocalFileSource().resolve(f"{prefix}{tmp_path}/a b@c#d.gguf") == tmp_path / "a b@c#d.gguf"


def test_what_is_missing_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Before an engine stumbles over it."""
    with pytest.raises(NotFoundError):
        LocalFileSource().resolve(str(tmp_path / "none.gguf"))
    with pytest.raises(NotFoundError, match="holds no model"):
        LocalFileSource().resolve(str(tmp_path))
    (tmp_path / "loop.gguf").symlink_to(tmp_path / "loop.gguf")
    with pytest.raises(SourceError, match="cannot be read"):
        LocalFileSource().resolve(str(tmp_path / "loop.gguf"))


def test_both_sources_come_in_by_the_registry() -> None:
    """Built-ins use the same door as plug-ins; only one of the two fetches."""
    assert registry.load("sources", "package") is PackageSource
    assert registry.load("sources", "file") is LocalFileSource
    assert isinstance(PackageSource(), FetchingSource)
    assert not isinstance(LocalFileSource(), FetchingSource)
