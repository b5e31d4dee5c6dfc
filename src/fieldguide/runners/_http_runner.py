"""A runner over HTTP: what one provider says differently is its wire, and everything else is here."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Protocol

from fieldguide.domain import Capabilities, Completion, CompletionRequest, ResolvedModel, StreamPiece
from fieldguide.runners._check import check
from fieldguide.runners._transport import HttpCall, Received, Transport


class Streamed(Protocol):
    """Puts a streamed answer together."""

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take one frame (the data of an SSE event, a line, ...) and return the pieces in it.

        Raises:
            RunnerError: The frame is an error, or not of the protocol.
        """

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """


class Wire(Protocol):
    """A provider's language: pure functions between our values and its JSON."""

    @property
    def provider(self) -> str:
        """The name under which blocks and data of this provider's own are kept."""

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request as it is to be sent.

        Raises:
            UnsupportedError: It holds something that this provider has no words for.
        """

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body.

        Raises:
            RunnerError: It holds none.
        """

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the frames of a streamed response, each as a text."""

    def streamed(self, *, began_s: float) -> Streamed:
        """Return what puts a streamed answer together, begun at `began_s` (monotonic seconds)."""


class HttpRunner:
    """One model of one provider."""

    def __init__(self, wire: Wire, transport: Transport, *, model: ResolvedModel, capabilities: Capabilities) -> None:
        """Nothing is sent before the first request."""
        self._wire, self._transport = wire, transport
        self._model, self._capabilities = model, capabilities

    @property
    def model(self) -> ResolvedModel:
        """The exact model behind this runner."""
        return self._model

    @property
    def wire(self) -> Wire:
        """The provider's language."""
        return self._wire

    @property
    def provider(self) -> str:
        """Under which blocks and data of its own are kept; `carried` leaves out those of others."""
        return self._wire.provider

    async def whole(self, call: HttpCall) -> Received:
        """Send one call of its provider's, beside those of `complete`, and return what came.

        Raises:
            RunnerError: As for `complete`.
        """
        return await self._transport.whole(call)

    @property
    def capabilities(self) -> Capabilities:
        """What may be asked of it."""
        return self._capabilities

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the whole answer; see `Runner.complete`."""
        received = await self._transport.whole(self._call(request, stream=False))
        return self._completion(received)

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[StreamPiece | Completion, None]:
        """Yield the answer piece by piece; see `Runner.stream`."""
        call = self._call(request, stream=True)
        answer = self._wire.streamed(began_s=time.perf_counter())
        pieces = self._transport.pieces(call)
        try:
            async for data in self._wire.frames(pieces):
                for piece in answer.take(self._transport.hidden(data), now_s=time.perf_counter()):
                    yield piece
        finally:
            await pieces.aclose()
        yield answer.completion(now_s=time.perf_counter())

    async def close(self) -> None:
        """Do nothing: the session is shared and closed by its owner."""

    def _call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        check(request, self._capabilities, subject=self._model.name, provider=self._wire.provider)
        return self._wire.call(request, stream=stream)

    def _completion(self, received: Received) -> Completion:
        return self._wire.completion(received.text, headers=received.headers, e2e_latency_s=received.e2e_latency_s)
