"""Flags that `ask` and `chat` share, to values."""

from __future__ import annotations

import json
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fieldguide.app.references import as_decimal
from fieldguide.app.talk import Asking
from fieldguide.app.tools import Toolbox, fault_of_schema
from fieldguide.domain import ReasoningOptions, ResponseSchema, ToolCall
from fieldguide.errors import InputFileError, UsageError

_LARGEST_SCHEMA_BYTES = 1 << 20
_EFFORTS = ("minimal", "low", "medium", "high")


def asking_of(args: Namespace) -> Asking:
    """Return how the flags ask.

    Raises:
        UsageError: A number is out of bounds, or the schema is none.
    """
    if args.max_tokens <= 0:
        raise UsageError(f"--max-tokens takes a number above 0, not {args.max_tokens}.")
    if args.temperature is not None and not 0 <= args.temperature <= 10:
        raise UsageError(f"--temperature takes a number of at least 0, not {args.temperature}.")
    if args.top_p is not None and not 0 < args.top_p <= 1:
        raise UsageError(f"--top-p takes a number above 0 and at most 1, not {args.top_p}.")
    if args.max_rounds <= 0:
        raise UsageError(f"--max-rounds takes a number above 0, not {args.max_rounds}.")
    if any(not text for text in args.stop):
        raise UsageError("--stop takes a text of at least one character.")
    schema = getattr(args, "schema", None)
    return Asking(
        max_output_tokens=args.max_tokens,
        temperature=args.temperature,
        top_p=args.top_p,
        seed=args.seed,
        stop=tuple(args.stop),
        logprobs=0 if getattr(args, "logprobs", False) else None,
        response_schema=None if schema is None else _schema(schema),
        reasoning=_reasoning(args.reasoning),
        stream=not args.no_stream,
        max_rounds=args.max_rounds,
        budget_usd=as_decimal(args.budget_usd, "--budget-usd"),
    )


def toolbox_of(args: Namespace, *, pause: Callable[[], None]) -> Toolbox:
    """Return the tools that the flags name; a person is asked before a function of a file first runs.

    Raises:
        UsageError: There is no such tool; or there is nobody to ask, and `--yes` is not given.
    """
    from_files = [name for name in args.tools if name.endswith(".py")]
    can_ask = sys.stdin.isatty() and sys.stderr.isatty()
    if from_files and not args.yes and not can_ask:
        raise UsageError(
            f"The functions of {from_files[0]} would run whenever the model calls for them, and nobody can be asked.",
            hint="Read the file, then add `--yes`: they run in the sandbox, without network and without your files.",
        )
    box = Toolbox(approve=(lambda call: True) if args.yes else lambda call: _asked(call, pause))
    try:
        for name in args.tools:
            box.add(name)
    except BaseException:
        box.close()
        raise
    return box


def _asked(call: ToolCall, pause: Callable[[], None]) -> bool:
    """Ask the person at the terminal whether a tool may run; Ctrl-C there stops as it does elsewhere."""
    pause()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stderr.write(f"Run {call.name}({json.dumps(call.arguments)[:400]}) in the sandbox, now and later? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in {"y", "yes"}
    finally:
        signal.signal(signal.SIGINT, before)


def _reasoning(level: str | None) -> ReasoningOptions | None:
    if level is None:
        return None
    if level.isdecimal() and int(level) > 0:
        return ReasoningOptions(budget_tokens=int(level))
    if level not in _EFFORTS:
        raise UsageError(f"--reasoning takes {', '.join(_EFFORTS)} or a number of tokens, not {level!r}.")
    return ReasoningOptions(effort=level)


def _schema(path: Path) -> ResponseSchema:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_SCHEMA_BYTES + 1)
        schema: Any = json.loads(text)
    except OSError as error:
        raise InputFileError(str(path), f"cannot be read ({error.strerror}).", hint="Check the path.") from None
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InputFileError(str(path), f"is not JSON: {error}.", line=line) from None
    if not isinstance(schema, dict):
        raise InputFileError(str(path), "is not a JSON object.", hint="A schema is written as {...}.")
    if (fault := fault_of_schema(schema)) is not None:
        raise InputFileError(str(path), f"is not a JSON schema: {fault}.")
    name = "".join(char if (char.isalnum() and char.isascii()) or char in "_-" else "_" for char in path.stem)[:64]
    return ResponseSchema(schema=schema, name=name or "answer", strict=True)
