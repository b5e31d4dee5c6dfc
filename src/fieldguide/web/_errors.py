"""Errors to statuses and to what a page or a program reads."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from fieldguide import errors


class StaleFormError(errors.FieldguideError):
    """A form that was not made by this server for this browser."""

    def __init__(self) -> None:
        super().__init__(
            "This form is stale, or was not sent from a page of this server; nothing was done.",
            hint="Go back (what you typed is still there), reload the page, and send it again.",
        )


STATUSES: dict[type[errors.FieldguideError], int] = {
    errors.FieldguideError: 500,
    errors.UsageError: 400,
    errors.UnknownNameError: 404,
    errors.SettingsError: 500,
    errors.PlanningError: 400,
    errors.CatalogueError: 500,
    errors.SourceError: 502,
    errors.NotFoundError: 404,
    errors.RunnerError: 502,
    errors.MissingDependencyError: 501,
    errors.InvalidRequestError: 400,
    errors.ModelLoadError: 400,
    errors.BenchmarkError: 500,
    errors.DatasetUnavailableError: 404,
    errors.StoreError: 500,
    errors.BudgetExceededError: 402,
    errors.AccessError: 403,
    errors.InvalidKeyError: 401,
    errors.KeyLimitError: 429,
    errors.OverloadedError: 503,
    StaleFormError: 403,
}
"""Status of each branch of the error tree; a class takes that of its nearest ancestor here."""


def status_of(error: errors.FieldguideError) -> int:
    """Return the status of an error."""
    return next(STATUSES[ancestor] for ancestor in type(error).__mro__ if ancestor in STATUSES)


def error_json(error: errors.FieldguideError) -> dict[str, Any]:
    """Return an error as programs read it."""
    told: dict[str, Any] = {
        "type": type(error).__name__.lstrip("_"),
        "message": error.message,
        "hint": error.hint,
        "retryable": error.retryable,
    }
    if isinstance(error, errors.UnknownNameError):
        told |= {"kind": error.kind, "nearest": list(error.close_matches)}
    return {"error": told}


def unforeseen(error: Exception) -> errors.FieldguideError:
    """Return an error for what nobody foresaw, with the place in our code where it happened."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return errors.FieldguideError(
        f"Something unforeseen went wrong ({type(error).__name__}{where}).",
        hint="This is a fault of Fieldguide; please report it with the address. What was committed is kept.",
    )
