"""Documentation that runs: examples work, generated pages are up to date, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from fieldguide.settings import Settings
from tests.support.program import fieldguide

PROJECT = Path(__file__).parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md"), *PROJECT.glob("benchmarks/*.md")])
FENCE = re.compile(r"^```(?P<language>[\w-]+)(?P<flags>[^\n]*)\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[tuple[str, str, str]]:
    """Return (place, flags, body) of every fenced block in a language."""
    found = []
    for page in PAGES:
        for match in FENCE.finditer(page.read_text(encoding="utf-8")):
            if match["language"] == language:
                place = f"{page.relative_to(PROJECT)}:{page.read_text()[: match.start()].count(chr(10)) + 1}"
                found.append((place, match["flags"].strip(), match["body"]))
    return found


def commands() -> list[tuple[str, str]]:
    """Return (place, command) of every `$ fieldguide ...` line that needs neither a model nor data."""
    return [
        (place, line.removeprefix("$ "))
        for place, flags, body in blocks("console")
        for line in body.splitlines()
        if line.startswith("$ fieldguide ") and "needs" not in flags
    ]


@pytest.mark.parametrize(("place", "command"), commands(), ids=[place for place, _ in commands()])
async def test_commands_in_the_documentation_run(
    place: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example that works offline ends with exit code 0."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT / "src"))
    ran = await fieldguide(*shlex.split(command)[1:])
    assert ran.code == 0, f"{place}: {ran.err}"


@pytest.mark.parametrize(("place", "flags", "body"), blocks("python"), ids=[place for place, *_ in blocks("python")])
def test_python_in_the_documentation_runs(
    place: str, flags: str, body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every Python example runs as it stands."""
    if "needs" in flags:
        pytest.skip(f"{place} {flags}")
    monkeypatch.chdir(tmp_path)
    exec(compile(body, place, "exec"), {"__name__": "__example__"})


def test_the_command_reference_is_up_to_date() -> None:
    """docs/commands.md is the program's own help: `python tools/write_command_reference.py` writes it."""
    module = _tool("write_command_reference")
    assert module.OUT.read_text(encoding="utf-8") == module.command_reference()


def test_the_contexts_of_the_pages_are_documented() -> None:
    """docs/web-contexts.md is what the pages declare: `python tools/write_web_contexts.py` writes it."""
    module = _tool("write_web_contexts")
    assert module.OUT.read_text(encoding="utf-8") == module.web_contexts()


def _tool(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, PROJECT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_setting_is_documented() -> None:
    """docs/settings.md names each setting and its variable."""
    text = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    for field in fields(Settings):
        assert f"`{field.name}`" in text
        assert f"`FIELDGUIDE_{field.name.upper()}`" in text


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(PROJECT)) for page in PAGES])
def test_links_lead_to_files_that_exist(page: Path) -> None:
    """A relative link that leads nowhere fails here and not at the reader's."""
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("mailto:"):
            assert (page.parent / target).exists(), target
