"""Errors in the providers' own words, as users reported them, are told apart, with the numbers that are in them.

`provider_errors.jsonl` beside this file has one body a line; a new one is a new line.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide import errors
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._transport import ErrorOf
from fieldguide.runners.anthropic import error_of as of_anthropic
from fieldguide.runners.aws._errors import error_of as of_aws
from fieldguide.runners.cohere._errors import error_of as of_cohere
from fieldguide.runners.gemini._errors import error_of as of_google
from fieldguide.runners.model_studio._errors import error_of as of_model_studio
from fieldguide.runners.ollama import error_of as of_ollama

READERS: dict[str, ErrorOf] = {
    "usual": error_of_status,
    "anthropic": of_anthropic,
    "aws": of_aws,
    "cohere": of_cohere,
    "google": of_google,
    "model-studio": of_model_studio,
    "ollama": of_ollama,
}
LINES = Path(__file__).with_name("provider_errors.jsonl").read_text(encoding="utf-8").splitlines()
CASES: list[dict[str, Any]] = [json.loads(line) for line in LINES]


@pytest.mark.parametrize("case", CASES, ids=[f"{place}-{case['who']}" for place, case in enumerate(CASES, 1)])
def test_an_error_is_of_its_kind_and_keeps_its_numbers(case: dict[str, Any]) -> None:
    """A prompt that is too long with limit and request, a model that is not there, an answer that was withheld."""
    headers = {"x-amzn-errortype": "ValidationException"} if case["read_as"] == "aws" else {}
    error = READERS[case["read_as"]](case["status"], json.dumps(case["body"]), headers)
    assert type(error).__name__ == case["kind"]
    assert error.refused
    if isinstance(error, errors.ContextLengthExceededError):
        assert (error.limit_tokens, error.requested_tokens) == (case["limit"], case["requested"])


@pytest.mark.parametrize(
    "said",
    [
        "Invalid value for 'messages': 'my prompt is too long: 5 tokens > 4 maximum'",
        "Unrecognized tool `the model x does not exist`",
        "max_tokens must be at least 1",
    ],
)
def test_words_that_an_error_quotes_do_not_decide_what_it_is(said: str) -> None:
    """A prompt may hold any words."""
    error = error_of_status(400, json.dumps({"error": {"message": said}}), {})
    assert type(error) is errors.InvalidRequestError
