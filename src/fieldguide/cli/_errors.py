"""Errors to sentences and exit codes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fieldguide import errors

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

EXIT_CODES: dict[type[errors.FieldguideError], int] = {
    errors.FieldguideError: FAILED,
    errors.UsageError: WRONG_USE,
    errors.CatalogueError: WRONG_USE,
    errors.PlanningError: WRONG_USE,
    errors.SourceError: FAILED,
    errors.NotFoundError: WRONG_USE,
    errors.RunnerError: FAILED,
    errors.MissingDependencyError: FAILED,
    errors.InvalidRequestError: FAILED,
    errors.ModelLoadError: WRONG_USE,
    errors.BenchmarkError: FAILED,
    errors.DatasetUnavailableError: WRONG_USE,
    errors.BudgetExceededError: FAILED,
    errors.AccessError: FAILED,
    errors.OverloadedError: FAILED,
    errors.StoreError: FAILED,
}
"""Exit code of each branch of the error tree; a class takes the code of its nearest ancestor here."""


def exit_code(error: errors.FieldguideError) -> int:
    """Return the exit code of an error."""
    return next(EXIT_CODES[ancestor] for ancestor in type(error).__mro__ if ancestor in EXIT_CODES)


def error_json(error: errors.FieldguideError) -> dict[str, Any]:
    """Return the error as programs read it."""
    return {
        "error": {
            "type": type(error).__name__.lstrip("_"),
            "message": error.message,
            "hint": error.hint,
            "retryable": error.retryable,
        }
    }


def unforeseen(error: Exception) -> errors.FieldguideError:
    """Return an error for what nobody foresaw, with the place in our code where it happened."""
    import traceback  # Only here, and takes time to load.

    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return errors.FieldguideError(
        f"Something unforeseen went wrong ({type(error).__name__}: {error}{where}).",
        hint="This is a fault of Fieldguide; please report it with the command. What was committed is kept.",
    )


def report(error: errors.FieldguideError, *, as_json: bool) -> int:
    """Print an error where it belongs and return its exit code."""
    if as_json:
        print(json.dumps(error_json(error)))
    else:
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  next: {error.hint}", file=sys.stderr)
    return exit_code(error)
