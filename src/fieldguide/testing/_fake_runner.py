"""A runner without a model: answers come from a function, and faults when you want them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from fieldguide.domain import (
    Capabilities,
    Completion,
    CompletionRequest,
    FinishReason,
    Latency,
    ResolvedModel,
    StreamPiece,
    TextDelta,
    Usage,
)
from fieldguide.errors import FieldguideError, UnsupportedError

Answer = str | Completion | FieldguideError


class FakeRunner:
    """Answers every request with what `answer` returns for it; an error that it returns is raised.

    It keeps what it was asked in `requests`, and the most requests that were ever in flight in `most_in_flight`.
    """

    def __init__(
        self,
        answer: Callable[[CompletionRequest], Answer] | Answer = "42",
        *,
        name: str = "fake",
        delay_s: float = 0.0,
        text: bool = True,
        chat: bool = True,
        max_concurrency: int | None = None,
    ) -> None:
        """Answer after `delay_s` seconds."""
        self._answer = answer
        self._delay_s = delay_s
        self._model = ResolvedModel(name=name, reference=f"fake:{name}", identity={"provider": "fake", "model": name})
        self._capabilities = Capabilities(text=text, chat=chat, seed=True, max_concurrency=max_concurrency)
        self._in_flight = 0
        self.requests: list[CompletionRequest] = []
        self.most_in_flight = 0
        self.closed = False

    @property
    def model(self) -> ResolvedModel:
        """A model known by its name alone."""
        return self._model

    @property
    def capabilities(self) -> Capabilities:
        """As given to the constructor."""
        return self._capabilities

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return or raise what the function gives."""
        self._check(request)
        began_s = time.perf_counter()
        self.requests.append(request)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self._delay_s)
            answer = self._answer(request) if callable(self._answer) else self._answer
        finally:
            self._in_flight -= 1
        if isinstance(answer, FieldguideError):
            raise answer
        if isinstance(answer, Completion):
            return answer
        return _completion(request, answer, time.perf_counter() - began_s)

    async def stream(self, request: CompletionRequest) -> AsyncIterator[StreamPiece | Completion]:
        """Yield the answer word by word and then whole."""
        whole = await self.complete(request)
        for word in whole.text.split(" "):
            yield TextDelta(text=word)
        yield whole

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _check(self, request: CompletionRequest) -> None:
        if request.prompt is not None and not self._capabilities.text:
            raise UnsupportedError(self._model.name, "continuing plain text")
        if request.messages is not None and not self._capabilities.chat:
            raise UnsupportedError(self._model.name, "conversations")


def _completion(request: CompletionRequest, text: str, seconds: float) -> Completion:
    asked = request.prompt or " ".join(message.text for message in request.messages or ())
    return Completion(
        text=text,
        finish_reason=FinishReason.STOP,
        raw_finish_reason="stop",
        usage=Usage(input_tokens=len(asked.split()), output_tokens=len(text.split())),
        latency=Latency(e2e_latency_s=seconds),
        model="fake",
        raw=text,
    )
