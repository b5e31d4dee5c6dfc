"""HTTP statuses and error bodies to our errors."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from fieldguide.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthExceededError,
    InvalidRequestError,
    QuotaExhaustedError,
    RateLimitError,
    ResponseFormatError,
    RunnerError,
    RunnerTimeoutError,
    RunnerUnavailableError,
)

_QUOTA = re.compile(r"insufficient_quota|spend_limit|billing|credit balance|quota[ _]exhausted|payment required", re.I)
_CONTEXT = re.compile(r"context_length_exceeded|exceed_context_size|maximum context length|context window|n_ctx", re.I)
_FILTER = re.compile(r"content_filter|content_policy|ResponsibleAIPolicy|data_inspection_failed", re.I)
_MOST_MESSAGE = 300


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return the seconds that `Retry-After` asks for (a number or an HTTP date), never below 0; None if unreadable."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def error_of_status(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        body = {"error": {"message": _plain(text)}}
    return error_in_body(body, status=status, wait_s=retry_after_s(headers))


def error_in_body(body: dict[str, Any], *, status: int, wait_s: float | None = None) -> RunnerError:
    """Return the error that a body describes; the status decides where its words do not."""
    message, words = _described(body)
    said = f"The provider says: {message}" if message else f"The provider answered with status {status}."
    if status == 402 or _QUOTA.search(words):
        return QuotaExhaustedError(said)
    if _CONTEXT.search(words):
        return ContextLengthExceededError(said, **_context_numbers(body, words))
    if _FILTER.search(words):
        return ContentFilterError(said)
    return _by_status(status, said, wait_s)


def _by_status(status: int, said: str, wait_s: float | None) -> RunnerError:
    if status in {401, 403}:
        return AuthenticationError(
            said, hint="Give the key by naming the variable that holds it: `--api-key-env VARIABLE`."
        )
    if status == 404:
        return InvalidRequestError(
            said, hint="Check the base URL (it usually ends in /v1) and the model name after `#`."
        )
    if status in {408, 504}:
        return RunnerTimeoutError(said)
    if status == 429:
        return RateLimitError(said, retry_after_s=wait_s, hint="Use a lower `--concurrency`, or run again later.")
    if status >= 500:
        return RunnerUnavailableError(said, retry_after_s=wait_s)
    if status >= 400:
        return InvalidRequestError(said)
    if status >= 300:
        return InvalidRequestError(
            f"The endpoint answers with a redirect (status {status}); it is not followed: a key belongs to one host.",
            hint="Give the final address as the base URL.",
        )
    return ResponseFormatError(said)


def _described(body: dict[str, Any]) -> tuple[str, str]:
    """Return the message for people and all the words that may name the kind of error."""
    error = body.get("error")
    if isinstance(error, dict):
        message = error.get("message")
        words = " ".join(str(error.get(name, "")) for name in ("code", "type", "status", "message"))
    else:
        message = error if isinstance(error, str) else body.get("message") or body.get("detail")
        words = f"{message} {body.get('code', '')} {body.get('type', '')}"
    return _plain(message if isinstance(message, str) else json.dumps(message) if message else ""), words


def _plain(text: str) -> str:
    """Return text without tags, control characters and needless space, cut to a sentence or two."""
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return "".join(char for char in words if char.isprintable())[:_MOST_MESSAGE]


def _context_numbers(body: dict[str, Any], words: str) -> dict[str, int | None]:
    error = body.get("error")
    details = error if isinstance(error, dict) else {}
    limit, requested = details.get("n_ctx"), details.get("n_prompt_tokens")
    if not isinstance(limit, int):
        limit = _number_after(r"length|window", words)
    if not isinstance(requested, int):
        requested = _number_after(r"requested|resulted in|got", words)
    return {"limit_tokens": limit, "requested_tokens": requested}


def _number_after(words: str, text: str) -> int | None:
    found = re.search(rf"(?:{words})[^\d]{{0,20}}(\d{{1,12}})\b", text)
    return int(found[1]) if found else None
