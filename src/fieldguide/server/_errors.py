"""Errors to statuses, and to the form in which each client expects them. One place decides what a client may read."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from fieldguide import errors
from fieldguide.server._message import Reply

Shape: TypeAlias = Literal["openai", "anthropic", "ollama"]


class RequestError(errors.UsageError):
    """A request that cannot be read.

    Attributes:
        status: HTTP status.
        param: The field at fault; None where it is not one field.
        allow: The methods that a path takes, where another was used.
    """

    def __init__(self, message: str, *, param: str | None = None, status: int = 400, allow: str | None = None) -> None:
        self.param, self.status, self.allow = param, status, allow
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """How a class of errors is told."""

    status: int
    code: str
    shown: bool = True
    """Whether the client reads the message. Where it may hold paths, keys or addresses of ours it does not."""
    said: str = "The gateway could not do this."
    """What it reads otherwise."""


_OURS = "The gateway cannot do this now; whoever runs it finds the reason under the request's id."
_UPSTREAM_KEY = "The provider behind the gateway does not accept the gateway's own credentials."
RULES: dict[type[errors.FieldguideError], _Rule] = {
    errors.FieldguideError: _Rule(status=500, code="server_error", shown=False, said=_OURS),
    errors.UsageError: _Rule(status=400, code="invalid_request"),
    errors.UnknownNameError: _Rule(status=404, code="not_found", shown=False, said="There is no such thing here."),
    errors.UnsupportedError: _Rule(status=400, code="unsupported"),
    errors.SettingsError: _Rule(status=500, code="server_error", shown=False, said=_OURS),
    errors.InputFileError: _Rule(status=503, code="model_unavailable", shown=False, said=_OURS),
    errors.LicenceNotAcceptedError: _Rule(status=503, code="model_unavailable", shown=False, said=_OURS),
    errors.CatalogueError: _Rule(status=500, code="server_error", shown=False, said=_OURS),
    errors.SourceError: _Rule(status=503, code="model_unavailable", shown=False, said=_OURS),
    errors.NotFoundError: _Rule(status=404, code="not_found", shown=False, said="What was asked for is not there."),
    errors.RunnerError: _Rule(status=502, code="upstream_error"),
    errors.MissingDependencyError: _Rule(status=503, code="model_unavailable", shown=False, said=_OURS),
    errors.AuthenticationError: _Rule(status=502, code="upstream_credentials", shown=False, said=_UPSTREAM_KEY),
    errors.QuotaExhaustedError: _Rule(status=429, code="insufficient_quota"),
    errors.RateLimitError: _Rule(status=429, code="rate_limit_exceeded"),
    errors.RunnerTimeoutError: _Rule(status=504, code="timeout"),
    errors.RunnerUnavailableError: _Rule(status=503, code="upstream_unavailable"),
    errors.ProviderFaultError: _Rule(status=502, code="upstream_error"),
    errors.ContextLengthExceededError: _Rule(status=400, code="context_length_exceeded"),
    errors.ContentFilterError: _Rule(status=400, code="content_filter"),
    errors.ResponseFormatError: _Rule(status=502, code="upstream_error"),
    errors.InvalidRequestError: _Rule(status=400, code="invalid_request"),
    errors.UnknownModelError: _Rule(status=404, code="model_not_found"),
    errors.WrongRegionError: _Rule(status=404, code="model_not_found"),
    errors.ModelLoadError: _Rule(status=503, code="model_unavailable", shown=False, said=_OURS),
    errors.BenchmarkError: _Rule(status=500, code="server_error", shown=False, said=_OURS),
    errors.BudgetExceededError: _Rule(status=429, code="insufficient_quota"),
    errors.AccessError: _Rule(status=403, code="forbidden"),
    errors.InvalidKeyError: _Rule(status=401, code="invalid_api_key"),
    errors.ForbiddenError: _Rule(status=403, code="forbidden"),
    errors.KeyLimitError: _Rule(status=429, code="rate_limit_exceeded"),
    errors.OverloadedError: _Rule(status=503, code="overloaded"),
    errors.StoreError: _Rule(status=503, code="server_error", shown=False, said=_OURS),
}
"""The rule of each branch of the error tree; a class takes that of its nearest ancestor here."""

_OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}
_ADDRESS = re.compile(r"\bhttps?://[^\s'\"`]+", re.I)
_SECRET = re.compile(
    r"\b(?:sk|rk|pk|hf|gsk|xai|r8|AKIA|AIza|ghp|glpat)[-_]?[\w.-]{12,}|(?<=Bearer )\S+|(?<=key=)[^&\s]+", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An error as a client is told of it."""

    status: int
    code: str
    message: str
    param: str | None
    wait_s: float | None
    retry: bool
    """Whether the client's library should try again by itself."""


def told(error: BaseException) -> Told:
    """Return how a client is told of an error; of one that nobody foresaw it learns nothing."""
    if not isinstance(error, errors.FieldguideError):
        error = errors.FieldguideError(_OURS)
    rule = next(RULES[ancestor] for ancestor in type(error).__mro__ if ancestor in RULES)
    message = rule.said
    if rule.shown:
        own = isinstance(error, errors.UsageError | errors.AccessError | errors.BudgetExceededError)
        hint = f" {error.hint}" if own and error.hint and error.hint != errors.UsageError.default_hint else ""
        message = redacted(_ADDRESS.sub("the upstream", f"{error.message}{hint}"))
    status = error.status if isinstance(error, RequestError) else rule.status
    retryable = error.retryable and not isinstance(error, errors.BudgetExceededError)
    return Told(
        status=status,
        code=rule.code,
        message=message,
        param=getattr(error, "param", None),
        wait_s=getattr(error, "retry_after_s", None),
        retry=retryable,
    )


def redacted(text: str) -> str:
    """Return a text without what looks like a secret, for clients and logs alike."""
    return _SECRET.sub("***", text)


def error_body(told_: Told, shape: Shape, request_id: str) -> bytes:
    """Return the body of an error in a client's own form."""
    return json.dumps(error_value(told_, shape, request_id), separators=(",", ":")).encode()


def error_value(told_: Told, shape: Shape, request_id: str) -> dict[str, object]:
    """Return an error in a client's own form."""
    if shape == "ollama":
        return {"error": told_.message}
    if shape == "anthropic":
        kind = _ANTHROPIC_TYPES.get(told_.status, "api_error" if told_.status >= 500 else "invalid_request_error")
        return {"type": "error", "error": {"type": kind, "message": told_.message}, "request_id": request_id}
    kind = _OPENAI_TYPES.get(told_.status, "server_error" if told_.status >= 500 else "invalid_request_error")
    kind = "insufficient_quota" if told_.code == "insufficient_quota" else kind
    return {"error": {"message": told_.message, "type": kind, "param": told_.param, "code": told_.code}}


def error_reply(error: BaseException, shape: Shape, request_id: str) -> Reply:
    """Return the reply that tells of an error."""
    how = told(error)
    headers = {"x-request-id": request_id, "request-id": request_id, "x-should-retry": str(how.retry).lower()}
    if how.wait_s is not None:
        headers["retry-after"] = str(math.ceil(how.wait_s))
    if how.status == 405 and (allow := getattr(error, "allow", None)):
        headers["allow"] = allow
    if how.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Reply(status=how.status, body=error_body(how, shape, request_id), headers=headers)
