"""Functions of a Python file as tools: described and called in the sandbox, never in this process."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.domain import JsonValue, Tool
from fieldguide.errors import InputFileError, MissingDependencyError
from fieldguide.scoring.code_judge import CodeJudge, Limits

_DRIVER = Path(__file__).with_name("_driver.py")
_ALGEBRA = Path(__file__).with_name("algebra.py")
_LARGEST_FILE_BYTES = 1 << 20
PACKAGES = ("sympy", "mpmath")
"""Shown to tools where this installation has them, beside the standard library and numpy."""
LIMITS = Limits(cpu_s=6.0, wall_s=15.0, memory_bytes=1 << 30, output_bytes=1 << 20, file_bytes=16 << 20, files=64)


class ToolFault(Exception):  # noqa: N818 - not an error of ours: it is said to the model
    """Why a call of a tool gave no value."""


@dataclass(frozen=True, slots=True)
class PythonFile:
    """The tools of one file."""

    judge: CodeJudge
    name: str
    source: str
    tools: tuple[Tool, ...]

    def call(self, tool: str, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """Return what a function gave.

        Raises:
            ToolFault: It raised, ran too long, used too much memory or printed too much.
            SandboxError: It could not be confined, so that it was not run.
        """
        told = _run(self.judge, {"file": self.name, "source": self.source, "call": tool, "arguments": arguments})
        if "error" in told:
            raise ToolFault(told["error"])
        value: JsonValue = told["value"]
        return value


def open_algebra(judge: CodeJudge) -> PythonFile:
    """Return the tool of computer algebra.

    Raises:
        MissingDependencyError: sympy is not installed.
    """
    if importlib.util.find_spec("sympy") is None:
        raise MissingDependencyError("The tool `algebra`", extra="maths")
    return open_python_file(judge, str(_ALGEBRA))


def open_python_file(judge: CodeJudge, path: str) -> PythonFile:
    """Return the public functions of a file as tools.

    Raises:
        InputFileError: It cannot be read or run, holds no public function, or one whose hints cannot be said in JSON.
    """
    source = _read(path)
    name = Path(path).name
    try:
        told = _run(judge, {"file": name, "source": source})
    except ToolFault as fault:
        told = {"error": str(fault)}
    if "error" in told:
        raise InputFileError(path, f"cannot be run as tools: {told['error']}.", hint=_HINT)
    if not told["tools"]:
        raise InputFileError(path, "has no public function, and so no tool.", hint=_HINT)
    if broken := next((tool for tool in told["tools"] if "error" in tool), None):
        raise InputFileError(path, f"{broken['name']} cannot be a tool: {broken['error']}.", hint=_HINT)
    tools = tuple(
        Tool(name=tool["name"], description=tool["description"] or None, parameters=tool["parameters"])
        for tool in told["tools"]
    )
    return PythonFile(judge, name, source, tools)


_HINT = (
    "Tools are the functions of the file, with type hints and a docstring; they run without network and without your "
    "files. See docs/chat.md."
)


def _read(path: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
        if len(data) > _LARGEST_FILE_BYTES:
            raise InputFileError(path, "is larger than 1 MiB.", hint="Give a smaller file.")
        return data.decode("utf-8")
    except OSError as error:
        raise InputFileError(path, f"cannot be read ({error.strerror}).", hint="Check the path.") from None
    except UnicodeDecodeError:
        raise InputFileError(path, "is not Python source in UTF-8.", hint="Check the path.") from None


def _run(judge: CodeJudge, task: Mapping[str, Any]) -> dict[str, Any]:
    ran = judge.run(_DRIVER.read_text(encoding="utf-8"), json.dumps(task).encode(), LIMITS)
    if ran.fault is not None:
        killed = "SIGKILL" in ran.fault
        raise ToolFault("it used more time or memory than a tool is allowed" if killed else ran.fault)
    try:
        told: dict[str, Any] = json.loads(ran.stdout)
    except ValueError:
        raise ToolFault("it ended before it gave a value") from None
    return told
