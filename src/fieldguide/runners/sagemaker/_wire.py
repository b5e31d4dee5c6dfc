"""The wires of SageMaker's endpoints: whatever their containers speak, in its envelope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.runners._http_runner import Streamed
from fieldguide.runners._sse import lines
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.aws import events_of
from fieldguide.runners.openai_chat._dialect import Dialect
from fieldguide.runners.openai_chat._wire import ChatWire
from fieldguide.runners.sagemaker._inputs import PROVIDER, StreamedText, inputs_body, parse_generated


def address(base_url: str, endpoint: str, *, stream: bool) -> str:
    """Return the address of an endpoint."""
    return f"{base_url}/endpoints/{quote(endpoint, safe='')}/invocations" + ("-response-stream" if stream else "")


async def payload_parts(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what the container itself sends, out of the event stream around it."""
    async for event in events_of(pieces):
        if event.name == "PayloadPart":
            yield event.payload


class ChatEndpointWire(ChatWire):
    """An endpoint whose container speaks OpenAI's chat completions (LMI, vLLM, TGI)."""

    def __init__(
        self, base_url: str, endpoint: str, model: str, dialect: Dialect, *, headers: Mapping[str, str]
    ) -> None:
        """`model` is what the body names; `headers` go with every request."""
        super().__init__("", model, dialect, headers=headers)
        self._address, self._endpoint = base_url, endpoint

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        return replace(super().call(request, stream=stream), url=address(self._address, self._endpoint, stream=stream))

    def unwrapped(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield what the container sends."""
        return payload_parts(pieces)


class InputsWire:
    """An endpoint whose container takes `inputs` and `parameters`."""

    def __init__(self, base_url: str, endpoint: str, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request."""
        self._base_url, self._endpoint, self._headers = base_url, endpoint, headers

    @property
    def provider(self) -> str:
        """The name under which further parameters are found."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        url = address(self._base_url, self._endpoint, stream=stream)
        return HttpCall(url=url, json=inputs_body(request, stream=stream), headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_generated(text, e2e_latency_s=e2e_latency_s)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the container's lines, events or not."""
        return lines(payload_parts(pieces))

    def streamed(self, *, began_s: float) -> Streamed:
        """Return what puts a streamed answer together."""
        return StreamedText(began_s=began_s)
