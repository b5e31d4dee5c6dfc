"""Anthropic's errors to ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fieldguide.errors import RunnerError, UnknownModelError
from fieldguide.runners._http_errors import error_in_body, error_of_status

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    error = error_of_status(status, text, headers)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return error
    special = _special(body if isinstance(body, dict) else {}, error.message)
    if special is None:
        return error
    special.refused = True
    return special


def error_in_event(event: dict[str, Any]) -> RunnerError:
    """Return the error that a body or an event of a stream describes: its type stands for a status."""
    inner = event.get("error")
    kind = inner.get("type") if isinstance(inner, dict) else None
    error = error_in_body(event, status=_STATUSES.get(str(kind), 200))
    return _special(event, error.message) or error


def _special(body: dict[str, Any], said: str) -> RunnerError | None:
    inner = body.get("error")
    details = inner if isinstance(inner, dict) else {}
    message = str(details.get("message", ""))
    if details.get("type") == "not_found_error" and message.startswith("model:"):
        return UnknownModelError(said, hint="Check the model's name: https://docs.anthropic.com/en/docs/about-claude.")
    return None
