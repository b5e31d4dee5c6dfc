"""Every malformed model file of the shared collection: the verdict of its manifest, in little time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.shared import shared

MOST_CPU_S = 1.0
MOST_MEMORY_BYTES = 100_000_000
_READERS = {"gguf": ".gguf", "safetensors": ".safetensors"}

_CHILD = """
import json, resource, sys
from pathlib import Path
from fieldguide.app.inspect import inspect_file, model_json
from fieldguide.errors import FormatError
for path in sys.stdin.read().splitlines():
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        facts = model_json(inspect_file(Path(path)))
        verdict, said = ("warn" if facts["warnings"] else "accept"), facts["warnings"]
    except FormatError as error:
        verdict, said = "reject", [error.message]
    after = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss: a child begins with that of its parent.
    peak_kib = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps([verdict, said, cpu_s, peak_kib * 1024]))
"""


def manifest() -> dict[str, dict[str, Any]]:
    """Return what the collection says of the files that hold models; nothing where it is absent."""
    root = Path(os.environ.get("FIELDGUIDE_SHARED") or Path(__file__).parents[3] / "shared")
    path = root / "badfiles" / "manifest.json"
    if not path.exists():
        return {}
    entries: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {name: entry for name, entry in entries.items() if name.split("/")[0] in _READERS}


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[str, list[str], float, int]]:
    """Return verdict, words, processor seconds and peak memory of each file, read one after another in a child."""
    folder = shared("badfiles")
    names = list(manifest())
    done = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input="\n".join(str(folder / name) for name in names),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("name", manifest())
def test_the_verdict_is_that_of_the_manifest(name: str, found: dict[str, tuple[str, list[str], float, int]]) -> None:
    """Accepted, accepted with a warning, or refused with the byte; in less than a second and 100 MB."""
    verdict, said, cpu_s, peak_bytes = found[name]
    assert verdict == manifest()[name]["expect"], said
    assert cpu_s < MOST_CPU_S
    assert peak_bytes < MOST_MEMORY_BYTES
    if verdict == "reject":
        assert "byte " in said[0]


def test_the_collection_is_there() -> None:
    """Where the shared data lie, there are verdicts to compare with."""
    shared("badfiles", "manifest.json")
    assert len(manifest()) >= 70


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("00_good_tiny_llama.gguf", None),
        ("01_template_loop.gguf", "never end"),
        ("02_template_recursion.gguf", "calls itself"),
        ("04_template_ssti.gguf", "code injection"),
        ("05_template_syntax.gguf", "no well-formed Jinja"),
    ],
)
def test_templates_of_real_files_are_warned_of(name: str, said: str | None) -> None:
    """What hangs or kills an engine is told before an engine sees it."""
    from fieldguide.formats import inspect_path

    warnings = inspect_path(shared("badfiles", "real", name)).warnings
    assert warnings == () if said is None else any(said in warning for warning in warnings)


def test_plan_refuses_what_inspect_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The same readers stand before the planner: wrong use with a next step, and never a fault of ours."""
    from fieldguide.cli import main

    folder = shared("badfiles")
    for name, entry in manifest().items():
        code = main(["plan", str(folder / name), "--json", "--home", str(tmp_path)])
        out = capsys.readouterr().out
        found = json.loads(out)
        assert code in {0, 2}, name
        if entry["expect"] == "reject":
            assert (code, found["error"]["type"]) == (2, "FormatError"), name
        if code == 2:
            assert found["error"]["hint"], name
