"""Anthropic's models over InvokeModel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from fieldguide.domain import Completion, CompletionRequest, JsonValue
from fieldguide.runners import anthropic
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.anthropic._request import betas
from fieldguide.runners.bedrock._wire import address, chunk_frames, operation_of

ANTHROPIC_VERSION = "bedrock-2023-05-31"


class AnthropicInvokeWire:
    """One of Anthropic's models over InvokeModel: the Messages API's body, the model in the address."""

    def __init__(self, base_url: str, model: str, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, a bearer key among them."""
        self._base_url, self._model, self._headers = base_url, model, headers

    @property
    def provider(self) -> str:
        """The name of the Messages API's blocks: signatures hold on every platform."""
        return anthropic.PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        url = address(self._base_url, self._model, operation_of(stream=stream))
        return HttpCall(url=url, json=anthropic_body(request), headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return anthropic.parse_completion(text, e2e_latency_s=e2e_latency_s, provider=self.provider)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the events of the Messages API."""
        return chunk_frames(pieces)

    def streamed(self, *, began_s: float) -> anthropic.StreamedAnswer:
        """Return what puts a streamed answer together."""
        return anthropic.StreamedAnswer(began_s=began_s, provider=self.provider)


def anthropic_body(request: CompletionRequest) -> dict[str, JsonValue]:
    """Return the Messages API's body as Bedrock takes it: with its version, and beta features in the body."""
    body = anthropic.request_body(request, model=None, stream=False, provider=anthropic.PROVIDER)
    named = betas(request, anthropic.PROVIDER)
    return {"anthropic_version": ANTHROPIC_VERSION, **({"anthropic_beta": list(named)} if named else {}), **body}
