"""The wire of Ollama's own API: JSON bodies, and streams of one JSON object a line."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.errors import ContextLengthExceededError, RunnerError, UnknownModelError
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._sse import lines
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.ollama._messages import PROVIDER
from fieldguide.runners.ollama._request import request_body
from fieldguide.runners.ollama._response import StreamedAnswer, parse_completion

_NO_MODEL = re.compile(r"model .*not found|pulling it first", re.I)
_TOO_LONG = re.compile(r"(?:input|prompt|request)[^.]{0,40}(?:exceeds|too long|longer)[^.]{0,40}context", re.I)


class OllamaWire:
    """One model of one server."""

    def __init__(
        self, base_url: str, model: str, *, headers: Mapping[str, str], context_tokens: int | None = None
    ) -> None:
        """`headers` go with every request; `context_tokens` is asked for with each, None leaves it to the server."""
        self.base_url, self.model, self.headers = base_url, model, headers
        self._context_tokens = context_tokens

    @property
    def provider(self) -> str:
        """Ollama's name."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request: conversations to /api/chat, plain texts to /api/generate."""
        path = "/api/chat" if request.prompt is None else "/api/generate"
        body = request_body(request, model=self.model, stream=stream, context_tokens=self._context_tokens)
        return HttpCall(url=self.base_url + path, json=body, headers=self.headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the lines."""
        return lines(pieces)

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s)


def error_of(status: int, text: str, headers: Mapping[str, str]) -> RunnerError:
    """Return the error of a response; Ollama says in words alone that a model is missing or a prompt too long."""
    error = error_of_status(status, text, headers)
    if status == 404 and _NO_MODEL.search(error.message):
        found: RunnerError = UnknownModelError(error.message, hint="Get it first: ollama pull MODEL.")
    elif status == 400 and _TOO_LONG.search(error.message):
        found = ContextLengthExceededError(error.message)
    else:
        return error
    found.refused = error.refused
    return found
