"""The tools of a conversation: what the model is told of them, and what becomes of a call."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fieldguide.app.tools._calculator import TOOL as CALCULATOR
from fieldguide.app.tools._calculator import calculate
from fieldguide.app.tools._python_file import PACKAGES, ToolFault, open_algebra, open_python_file
from fieldguide.app.tools._schema import faults
from fieldguide.domain import JsonValue, Tool, ToolCall, ToolResult
from fieldguide.errors import SandboxError, UsageError
from fieldguide.scoring.code_judge import CodeJudge

_LONGEST_RESULT = 32_000
"""Characters of a result that a model is given."""
BUILT_IN = ("calculator", "algebra")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundTool:
    """A tool and what it does."""

    tool: Tool
    run: Callable[[Mapping[str, JsonValue]], JsonValue]
    """Blocks; raises ToolFault or ValueError for what is to be said to the model."""
    of_user: bool
    """Whether a person has to be asked before it first runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What became of one call."""

    call: ToolCall
    result: ToolResult
    seconds: float


@dataclass(slots=True)
class Toolbox:
    """The tools that a model may call; `approve` is asked before a tool of the user's first runs."""

    bound: dict[str, BoundTool] = field(default_factory=dict)
    approve: Callable[[ToolCall], bool] = lambda call: True
    _judge: CodeJudge | None = None
    _approved: set[str] = field(default_factory=set)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """What the model is told."""
        return tuple(each.tool for each in self.bound.values())

    def add(self, name: str) -> tuple[str, ...]:
        """Open a built-in tool or a Python file and return the names of its tools. Blocks for a moment.

        Raises:
            UsageError: It is neither, cannot be read, or brings a name that is there already.
            SandboxError: Nothing isolates programs on this machine.
        """
        if name == "calculator":
            added = [BoundTool(tool=CALCULATOR, run=lambda given: calculate(str(given["expression"])), of_user=False)]
        elif name == "algebra":
            opened = open_algebra(self._sandbox())
            added = [_bound(tool, opened.call, of_user=False) for tool in opened.tools]
        elif name.endswith(".py"):
            opened = open_python_file(self._sandbox(), name)
            added = [_bound(tool, opened.call, of_user=True) for tool in opened.tools]
        else:
            raise UsageError(
                f"There is no tool {name!r}.", hint=f"Give a Python file, or one of: {', '.join(BUILT_IN)}."
            )
        for each in added:
            if each.tool.name in self.bound:
                raise UsageError(f"There are two tools named {each.tool.name}.", hint="Rename one of them.")
            self.bound[each.tool.name] = each
        return tuple(each.tool.name for each in added)

    async def run_all(self, calls: Iterable[ToolCall]) -> list[Called]:
        """Run calls side by side and return their results in the order of the calls."""
        calls = list(calls)
        for call in calls:
            self._ask_about(call)
        return list(await asyncio.gather(*(asyncio.to_thread(self._run, call) for call in calls)))

    def close(self) -> None:
        """End the sandbox; twice does no harm."""
        if self._judge is not None:
            self._judge.close()
            self._judge = None

    def _sandbox(self) -> CodeJudge:
        if self._judge is None:
            self._judge = CodeJudge(packages=PACKAGES)
        return self._judge

    def _ask_about(self, call: ToolCall) -> None:
        bound = self.bound.get(call.name)
        if bound is not None and bound.of_user and call.name not in self._approved and self.approve(call):
            self._approved.add(call.name)

    def _run(self, call: ToolCall) -> Called:
        began_s = time.perf_counter()
        text, is_error = self._outcome(call)
        if len(text) > _LONGEST_RESULT:
            text = f"{text[:_LONGEST_RESULT]}... (cut: {len(text):,} characters in all)"
        result = ToolResult(call_id=call.call_id, name=call.name, content=text, is_error=is_error)
        return Called(call=call, result=result, seconds=time.perf_counter() - began_s)

    def _outcome(self, call: ToolCall) -> tuple[str, bool]:
        bound = self.bound.get(call.name)
        if bound is None:
            return f"There is no tool {call.name!r}; there are: {', '.join(self.bound)}.", True
        if call.arguments is None:
            return f"The arguments are not a JSON object: {(call.raw_arguments or '')[:200]}", True
        if wrong := faults(dict(call.arguments), bound.tool.parameters or {}):
            return f"The arguments are wrong: {'; '.join(wrong[:5])}.", True
        if bound.of_user and call.name not in self._approved:
            return "The person did not allow this tool to run.", True
        try:
            value = bound.run(call.arguments)
        except (ToolFault, ValueError) as fault:
            return f"The tool failed: {fault}", True
        except SandboxError as error:
            return f"The tool was not run: {error.message}", True
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), False


def _bound(tool: Tool, call: Callable[[str, Mapping[str, JsonValue]], JsonValue], *, of_user: bool) -> BoundTool:
    return BoundTool(tool=tool, run=lambda given: call(tool.name, given), of_user=of_user)
