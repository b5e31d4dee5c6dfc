"""`tools/check_catalogue.py`: what it finds in the shipped catalogue, and in spoiled copies of it."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

from fieldguide import catalogue

_TOOL = Path(__file__).parents[2] / "tools" / "check_catalogue.py"
_SHIPPED = Path(catalogue.__file__).parent


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """Return the script as a module."""
    spec = importlib.util.spec_from_file_location("check_catalogue", _TOOL)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def spoil(tmp_path: Path, tool: ModuleType) -> Callable[[str, str, str], list[str]]:
    """Return a function that changes a text in a copy of the catalogue and returns the problems then found."""
    root = tmp_path / "catalogue"
    shutil.copytree(_SHIPPED, root, ignore=shutil.ignore_patterns("__pycache__", "claims", "*.py"))

    def spoiled(file: str, old: str, new: str) -> list[str]:
        path = root / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        problems: list[str] = tool.check(root, date(2027, 1, 1)).problems
        return problems

    return spoiled


def test_the_shipped_catalogue_holds(tool: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is wrong, and the counts say that something was looked at."""
    assert tool.main([]) == 0
    printed = capsys.readouterr().out
    assert "0 problems" in printed
    report = tool.check(_SHIPPED, date.today())
    assert report.checked["exact counts equal to the closed form"] >= 70
    assert report.checked["facts with source and date"] > 3000
    assert report.checked["models that pull and a family both describe"] >= 1


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("families/qwen2.5.yaml", "value: 494032768", "value: 494032769", "qwen2.5.yaml: sizes.0.parameters"),
        (
            "families/qwen2.5.yaml",
            "id: Qwen/Qwen2.5-1.5B,",
            "id: Qwen/Qwen2.5-0.5B,",
            "is a place of qwen2.5-0.5b already",
        ),
        ("families/qwq.yaml", "id: Qwen/QwQ-32B,", "id: Qwen/Qwen2.5-32B,", "is a place of qwen2.5-32b too"),
        ("families/qwen2.5.yaml", "as_of: 2026-11-23", "as_of: 2027-06-01", "2027-06-01 is yet to come"),
        ("licences.yaml", "as_of: 2026-11-23", "as_of: 2027-06-01", "2027-06-01 is yet to come"),
        ("licences.yaml", "id: qwen-research", "id: qwen-researched", "qwen-research is not in licences.yaml"),
        ("licences.yaml", "source: https://opensource.org/license/mit", "source: ''", "a licence needs a source"),
        ("families/gpt-4o.yaml", "value: [gpt-4o]", "value: [gpt-4.1]", "alias gpt-4.1 of gpt-4o-2024-08-06 is taken"),
        ("families/qwen2.5.yaml", "title: Qwen2.5\n", "titel: Qwen2.5\n", "qwen2.5.yaml"),
        ("facts/smollm2-135m-instruct.yaml", "134515008", "134515009", "facts/smollm2-135m-instruct.yaml: parameters"),
    ],
)
def test_what_is_spoiled_is_told_with_its_file(
    spoil: Callable[[str, str, str], list[str]], file: str, old: str, new: str, told: str
) -> None:
    """Numbers, places, dates, licences, aliases, schema, and two files about one model."""
    problems = spoil(file, old, new)
    assert any(told in problem for problem in problems), problems


def test_the_example_in_contributing_is_a_whole_family(tool: ModuleType, tmp_path: Path) -> None:
    """Saved under its name in a copy of the folder it is read, checked and found, and nothing else had to change."""
    text = (_TOOL.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    example = text.split("```yaml\n")[1].split("```")[0]
    root = tmp_path / "catalogue"
    shutil.copytree(_SHIPPED, root, ignore=shutil.ignore_patterns("__pycache__", "claims", "*.py"))
    (root / "families" / "example.yaml").write_text(example, encoding="utf-8")
    assert tool.check(root, date(2026, 11, 26)).problems == []
    models = {model.member.name: model for model in catalogue.read_families(root).models()}
    assert models["example-0.5b-instruct"].family.title == "Example"


def test_several_problems_are_told_at_once(spoil: Callable[[str, str, str], list[str]]) -> None:
    """Who reads the catalogue meets the first; who checks it, all of them."""
    spoil("families/qwen2.5.yaml", "value: 494032768", "value: 494032769")
    problems = spoil("families/qwen3.yaml", "value: 596049920", "value: 596049921")
    assert {problem.split(":")[0] for problem in problems} == {"qwen2.5.yaml", "qwen3.yaml"}


def test_a_spoiled_catalogue_fails_the_check(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder has no licences: exit 1, the file named on stderr."""
    (tmp_path / "families").mkdir()
    assert tool.main([str(tmp_path)]) == 1
    assert "licences.yaml" in capsys.readouterr().err
