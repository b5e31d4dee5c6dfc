"""The wire of the Messages API, at Anthropic and wherever else it is spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Capabilities, Completion, CompletionRequest
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.anthropic._request import betas, request_body
from fieldguide.runners.anthropic._response import StreamedAnswer, parse_completion

PROVIDER = "anthropic"
CAPABILITIES = Capabilities(
    text=False,
    chat=True,
    images=True,
    documents=True,
    tools=True,
    tool_choice=True,
    parallel_tools=True,
    structured_output=True,
    reasoning=True,
    top_k=True,
)


class AnthropicWire:
    """One model at Anthropic's own address."""

    def __init__(self, base_url: str, model: str, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, the key and the version among them."""
        self._base_url, self._model, self._headers = base_url, model, headers

    @property
    def provider(self) -> str:
        """The name of the API's own blocks, wherever it is spoken: signatures hold on every platform."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request; beta features named in its extra parameters go into a header."""
        body = request_body(request, model=self._model, stream=stream, provider=PROVIDER)
        named = betas(request, PROVIDER)
        beta = {"anthropic-beta": ",".join(named)} if named else {}
        return HttpCall(url=f"{self._base_url}/v1/messages", json=body, headers={**self._headers, **beta})

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_completion(text, e2e_latency_s=e2e_latency_s, provider=PROVIDER)

    def unwrapped(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the bytes of the events, out of whatever is around them: here nothing."""
        return pieces

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events."""
        return events(pieces)

    def streamed(self, *, began_s: float) -> StreamedAnswer:
        """Return what puts a streamed answer together."""
        return StreamedAnswer(began_s=began_s, provider=PROVIDER)
