"""The wire of `generateContent`, at the Gemini API and at Vertex AI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Capabilities, Completion, CompletionRequest
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import object_of
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.gemini._content import API
from fieldguide.runners.gemini._request import request_body
from fieldguide.runners.gemini._response import StreamedAnswer, parse_completion

CAPABILITIES = Capabilities(
    text=False,
    chat=True,
    seed=True,
    images=True,
    audio=True,
    video=True,
    documents=True,
    tools=True,
    tool_choice=True,
    json_object=True,
    structured_output=True,
    reasoning=True,
    logprobs=True,
    top_k=True,
    penalties=True,
    embeddings=True,
    image_generation=True,
    text_to_speech=True,
)


class GeminiWire:
    """One model at one address."""

    def __init__(self, model_url: str, model: str, *, provider: str, headers: Mapping[str, str]) -> None:
        """`model_url` is what stands before the colon and the method; `headers` go with every request."""
        self._model_url, self._model, self._provider, self._headers = model_url, model, provider, headers

    @property
    def provider(self) -> str:
        """The name of its own blocks: `gemini` or `vertex`."""
        return self._provider

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request; the method in its address says whether the answer is streamed."""
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        body = request_body(request, model=self._model, provider=self._provider)
        if stream and object_of(body.get("generationConfig")).get("candidateCount") not in (None, 1):
            raise UnsupportedError(API, "several answers in one stream", hint="Leave `candidateCount` out.")
        return HttpCall(url=f"{self._model_url}:{method}", json=body, headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s, provider=self._provider)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events."""
        return events(pieces)

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s, provider=self._provider)
