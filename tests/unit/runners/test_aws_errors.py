"""Errors of Amazon's services: what kind they are, what they say, what to do."""

from __future__ import annotations

import json

import pytest

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
from fieldguide.runners.aws import error_of


def told(status: int, name: str, message: str, **headers: str) -> RunnerError:
    given = {"x-amzn-errortype": f"{name}:http://internal.amazon.com/coral/com.amazon.bedrock/"} if name else {}
    return error_of(status, json.dumps({"message": message}), {**given, **headers})


@pytest.mark.parametrize(
    ("status", "name", "message", "kind", "hint"),
    [
        (403, "ExpiredTokenException", "The security token included in the request is expired",
         ExpiredCredentialsError, "aws sso login"),
        (403, "AccessDeniedException", "Bearer Token has expired", ExpiredCredentialsError, "AWS_BEARER_TOKEN_BEDROCK"),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.",
         AuthenticationError, "AWS_ACCESS_KEY_ID"),
        (403, "InvalidSignatureException", "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
         AuthenticationError, "clock"),
        (403, "InvalidSignatureException", "Credential should be scoped to a valid region.", WrongRegionError,
         "AWS_REGION"),
        (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.",
         AuthenticationError, "Model access"),
        (403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.",
         AuthenticationError, "AWS_BEARER_TOKEN_BEDROCK"),
        (400, "ValidationException", "The provided model identifier is invalid.", UnknownModelError, "AWS_REGION"),
        (404, "ResourceNotFoundException", "Could not resolve the foundation model from the model identifier.",
         UnknownModelError, "AWS_REGION"),
        (400, "ValidationException", "Invocation of model ID x with on-demand throughput isn’t supported. Retry.",
         UnknownModelError, "us."),
        (400, "ValidationException", "The model isn't supported in this region.", WrongRegionError, "us."),
        (429, "ThrottlingException", "Too many requests, please wait before trying again.", RateLimitError,
         "concurrency"),
        (429, "ThrottlingException", "Too many tokens per day, please wait before trying again.", QuotaExhaustedError,
         "Service Quotas"),
        (400, "ServiceQuotaExceededException", "Your quota is used up.", QuotaExhaustedError, None),
        (429, "ModelNotReadyException", "The model is not ready.", RunnerUnavailableError, None),
        (408, "ModelTimeoutException", "The model took too long.", RunnerTimeoutError, None),
        (424, "ModelErrorException", "The model stumbled.", ProviderFaultError, None),
        (500, "InternalServerException", "Oh.", ProviderFaultError, None),
        (503, "ServiceUnavailableException", "Bedrock is unable to process your request.", RunnerUnavailableError,
         None),
        (400, "ValidationException", "The value at messages.0 is empty.", InvalidRequestError, None),
        (400, "ValidationError", "Endpoint my-llama of account 000000000000 not found.", UnknownModelError, "region"),
        (418, "SomethingNewException", "Teapot.", InvalidRequestError, None),
        (429, "", "Slow down.", RateLimitError, None),
    ],
)  # fmt: skip
def test_each_error_is_of_its_kind(
    status: int, name: str, message: str, kind: type[RunnerError], hint: str | None
) -> None:
    """With the service's words and the next step; a refusal by status cost nothing."""
    error = told(status, name, message)
    assert type(error) is kind
    assert message[:40] in error.message
    assert error.refused
    assert hint is None or hint in str(error.hint)


@pytest.mark.parametrize(
    ("message", "limit", "requested"),
    [
        ("Input is too long for requested model.", None, None),
        ("prompt is too long: 205000 tokens > 200000 maximum", 200000, 205000),
        (("The model returned the following errors: input length and `max_tokens` exceed context limit: "
         "190000 + 64000 > 200000, decrease input length"), 200000, 254000),
        ("400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 11000 ",
         8192, 11000),
        ("This model's maximum context length is 8192 tokens. However, you requested 9000 tokens", 8192, 9000),
    ],
)  # fmt: skip
def test_a_context_that_is_exceeded_tells_limit_and_requested(
    message: str, limit: int | None, requested: int | None
) -> None:
    """Where the service tells them."""
    error = told(400, "ValidationException", message)
    assert isinstance(error, ContextLengthExceededError)
    assert (error.limit_tokens, error.requested_tokens) == (limit, requested)


@pytest.mark.parametrize(
    ("original", "status", "kind"),
    [
        (('{"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. '
         'Given: 2000 `inputs` tokens and 100 `max_new_tokens`", "error_type": "validation"}'), 422,
         ContextLengthExceededError),
        ('{"error": "Model is overloaded"}', 429, RateLimitError),
        ("worker died", 500, ProviderFaultError),
    ],
)  # fmt: skip
def test_what_a_container_says_comes_through_its_endpoint(original: str, status: int, kind: type[RunnerError]) -> None:
    """SageMaker wraps it in a `ModelError` with the status 424."""
    body = {
        "Code": None,
        "OriginalStatusCode": status,
        "OriginalMessage": original,
        "Message": f'Received client error ({status}) from primary with message "{original}"',
    }
    error = error_of(424, json.dumps(body), {"x-amzn-errortype": "ModelError"})
    assert type(error) is kind
    if isinstance(error, ContextLengthExceededError):
        assert (error.limit_tokens, error.requested_tokens) == (2048, 2100)


def test_what_was_signed_is_not_repeated() -> None:
    """It holds the session's token."""
    said = "The request signature we calculated does not match. The Canonical String for this request should have been "
    error = told(403, "InvalidSignatureException", f"{said}'POST x-amz-security-token:secret'")
    assert "does not match" in error.message
    assert "secret" not in error.message


def test_no_word_of_a_prompt_decides_and_other_bodies_are_read_as_usual() -> None:
    """A page of a proxy, and an error in OpenAI's form, which mantle answers with."""
    assert type(error_of(502, "<html>Bad gateway</html>", {})) is RunnerUnavailableError
    body = {"error": {"message": "no such model", "code": "model_not_found", "type": "invalid_request_error"}}
    assert type(error_of(404, json.dumps(body), {})) is UnknownModelError
    assert "no such model" in error_of(404, json.dumps(body), {}).message
