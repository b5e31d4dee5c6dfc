"""The house keeps its shape: layers, public names, imports, errors and exit codes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import fieldguide
from fieldguide import errors
from fieldguide.cli import _errors as cli_errors

ROOMS = [
    name
    for _, name, is_package in pkgutil.iter_modules(fieldguide.__path__, "fieldguide.")
    if is_package and name != "fieldguide.cli"
]
HEAVY = {
    "aiohttp", "jinja2", "numpy", "pydantic", "rich", "sqlite3", "sympy", "vl_convert", "xllamacpp", "yaml",
}  # fmt: skip


def all_errors() -> list[type[errors.FieldguideError]]:
    found = [value for value in vars(errors).values() if inspect.isclass(value)]
    return [value for value in found if issubclass(value, errors.FieldguideError)]


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_sorted_and_exist(room: str) -> None:
    """Each room lists its public names once, in order, and none of them is missing."""
    module = importlib.import_module(room)
    assert list(module.__all__) == sorted(set(module.__all__))
    assert all(hasattr(module, name) for name in module.__all__)


@pytest.mark.parametrize("statement", ["import fieldguide", "import fieldguide.cli; fieldguide.cli.build_parser()"])
def test_starting_imports_nothing_heavy(statement: str) -> None:
    """`--help` answers at once because nothing but the standard library's light part is loaded for it."""
    code = f"{statement}; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & HEAVY


def test_a_list_imports_nothing_heavy(tmp_path: Path) -> None:
    """Once a copy of the catalogue is there: a thousand models are listed within 0.3 s."""
    statement = f"from fieldguide.cli import main; main(['list', '--json', '--home', {str(tmp_path)!r}])"
    code = f"{statement}; import sys; print(*sys.modules, file=sys.stderr)"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '"available"' in done.stdout
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert not loaded & (HEAVY | {"asyncio"})


def test_each_runner_loads_its_own_module_only() -> None:
    """Neither the package, nor the command line, nor one provider loads another; no provider loads an SDK."""
    program = """
import sys
from importlib.metadata import entry_points
import fieldguide, fieldguide.runners, fieldguide.cli, fieldguide.app.references
def loaded():
    return {name.split('.')[2] for name in sys.modules if name.startswith('fieldguide.runners.')}
before = {name for name in loaded() if not name.startswith('_')}
assert not before, before
point = next(point for point in entry_points(group='fieldguide.runners') if point.name == sys.argv[1])
point.load()
print(*sorted(name for name in loaded() if not name.startswith('_')))
sdks = {'openai', 'anthropic', 'cohere', 'google', 'boto3', 'botocore', 'dashscope', 'ollama', 'azure'}
print(*sorted(sdks & set(sys.modules)))
"""
    own = {
        "anthropic": {"anthropic"},
        "bedrock": {"bedrock", "aws"},
        "cohere": {"cohere"},
        "gemini": {"gemini"},
        "openai": {"openai", "openai_chat", "openai_media"},
        "vertex": {"gemini", "vertex"},
    }
    for name, modules in own.items():
        done = subprocess.run([sys.executable, "-c", program, name], capture_output=True, text=True, check=True)
        found, sdks = done.stdout.split("\n")[:2]
        assert set(found.split()) == modules
        assert not sdks


@pytest.mark.parametrize("error", all_errors(), ids=lambda error: error.__name__)
def test_every_error_has_an_exit_code(error: type[errors.FieldguideError]) -> None:
    """The table of exit codes covers the whole tree."""
    covered = [ancestor for ancestor in error.__mro__ if ancestor in cli_errors.EXIT_CODES]
    assert covered != [errors.FieldguideError] or error is errors.FieldguideError


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every error stands in the drawing at the top of the module."""
    assert errors.__doc__ is not None
    for error in all_errors():
        assert error.__name__ in errors.__doc__


def test_imports_flow_down() -> None:
    """The layers of the house hold; a new room fails until it has a place."""
    project = Path(__file__).parents[2]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(project / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stdout


def test_no_distribution_runs_code_at_start() -> None:
    """No installed package ships a `.pth` file that executes anything (the attack of March 2026)."""
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    allowed = {"distutils-precedence.pth", "_virtualenv.pth"}
    for file in site.glob("*.pth"):
        runs = [line for line in file.read_text().splitlines() if line.startswith(("import ", "import\t"))]
        assert not runs or file.name in allowed, file
