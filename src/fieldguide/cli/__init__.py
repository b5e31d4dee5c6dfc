"""The command line: translates, decides nothing. Nothing heavy is imported before a command is known."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Sequence

from fieldguide.cli import _errors
from fieldguide.cli._parser import build_parser
from fieldguide.errors import FieldguideError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 wrong use or bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        parsed = build_parser().parse_args(arguments)
        inside = "." not in parsed.module  # a command of another room, such as the server's, is named in full
        command = importlib.import_module(f"fieldguide.cli.{parsed.module}" if inside else parsed.module)
        code: int = command.run(parsed)
        sys.stdout.flush()
        return code
    except FieldguideError as error:
        return _errors.report(error, as_json=as_json)
    except KeyboardInterrupt:
        print("interrupted; what was finished is kept", file=sys.stderr)
        return _errors.INTERRUPTED
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # the reader went away; the interpreter must not complain at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _errors.FAILED
    except Exception as error:
        return _errors.report(_errors.unforeseen(error), as_json=as_json)
