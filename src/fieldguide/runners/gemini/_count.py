"""How many tokens a request would be read as."""

from __future__ import annotations

from fieldguide.domain import CompletionRequest, JsonValue
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._json import count_of, parse_object
from fieldguide.runners.gemini._errors import error_in
from fieldguide.runners.gemini._request import request_body


def counting_body(request: CompletionRequest, *, model: str, provider: str) -> dict[str, JsonValue]:
    """Return the body of `countTokens`, with the whole request within it."""
    return {"generateContentRequest": {"model": model, **request_body(request, model=model, provider=provider)}}


def parse_count(text: str) -> int:
    """Return the count of a response body; none is left out of Google's JSON.

    Raises:
        ResponseFormatError: It holds something else.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in(body)
    count = count_of(body.get("totalTokens", 0))
    if count is None:
        raise ResponseFormatError("The endpoint answered without a count of tokens.")
    return count
