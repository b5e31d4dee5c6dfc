"""The wire of the Responses API, at OpenAI and wherever else it is spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.openai_responses._request import request_body
from fieldguide.runners.openai_responses._response import StreamedAnswer, parse_completion


class ResponsesWire:
    """One model at one base URL."""

    def __init__(
        self, base_url: str, model: str, *, provider: str, headers: Mapping[str, str], query: str = ""
    ) -> None:
        """`headers` go with every request, the key among them; `query` follows the path, with its `?`."""
        self._url = f"{base_url}/responses{query}"
        self._model, self._provider, self._headers = model, provider, headers

    @property
    def provider(self) -> str:
        """The name under which items and ids of this provider's are kept."""
        return self._provider

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        body = request_body(request, model=self._model, stream=stream, provider=self._provider)
        return HttpCall(url=self._url, json=body, headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s, provider=self._provider)

    async def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events; some servers end with one that is no JSON."""
        async for data in events(pieces):
            if data.strip() == "[DONE]":
                return
            yield data

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s, provider=self._provider)
