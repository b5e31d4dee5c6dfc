"""Manifests: the quick reader takes what the program wrote, and leaves everything else to the careful one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import SourceError
from fieldguide.sources._manifest import Acceptance, Manifest, StoredFile, read_manifest, write_manifest

NOW = datetime(2026, 11, 25, 20, 0, 0, 123456, tzinfo=UTC)
WHOLE = Manifest(
    name="m",
    reference="hf:o/m@abc#m.gguf",
    file="m.gguf",
    size_bytes=30,
    sha256="a" * 64,
    pinned=True,
    licence_id="gemma",
    acceptance=Acceptance(licence="gemma", terms_url="https://x", accepted_by="me", accepted_at=NOW),
    pulled_at=NOW,
    files=(
        StoredFile(path="m.gguf", size_bytes=10, sha256="a" * 64),
        StoredFile(path="a/b.gguf", size_bytes=20, sha256="b" * 64, elsewhere="/there/b"),
    ),
    warnings=("odd",),
)
READ = """
import sys
from pathlib import Path
from fieldguide.sources._manifest import read_manifest
print(repr(read_manifest(Path(sys.argv[1]))))
print("pydantic" in sys.modules)
"""


def test_a_manifest_that_was_written_is_read_back_without_pydantic(tmp_path: Path) -> None:
    """All that is written comes back the same, by the quick reader: `list` of a thousand models depends on it."""
    path = tmp_path / "m.json"
    write_manifest(path, WHOLE)
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    shown, careful = done.stdout.splitlines()
    assert (shown, careful) == (repr(WHOLE), "False")
    assert read_manifest(path) == WHOLE


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("name"),
        lambda found: found.update(size_bytes="ten"),
        lambda found: found.update(kind="pickle"),
        lambda found: found.update(pulled_at="yesterday"),
        lambda found: found.update(format=3),
        lambda found: found.update(warnings=[1]),
        lambda found: found.update(files="all"),
        lambda found: found["files"][0].update(path="../../out"),
        lambda found: found["files"][0].update(sha256="../../out"),
        lambda found: found["acceptance"].pop("terms_url"),
    ],
)
def test_a_spoiled_manifest_is_an_error_and_never_taken(tmp_path: Path, spoil: Callable[[Any], object]) -> None:
    """What is not as it was written goes to the careful reader, which says what is wrong."""
    path = tmp_path / "m.json"
    write_manifest(path, WHOLE)
    found = json.loads(path.read_bytes())
    spoil(found)
    path.write_text(json.dumps(found))
    with pytest.raises(SourceError):
        read_manifest(path)


def test_a_manifest_of_an_older_program_is_still_read(tmp_path: Path) -> None:
    """Keys that came later have their defaults."""
    path = tmp_path / "m.json"
    write_manifest(path, WHOLE)
    found = json.loads(path.read_bytes())
    for key in ("files", "warnings", "kind"):
        del found[key]
    path.write_text(json.dumps({**found, "format": 1}))
    read = read_manifest(path)
    assert read is not None
    assert (read.name, read.files, read.format) == ("m", (), 1)
