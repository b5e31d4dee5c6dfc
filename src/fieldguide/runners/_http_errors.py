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
    ExpiredCredentialsError,
    InvalidRequestError,
    ProviderFaultError,
    QuotaExhaustedError,
    RateLimitError,
    ResponseFormatError,
    RunnerError,
    RunnerTimeoutError,
    RunnerUnavailableError,
    UnknownModelError,
    WrongRegionError,
)
from fieldguide.runners._context_length import limit_and_requested, says_too_long

_QUOTA_CODE = re.compile(r"insufficient_quota|spend_limit|billing|quota[ _]exhausted|payment[ _]required", re.I)
_QUOTA_PHRASE = re.compile(
    r"exceeded your current quota|credit balance is too low|insufficient (?:credits?|balance|funds)|spend(?:ing)? limit"
    r"|billing hard limit|payment required",
    re.I,
)
_CONTEXT_CODE = re.compile(r"context_length_exceeded|exceed_context_size|string_above_max_length", re.I)
_FILTER_CODE = re.compile(
    r"content_filter|content_policy|ResponsibleAIPolicy|data_inspection_failed|moderation_blocked", re.I
)
_FILTER_PHRASE = re.compile(
    r"^(?:invalid prompt: )?your (?:prompt|request) was (?:flagged|rejected)|^output blocked by content filtering"
    r"|^content violates usage guidelines|^your chosen model requires moderation and your input was flagged",
    re.I,
)
_MODEL_CODE = re.compile(r"model_not_found|DeploymentNotFound|unknown_model|model_not_supported|model_not_exist", re.I)
_MODEL_PHRASE = re.compile(
    r"^(?:the )?model .{0,100}does not exist|^model not exist|^invalid model\b|^\S+ is not a valid model id"
    r"|^no endpoints found for ",
    re.I,
)
_EXPIRED = re.compile(
    r"token_expired|expired_token|(?:token|key|credentials?) +(?:has |have |is )?expired|expired (?:key|token)",
    re.I,
)
_REGION_CODE = re.compile(r"unsupported_country_region_territory", re.I)
_QUOTED = re.compile(r"(?<!\w)(['\"`]).*?\1(?!\w)")
_MOST_MESSAGE = 300


def retry_after_s(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return the seconds that a response asks to wait, never below 0; None if it does not say.

    `Retry-After` is a number or an HTTP date (RFC 9110, 10.2.3); a date is held against the response's own `Date`,
    because either clock may be wrong. `retry-after-ms` is what OpenAI and Azure send beside it.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return max(milliseconds / 1000, 0.0)
    value = headers.get("Retry-After", "").strip()
    seconds = _number(value)
    if seconds is None and (moment := _date(value)) is not None:
        seconds = (moment - (now or _date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    return None if seconds is None else max(seconds, 0.0)


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def error_of_status(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        body = {"error": {"message": _plain(text)}}
    error = error_in_body(body, status=status, wait_s=retry_after_s(headers))
    error.refused = True
    return error


def error_in_body(body: dict[str, Any], *, status: int, wait_s: float | None = None) -> RunnerError:
    """Return the error that a body describes; the status decides where its words do not."""
    message, code = _described(body)
    if status == 200:
        status = _status_in(code) or status
    said = f"The provider says: {message}" if message else f"The provider answered with status {status}."
    if status == 402 or _QUOTA_CODE.search(code):
        return QuotaExhaustedError(said)
    phrases = _QUOTED.sub(" ", message)
    if _QUOTA_PHRASE.search(phrases) and not (status == 429 and wait_s is not None):  # some say so of a minute's quota
        return QuotaExhaustedError(said)
    if _CONTEXT_CODE.search(code) or says_too_long(phrases):
        return ContextLengthExceededError(said, **_context_numbers(body, message))
    if _FILTER_CODE.search(code) or (status in {400, 403} and _FILTER_PHRASE.search(phrases)):
        return ContentFilterError(said)
    if _MODEL_CODE.search(code) or (status in {400, 404} and _MODEL_PHRASE.search(phrases)):
        return UnknownModelError(said, hint="Check the model's name; the provider lists those that your key may use.")
    if status in {401, 403} and _EXPIRED.search(f"{code} {phrases}"):
        return ExpiredCredentialsError(said, hint="Get a new key or token, then run the same command.")
    if _REGION_CODE.search(code):
        return WrongRegionError(said, hint="The provider does not serve the place that this request came from.")
    return _by_status(status, said, wait_s)


def _status_in(code: str) -> int | None:
    """Return the status that routers write into the body of a 200."""
    found = re.search(r"(?<!\d)[45]\d\d(?!\d)", code)
    return int(found[0]) if found else None


def _by_status(status: int, said: str, wait_s: float | None) -> RunnerError:
    if status in {401, 403}:
        return AuthenticationError(
            said,
            forbidden=status == 403,
            hint="Give the key by naming the variable that holds it: `--api-key-env VARIABLE`.",
        )
    if status == 404:
        return InvalidRequestError(
            said, of_endpoint=True, hint="Check the base URL (it usually ends in /v1) and the model name after `#`."
        )
    if status in {408, 504}:
        return RunnerTimeoutError(said)
    if status == 429:
        return RateLimitError(said, retry_after_s=wait_s, hint="Use a lower `--concurrency`, or run again later.")
    if status in {500, 501, 505}:
        return ProviderFaultError(said)
    if status >= 500:
        return RunnerUnavailableError(said, retry_after_s=wait_s)
    if status >= 400:
        return InvalidRequestError(said)
    if status >= 300:
        return InvalidRequestError(
            f"The endpoint answers with a redirect (status {status}); it is not followed: a key belongs to one host.",
            of_endpoint=True,
            hint="Give the final address as the base URL.",
        )
    return ResponseFormatError(said)


def _described(body: dict[str, Any]) -> tuple[str, str]:
    """Return the message for people and the words that are codes.

    They are kept apart, because a message may quote the prompt, and no word of a prompt may decide what an error is.
    """
    error = body.get("error")
    if isinstance(error, dict):
        message = error.get("message")
        inner = error.get("innererror")
        described = [error, inner] if isinstance(inner, dict) else [error]
        code = " ".join(str(each.get(name, "")) for each in described for name in ("code", "type", "status"))
    else:
        message = error if isinstance(error, str) else body.get("message") or body.get("detail")
        code = f"{body.get('code', '')} {body.get('type', '')}"
    return _plain(message if isinstance(message, str) else json.dumps(message) if message else ""), code


def _plain(text: str) -> str:
    """Return text without tags, control characters and needless space, cut to a sentence or two."""
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return "".join(char for char in words if char.isprintable())[:_MOST_MESSAGE]


def _context_numbers(body: dict[str, Any], message: str) -> dict[str, int | None]:
    error = body.get("error")
    details = error if isinstance(error, dict) else {}
    limit, requested = details.get("n_ctx"), details.get("n_prompt_tokens")
    if isinstance(limit, int) and isinstance(requested, int):
        return {"limit_tokens": limit, "requested_tokens": requested}
    return limit_and_requested(message)
