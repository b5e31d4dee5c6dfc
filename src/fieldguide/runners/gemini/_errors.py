"""Google's errors to ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fieldguide.errors import (
    AuthenticationError,
    ExpiredCredentialsError,
    QuotaExhaustedError,
    RunnerError,
    UnknownModelError,
    WrongRegionError,
)
from fieldguide.runners._http_errors import error_in_body, error_of_status, retry_after_s
from fieldguide.runners._json import object_of, objects_of, text_of

_EXPIRED = re.compile(r"API key expired|token (?:has )?expired|expired (?:access )?token", re.I)
_ELSEWHERE = re.compile(
    r"not servable in region|(?:not (?:supported|available)|unsupported) (?:in|for) (?:the |this |your )?"
    r"(?:region|location)|User location is not supported|unsupported (?:region|location)",
    re.I,
)
_UNKNOWN_MODEL = re.compile(r"^models/\S+ is not found|^Publisher Model \S+ (?:was |is )?not found", re.I)
_NOT_OF_TIME = re.compile(r"PerDay|PerMonth", re.I)
_SIGN_IN = "Sign in again (`gcloud auth application-default login`), or give a new key or token."
_KEYS = "https://aistudio.google.com/apikey"


def error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    try:
        body: Any = json.loads(text)
    except (ValueError, RecursionError):
        return error_of_status(status, text, headers)
    if isinstance(body, list):  # what is asked for as a stream without events may fail in a list
        body = next(iter(objects_of(body)), {})
    error = error_in(object_of(body), status=status, wait_s=retry_after_s(headers))
    error.refused = True
    return error


def error_in(body: dict[str, Any], *, status: int = 200, wait_s: float | None = None) -> RunnerError:
    """Return the error that a body describes."""
    inner = object_of(body.get("error"))
    details = objects_of(inner.get("details"))
    code = inner.get("code")
    if status == 200 and isinstance(code, int):
        status = code
    usual = error_in_body(body, status=status, wait_s=_wait_s(details) if wait_s is None else wait_s)
    return _special(usual.message, inner, details, status) or usual


def _wait_s(details: list[dict[str, Any]]) -> float | None:
    """Return the seconds of a `RetryInfo`, which Google sends instead of a header."""
    for each in details:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text_of(each.get("retryDelay")) or "")
        if found:
            return float(found[1])
    return None


def _special(said: str, inner: dict[str, Any], details: list[dict[str, Any]], status: int) -> RunnerError | None:
    message = text_of(inner.get("message")) or ""
    reasons = {str(each.get("reason")) for each in details}
    if "ACCESS_TOKEN_EXPIRED" in reasons or (status in {400, 401} and _EXPIRED.search(message)):
        return ExpiredCredentialsError(said)
    if "API_KEY_INVALID" in reasons:
        return AuthenticationError(said, hint=f"Check the key, or get one at {_KEYS}.")
    if status == 401:
        return AuthenticationError(said, hint=_SIGN_IN)
    if address := next(filter(None, map(_activation, details)), None):
        return AuthenticationError(said, forbidden=True, hint=f"Enable the API at {address}, then try again.")
    if status in {400, 403, 404} and _ELSEWHERE.search(message):
        return WrongRegionError(said, hint="Choose a region that has the model: `GOOGLE_CLOUD_LOCATION` (or `global`).")
    if status == 404 and _UNKNOWN_MODEL.search(message):
        return UnknownModelError(
            said, hint="Check the model's name and, on Vertex AI, its region (`GOOGLE_CLOUD_LOCATION`)."
        )
    quotas = (quota for each in details for quota in objects_of(each.get("violations")))
    if status == 429 and any(_NOT_OF_TIME.search(str(quota.get("quotaId"))) for quota in quotas):
        return QuotaExhaustedError(said)
    return None


def _activation(detail: dict[str, Any]) -> str | None:
    if detail.get("reason") != "SERVICE_DISABLED":
        return None
    return text_of(object_of(detail.get("metadata")).get("activationUrl")) or "https://console.cloud.google.com/apis"
