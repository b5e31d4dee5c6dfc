"""A runner without a model: answers come from a function, and faults when you want them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import fields

from fieldguide.domain import (
    Block,
    BlockEnd,
    BlockStart,
    Capabilities,
    Completion,
    CompletionRequest,
    FinishReason,
    Latency,
    Reasoning,
    ResolvedModel,
    StreamPiece,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    kind_of,
)
from fieldguide.errors import FieldguideError
from fieldguide.runners._check import check

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
        capabilities: Capabilities | None = None,
    ) -> None:
        """Answer after `delay_s` seconds; `capabilities`, where they are given, take the place of the flags."""
        self._answer = answer
        self._delay_s = delay_s
        self._model = ResolvedModel(name=name, reference=f"fake:{name}", identity={"provider": "fake", "model": name})
        self._capabilities = capabilities or Capabilities(
            text=text, chat=chat, seed=True, max_concurrency=max_concurrency
        )
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
        if whole.message is None:
            for word in whole.text.split(" "):
                yield TextDelta(text=word)
        else:
            for index, block in enumerate(whole.message.blocks):
                for piece in _pieces(index, block):
                    yield piece
        yield whole

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    def _check(self, request: CompletionRequest) -> None:
        check(request, self._capabilities, subject=self._model.name, provider="fake")


def all_capabilities() -> Capabilities:
    """Return the capabilities of a runner that takes whatever a conversation may hold."""
    others = {"embeddings", "image_generation", "speech_to_text", "text_to_speech"}
    able = {each.name: True for each in fields(Capabilities) if each.type == "bool" and each.name not in others}
    return Capabilities(**able)


def _pieces(index: int, block: Block) -> list[StreamPiece]:
    call = block if isinstance(block, ToolCall) else None
    pieces: list[StreamPiece] = [
        BlockStart(
            index=index,
            kind=kind_of(block),
            call_id=None if call is None else call.call_id,
            name=None if call is None else call.name,
        )
    ]
    if isinstance(block, Text):
        pieces.append(TextDelta(text=block.text, index=index))
    elif isinstance(block, Reasoning) and block.text:
        pieces.append(TextDelta(text=block.text, reasoning=True, index=index))
    elif call is not None:
        pieces.append(ToolCallDelta(index=index, arguments=json.dumps(call.arguments or {})))
    return [*pieces, BlockEnd(index=index, block=block)]


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
