"""Errors of Amazon's services to ours: by the words where a name is too wide, else by the name, last by the status."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from fieldguide.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    ExpiredCredentialsError,
    InvalidRequestError,
    ProviderFaultError,
    QuotaExhaustedError,
    RateLimitError,
    RunnerError,
    RunnerTimeoutError,
    RunnerUnavailableError,
    UnknownModelError,
    WrongRegionError,
)
from fieldguide.runners._context_length import limit_and_requested, says_too_long
from fieldguide.runners._http_errors import error_in_body, error_of_status, retry_after_s
from fieldguide.runners._json import count_of, object_of, text_of

_MOST_MESSAGE = 300
_EXPIRED = re.compile(r"token[^.]{0,40}\bexpired|expired token|request has expired", re.I)
_CLOCK = re.compile(r"signature (?:expired|not yet current)", re.I)
_REGION = re.compile(
    r"scoped to a valid region|not (?:supported|available|authorized) in (?:this|the|your) region"
    r"|isn.t (?:supported|available) in (?:this|the) region|unsupported (?:country|region)",
    re.I,
)
_MODEL = re.compile(
    r"model identifier is invalid|could not resolve the foundation model|endpoint \S+ .*not found", re.I
)
_NO_ENDPOINT = re.compile(r"could not find (?:endpoint|variant)|endpoint .*not found", re.I)
_PROFILE = re.compile(r"on-demand throughput isn.t supported", re.I)
_DAILY = re.compile(r"per day|daily", re.I)
_ACCESS = (
    "Ask for access to the model in the Bedrock console (Model access), and let the role do bedrock:InvokeModel: "
    "https://console.aws.amazon.com/bedrock/home#/modelaccess."
)
_KEY = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile in AWS_PROFILE, or AWS_BEARER_TOKEN_BEDROCK."
_ELSEWHERE = (
    "Name a region that has it in AWS_REGION, or ask for its cross-region profile (`us.`, `eu.`, `apac.`, ...)."
)


def error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response whose status is not 200."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or "error" in body:  # a proxy's page; OpenAI's form, as mantle has it
        return error_of_status(status, text, headers)
    name = headers.get("x-amzn-errortype") or text_of(body.get("__type")) or text_of(body.get("code")) or ""
    error = error_of_exception(name, body, status=status, wait_s=retry_after_s(headers))
    error.refused = True
    return error


def error_of_exception(
    name: str, body: Mapping[str, Any], *, status: int | None = None, wait_s: float | None = None
) -> RunnerError:
    """Return the error that an exception's name and body describe.

    Args:
        name: Such as `ThrottlingException`; what stands before `#` and after `:` is cut off.
        body: The JSON beside it.
        status: The response's status; None for an exception in the middle of a stream.
        wait_s: What the response asks to wait (seconds).
    """
    name = name.split(":")[0].rpartition("#")[2]
    message = _message_in(body)
    said = f"The provider says: {message}" if message else f"The provider answered with {name or status}."
    if name == "ModelError" and (inner := _of_container(body, said)) is not None:
        return inner
    if status in {401, 403} and (special := _of_access(message, said)) is not None:
        return special
    if (special := _by_words(name, message, said)) is not None:
        return special
    lower = name[:1].lower() + name[1:]  # streams write the first letter small
    make = _BY_NAME.get(lower)
    if make is not None:
        return make(said, wait_s)
    return error_in_body({"message": message, "code": name}, status=status or 500, wait_s=wait_s)


def _message_in(body: Mapping[str, Any]) -> str:
    found = next((body[name] for name in ("message", "Message", "OriginalMessage") if text_of(body.get(name))), "")
    words = " ".join(str(found).split()).partition("The Canonical String for this request")[0].strip()
    return "".join(char for char in words if char.isprintable())[:_MOST_MESSAGE]


def _of_container(body: Mapping[str, Any], said: str) -> RunnerError | None:
    """Return the error that SageMaker passes on from the container behind an endpoint."""
    status = count_of(body.get("OriginalStatusCode"))
    original = text_of(body.get("OriginalMessage")) or ""
    if status is None:
        return None
    if says_too_long(original):
        return ContextLengthExceededError(said, **limit_and_requested(original))
    try:
        inner = json.loads(original)
    except (ValueError, RecursionError):
        inner = {}
    return error_in_body({"message": original, **object_of(inner)}, status=status)


def _of_access(message: str, said: str) -> RunnerError | None:
    """Return the error that the words of a refusal tell where its name is too wide."""
    if _EXPIRED.search(message):
        return _expired(said)
    if _CLOCK.search(message):
        return AuthenticationError(
            said, forbidden=True, hint="Set this machine's clock: signatures hold for 5 minutes."
        )
    return None


def _by_words(name: str, message: str, said: str) -> RunnerError | None:
    """Return the error that the words tell where the name is too wide, as `ValidationException` is."""
    if _REGION.search(message):
        return WrongRegionError(said, hint=_ELSEWHERE)
    if _PROFILE.search(message):
        return UnknownModelError(said, hint="Put the profile's prefix before the model id, such as `us.` or `global.`.")
    if not name or name.lower().startswith(("validation", "modelerror", "modelstreamerror")):
        if _MODEL.search(message):
            return UnknownModelError(said, hint=f"Check the model id and the region. {_ELSEWHERE}")
        if _NO_ENDPOINT.search(message):
            return UnknownModelError(said, hint="Check the endpoint's name, and its region in AWS_REGION.")
        if says_too_long(message):
            return ContextLengthExceededError(said, **limit_and_requested(message))
    return None


def _expired(said: str, wait_s: float | None = None) -> RunnerError:
    return ExpiredCredentialsError(
        said,
        hint="Renew them: `aws sso login` for a profile of IAM Identity Center, new values in AWS_SESSION_TOKEN, or a "
        "new key in AWS_BEARER_TOKEN_BEDROCK. Then run the same command: finished answers are kept.",
    )


def _refused(said: str, wait_s: float | None = None) -> RunnerError:
    return AuthenticationError(said, hint=_KEY)


def _denied(said: str, wait_s: float | None = None) -> RunnerError:
    of_key = re.search(r"API key|authentication failed|bearer token", said, re.I)
    return AuthenticationError(said, forbidden=not of_key, hint=_KEY if of_key else _ACCESS)


def _throttled(said: str, wait_s: float | None = None) -> RunnerError:
    if _DAILY.search(said):
        return QuotaExhaustedError(said, hint="Ask for more in the Service Quotas console, or go on tomorrow.")
    return RateLimitError(said, retry_after_s=wait_s, hint="Use a lower `--concurrency`, or run again later.")


def _unavailable(said: str, wait_s: float | None = None) -> RunnerError:
    return RunnerUnavailableError(said, retry_after_s=wait_s)


def _unknown(said: str, wait_s: float | None = None) -> RunnerError:
    return UnknownModelError(said, hint=f"Check the model id and the region. {_ELSEWHERE}")


_BY_NAME: Mapping[str, Callable[[str, float | None], RunnerError]] = {
    "expiredTokenException": _expired,
    "expiredToken": _expired,
    "requestExpired": _expired,
    "unrecognizedClientException": _refused,
    "invalidClientTokenId": _refused,
    "invalidSignatureException": _refused,
    "signatureDoesNotMatch": _refused,
    "incompleteSignature": _refused,
    "incompleteSignatureException": _refused,
    "missingAuthenticationToken": _refused,
    "missingAuthenticationTokenException": _refused,
    "accessDeniedException": _denied,
    "throttlingException": _throttled,
    "tooManyRequestsException": _throttled,
    "serviceQuotaExceededException": lambda said, wait_s: QuotaExhaustedError(said),
    "modelNotReadyException": _unavailable,
    "serviceUnavailableException": _unavailable,
    "serviceUnavailable": _unavailable,
    "internalDependencyException": _unavailable,
    "modelTimeoutException": lambda said, wait_s: RunnerTimeoutError(said),
    "modelErrorException": lambda said, wait_s: ProviderFaultError(said),
    "modelStreamErrorException": lambda said, wait_s: ProviderFaultError(said),
    "modelStreamError": lambda said, wait_s: ProviderFaultError(said),
    "internalStreamFailure": lambda said, wait_s: ProviderFaultError(said),
    "internalServerException": lambda said, wait_s: ProviderFaultError(said),
    "internalFailure": lambda said, wait_s: ProviderFaultError(said),
    "resourceNotFoundException": _unknown,
    "validationException": lambda said, wait_s: InvalidRequestError(said),
    "validationError": lambda said, wait_s: InvalidRequestError(said),
}
