"""A runner over HTTP: what one provider says differently is its wire, and everything else is here."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Protocol, runtime_checkable

from fieldguide.domain import Capabilities, Completion, CompletionRequest, Latency, ResolvedModel, StreamPiece, Usage
from fieldguide.errors import RunnerError, UnsupportedError
from fieldguide.runners._check import check
from fieldguide.runners._sse import EventReader
from fieldguide.runners._transport import HttpCall, Received, Transport

_MOST_HELD_BYTES = 64 * 1024


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


class Tap(Protocol):
    """Reads along while a stream is passed on to a client that speaks the provider's own language."""

    @property
    def seen(self) -> int:
        """Characters of the answer that have come."""

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has come, beyond the word that one is coming."""

    @property
    def done(self) -> bool:
        """Whether the provider has said that all was sent."""

    def take(self, data: str, *, at_s: float) -> bytes:
        """Take the data of one event, and return what the client gets of it.

        Raises:
            RunnerError: The event is an error, or not of the protocol.
        """

    def end(self, *, at_s: float) -> tuple[Usage, Latency]:
        """Return what the answer cost and how long it took, once the stream has ended.

        Raises:
            ResponseFormatError: It ended without saying why, as one does that was cut.
        """


@runtime_checkable
class SendsEvents(Protocol):
    """A wire whose streams are server-sent events, perhaps with something around them."""

    def unwrapped(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the bytes of the events."""


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

    async def relay_whole(
        self, request: CompletionRequest, usage_in: Callable[[str], Usage]
    ) -> tuple[bytes, Usage, Latency]:
        """Return the whole answer as its provider wrote it, what it cost by `usage_in`, and how long it took.

        Raises:
            RunnerError: As for `complete`.
        """
        received = await self._transport.whole(self._call(request, stream=False))
        text = received.text
        return text.encode("utf-8", "replace"), usage_in(text), Latency(e2e_latency_s=received.e2e_latency_s)

    async def relay(self, request: CompletionRequest, tap: Tap) -> AsyncGenerator[bytes | tuple[Usage, Latency], None]:
        """Yield the answer in the provider's own events, as they come, and last what it cost and how long it took.

        Keys are hidden and faults are told as in `stream`; nothing is put together, so that next to nothing is kept.
        What comes before the answer itself is held back until that has begun: a fault until then can be mended by
        asking again.

        Raises:
            RunnerError: As for `stream`.
            UnsupportedError: This provider's streams are no events.
        """
        wire = self._wire
        if not isinstance(wire, SendsEvents):
            raise UnsupportedError(self._model.name, "passing its events on")
        call = self._call(request, stream=True)
        began_s = time.perf_counter()
        reader, told, fault = EventReader(), bytearray(), None
        pieces = self._transport.pieces(call, done=lambda: tap.done)
        try:
            async for piece in wire.unwrapped(pieces):
                at_s = time.perf_counter() - began_s
                try:
                    for data in reader.take(piece):
                        told += tap.take(self._transport.hidden(data), at_s=at_s)
                except RunnerError as error:
                    fault = error
                if told and (tap.begun or len(told) > _MOST_HELD_BYTES):
                    yield bytes(told)
                    told.clear()
                if fault is not None:
                    raise fault
        finally:
            await pieces.aclose()
        yield tap.end(at_s=time.perf_counter() - began_s)

    async def close(self) -> None:
        """Do nothing: the session is shared and closed by its owner."""

    def _call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        check(request, self._capabilities, subject=self._model.name, provider=self._wire.provider)
        return self._wire.call(request, stream=stream)

    def _completion(self, received: Received) -> Completion:
        return self._wire.completion(received.text, headers=received.headers, e2e_latency_s=received.e2e_latency_s)
