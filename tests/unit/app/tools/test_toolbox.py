"""Functions of a file as tools: described from their hints, run in the sandbox, their faults said to the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.tools import Called, Toolbox
from fieldguide.domain import ToolCall
from fieldguide.errors import InputFileError, UsageError
from fieldguide.scoring.code_judge import TIERS, why_not

pytestmark = pytest.mark.skipif(all(why_not(tier) for tier in TIERS), reason="nothing isolates programs here")

SOURCE = '''
from dataclasses import dataclass
from enum import Enum
from typing import Literal

class Colour(Enum):
    RED = "red"

@dataclass
class Point:
    x: float
    y: float = 0.0

def add(a: int, b: int = 2) -> int:
    """Add two numbers.

    Args:
        a: the first
            of the two
        b: the second
    """
    print("said aside")
    return a + b

def rich(point: Point, colour: Colour, tags: list[str] | None = None, how: Literal["p", "q"] = "p") -> dict:
    """Take values of many kinds."""
    return {"x": point.x, "colour": colour.name, "tags": tags, "how": how}

def boom(why: str) -> None:
    """Fail."""
    raise ValueError("no " + why)

def hang() -> None:
    """Never end."""
    while True:
        pass

def flood() -> None:
    """Print megabytes."""
    print("x" * 5_000_000)

def long() -> str:
    """Return much."""
    return "y" * 100_000

def outside() -> str:
    """Read a file of the user's."""
    return open("SECRET").read()

async def later() -> str:
    """Return later."""
    return "now"

def _hidden() -> None: ...
'''


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolbox]:
    folder = tmp_path_factory.mktemp("tools")
    (folder / "secret").write_text("s3cret")
    (folder / "mine.py").write_text(SOURCE.replace("SECRET", str(folder / "secret")))
    made = Toolbox()
    made.add(str(folder / "mine.py"))
    yield made
    made.close()


async def called(box: Toolbox, name: str, **arguments: Any) -> Called:
    return (await box.run_all([ToolCall(name=name, call_id="1", arguments=arguments)]))[0]


def test_functions_are_described_from_hints_and_docstrings(box: Toolbox) -> None:
    """Types, defaults, what is needed, and what the docstring says of each argument; hidden functions stay hidden."""
    by_name = {tool.name: tool for tool in box.tools}
    assert set(by_name) == {"add", "rich", "boom", "hang", "flood", "long", "outside", "later"}
    assert by_name["add"].description == "Add two numbers."
    assert by_name["add"].parameters == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "the first of the two"},
            "b": {"type": "integer", "description": "the second", "default": 2},
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    rich: Any = by_name["rich"].parameters
    assert rich["properties"]["point"]["required"] == ["x"]
    assert rich["properties"]["colour"] == {"enum": ["red"]}
    assert rich["properties"]["tags"] == {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
    assert rich["properties"]["how"] == {"enum": ["p", "q"], "default": "p"}


async def test_a_call_gives_a_value_made_from_what_its_hints_ask_for(box: Toolbox) -> None:
    """JSON becomes dataclasses and enums on the way in and JSON on the way out; what is printed is no result."""
    assert (await called(box, "add", a=1)).result.content == "3"
    rich = await called(box, "rich", point={"x": 1}, colour="red", tags=["a"])
    assert rich.result.content == '{"x": 1.0, "colour": "RED", "tags": ["a"], "how": "p"}'
    assert (await called(box, "later")).result.content == "now"


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("add", {"a": "one"}, "a must be of type integer"),
        ("add", {}, "a is missing"),
        ("add", {"a": 1, "c": 2}, "there is no c"),
        ("boom", {"why": "way"}, "ValueError: no way (line"),
        ("flood", {}, "printed more than allowed"),
        ("hang", {}, "allowed"),
        ("outside", {}, "No such file"),
        ("nothing", {}, "There is no tool 'nothing'"),
    ],
)
async def test_a_fault_is_said_to_the_model(box: Toolbox, name: str, arguments: dict[str, Any], told: str) -> None:
    """Wrong arguments, exceptions, endless loops, floods and reaching outside end as an error of the tool's."""
    result = (await called(box, name, **arguments)).result
    assert result.is_error
    assert told in str(result.content)
    assert "s3cret" not in str(result.content)


async def test_a_long_result_is_cut_and_says_so(box: Toolbox) -> None:
    """A model is not given more than it can use."""
    content = str((await called(box, "long")).result.content)
    assert len(content) < 33_000
    assert "100,000 characters in all" in content


async def test_what_a_person_forbids_is_not_run(tmp_path: Path) -> None:
    """Asked once for each tool; the model is told."""
    path = tmp_path / "t.py"
    path.write_text('def f() -> str:\n    """F."""\n    return "ran"\n')
    asked: list[str] = []

    def forbid(call: ToolCall) -> bool:
        asked.append(call.name)
        return False

    box = Toolbox(approve=forbid)
    box.add(str(path))
    assert "did not allow" in str((await called(box, "f")).result.content)
    box.approve = lambda call: True
    assert (await called(box, "f")).result.content == "ran"
    assert asked == ["f"]
    box.close()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def f(:", "SyntaxError"),
        ("x = 1", "no public function"),
        ("def f(a: set[lambda: 1]): ...", "cannot be a tool"),
        ("def f(*a: int) -> None: ...", "has no place"),
        ("import nosuchmodule", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit"),
    ],
)
def test_a_file_that_cannot_be_tools_is_told_beforehand(source: str, told: str, tmp_path: Path) -> None:
    """With the file and what is wrong in it."""
    path = tmp_path / "t.py"
    path.write_text(source)
    box = Toolbox()
    with pytest.raises(InputFileError, match=told):
        box.add(str(path))
    box.close()


def test_an_unknown_tool_and_a_name_given_twice_are_wrong_use() -> None:
    """The known ones are named."""
    box = Toolbox()
    with pytest.raises(UsageError, match="no tool"):
        box.add("calcolator")
    box.add("calculator")
    with pytest.raises(UsageError, match="two tools"):
        box.add("calculator")


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ({"operation": "solve", "expression": "x^2 = 4"}, "{-2, 2}"),
        ({"operation": "solve", "expression": "x + y = 3; x - y = 1"}, "[{x: 2, y: 1}]"),
        ({"operation": "factor", "expression": "x^2 - 1"}, "(x - 1)*(x + 1)"),
        ({"operation": "integrate", "expression": "sin(x)^2", "lower": "0", "upper": "pi"}, "pi/2"),
        ({"operation": "differentiate", "expression": "x^3", "order": 2}, "6*x"),
        ({"operation": "limit", "expression": "sin(x)/x"}, "1"),
        ({"operation": "series", "expression": "exp(x)", "order": 3}, "1 + x + x**2/2 + O(x**3)"),
    ],
)
async def test_algebra_is_exact(arguments: dict[str, Any], value: str, algebra: Toolbox) -> None:
    """What sympy gives, as text."""
    assert (await called(algebra, "algebra", **arguments)).result.content == value


async def test_algebra_says_what_is_wrong(algebra: Toolbox) -> None:
    """An expression that is none, one bound without the other, and nothing to solve for."""
    for arguments in (
        {"operation": "factor", "expression": "x +"},
        {"operation": "integrate", "expression": "x", "lower": "0"},
        {"operation": "differentiate", "expression": "2"},
        {"operation": "simplify", "expression": "__import__('os').system('id')"},
    ):
        result = (await called(algebra, "algebra", **arguments)).result
        assert result.is_error, result.content
        assert "uid=" not in str(result.content)


@pytest.fixture(scope="module")
def algebra() -> Iterator[Toolbox]:
    pytest.importorskip("sympy", reason="the extra `maths` is not installed")
    box = Toolbox()
    box.add("algebra")
    yield box
    box.close()
