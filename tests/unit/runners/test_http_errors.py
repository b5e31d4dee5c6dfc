"""Statuses and error bodies of real providers become the errors that the engine acts on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from fieldguide import errors
from fieldguide.runners._http_errors import error_of_status, retry_after_s

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ("-3", 0.0),
        ("1000000000", 1e9),
        ("Mon, 23 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str, expected: float | None) -> None:
    """Seconds, an HTTP date, a date gone by; what cannot be read is unknown."""
    assert retry_after_s({"Retry-After": value}, now=NOW) == expected


OPENAI_QUOTA = {
    "error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}
}
OPENAI_CONTEXT = {
    "error": {
        "message": "This model's maximum context length is 4097 tokens. However, you asked for more: resulted in 5000.",
        "type": "invalid_request_error",
        "code": "context_length_exceeded",
    }
}
LLAMA_CONTEXT = {
    "error": {
        "code": 400,
        "message": "too large",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 900,
        "n_ctx": 512,
    }
}
AZURE_FILTER = {
    "error": {"message": "filtered", "code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}
}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"message": "Incorrect API key"}}, errors.AuthenticationError),
        (403, {"message": "forbidden"}, errors.AuthenticationError),
        (402, {"error": "pay"}, errors.QuotaExhaustedError),
        (429, OPENAI_QUOTA, errors.QuotaExhaustedError),
        (429, {"error": {"message": "Rate limit reached"}}, errors.RateLimitError),
        (404, {"error": {"message": "The model `x` does not exist"}}, errors.UnknownModelError),
        (400, OPENAI_CONTEXT, errors.ContextLengthExceededError),
        (400, LLAMA_CONTEXT, errors.ContextLengthExceededError),
        (400, AZURE_FILTER, errors.ContentFilterError),
        (400, {"error": {"message": "bad"}}, errors.InvalidRequestError),
        (408, {}, errors.RunnerTimeoutError),
        (500, {"error": {"message": "oops"}}, errors.ProviderFaultError),
        (503, {"error": {"message": "oops"}}, errors.RunnerUnavailableError),
        (
            429,
            {"error": {"message": "Request too large for gpt-4 on tokens per min (TPM): Limit 10, Requested 12"}},
            errors.ContextLengthExceededError,
        ),
        (
            529,
            {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
            errors.RunnerUnavailableError,
        ),
        (301, {}, errors.InvalidRequestError),
    ],
)
def test_each_kind_of_refusal_has_its_error(status: int, body: object, kind: type[errors.RunnerError]) -> None:
    """The words of the body go before the status."""
    assert type(error_of_status(status, json.dumps(body), {})) is kind


def test_numbers_of_a_full_context_are_kept() -> None:
    """Limit and requested tokens are read from fields or from the sentence."""
    for body, expected in ((OPENAI_CONTEXT, (4097, 5000)), (LLAMA_CONTEXT, (512, 900))):
        error = error_of_status(400, json.dumps(body), {})
        assert isinstance(error, errors.ContextLengthExceededError)
        assert (error.limit_tokens, error.requested_tokens) == expected


def test_a_number_without_end_is_no_limit() -> None:
    """Thousands of digits in an error are not taken for a context length."""
    body = {"error": {"message": "maximum context length is " + "9" * 5000, "code": "context_length_exceeded"}}
    error = error_of_status(400, json.dumps(body), {})
    assert isinstance(error, errors.ContextLengthExceededError)
    assert error.limit_tokens is None


def test_a_page_of_html_is_told_in_plain_words() -> None:
    """A gateway's error page loses its tags and its length."""
    error = error_of_status(502, "<html><body><h1>502 Bad\n Gateway</h1>" + "x" * 5000, {"Retry-After": "3"})
    assert isinstance(error, errors.RunnerUnavailableError)
    assert "502 Bad Gateway" in error.message
    assert "<" not in error.message
    assert len(error.message) < 400
    assert error.retry_after_s == 3.0
