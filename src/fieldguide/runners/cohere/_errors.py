"""Cohere's errors to ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fieldguide.errors import ContextLengthExceededError, QuotaExhaustedError, RunnerError, UnknownModelError
from fieldguide.runners._context_length import limit_and_requested
from fieldguide.runners._http_errors import error_in_body, error_of_status
from fieldguide.runners._json import object_of, text_of

_OVER = re.compile(r"size limit exceeded by (\d+) tokens.*?limit for this model is (\d+) tokens", re.S)
_TOO_LONG = re.compile(r"^too many tokens", re.I)
_UNKNOWN_MODEL = re.compile(r"^model '[^']*' (?:not found|was removed)", re.I)
_SPENT = re.compile(r"Trial key.*(?:limited to|API calls / month)", re.I | re.S)
MODELS = "https://docs.cohere.com/docs/models"


def error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    usual = error_of_status(status, text, headers)
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return usual
    special = _special(object_of(body), usual.message, status)
    if special is None:
        return usual
    special.refused = True
    return special


def error_in(body: dict[str, Any]) -> RunnerError:
    """Return the error that a body with status 200, or an event of a stream, describes."""
    usual = error_in_body(body, status=200)
    return _special(body, usual.message, 200) or usual


def _special(body: Mapping[str, Any], said: str, status: int) -> RunnerError | None:
    message = text_of(body.get("message")) or ""
    if body.get("error_type") == "TOO_MANY_TOKENS" or _TOO_LONG.search(message):
        if found := _OVER.search(message):
            limit = int(found[2])
            return ContextLengthExceededError(said, limit_tokens=limit, requested_tokens=limit + int(found[1]))
        return ContextLengthExceededError(said, **limit_and_requested(message))
    if status in {400, 404} and _UNKNOWN_MODEL.search(message):
        return UnknownModelError(said, hint=f"See {MODELS} for the names of those there are.")
    if status == 429 and _SPENT.search(message) and "month" in message:
        return QuotaExhaustedError(said)
    return None
