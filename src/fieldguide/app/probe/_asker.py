"""Asks a model what the checks need, greedily, and remembers every answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fieldguide.domain import Completion, CompletionRequest, Message, TextDelta
from fieldguide.runners import Runner

ANSWER_TOKENS = 64


def asked(words: str, *, system: str | None = None, **options: Any) -> CompletionRequest:
    """Return a greedy request."""
    messages = ([Message(role="system", content=system)] if system else []) + [Message(role="user", content=words)]
    return CompletionRequest(
        messages=tuple(messages), **{"max_output_tokens": ANSWER_TOKENS, "temperature": 0.0, **options}
    )


@dataclass(slots=True)
class Asker:
    """One model under examination."""

    runner: Runner
    answers: list[Completion] = field(default_factory=list)
    """All answers so far."""

    async def ask(self, words: str, *, system: str | None = None, **options: Any) -> Completion:
        """Return a greedy answer."""
        return await self.send(asked(words, system=system, **options))

    async def send(self, request: CompletionRequest) -> Completion:
        """Return the answer to a request."""
        completion = await self.runner.complete(request)
        self.answers.append(completion)
        return completion

    async def streamed(self, request: CompletionRequest) -> tuple[Completion, str]:
        """Return a streamed answer and the words of its pieces, put together."""
        words: list[str] = []
        async for piece in self.runner.stream(request):
            if isinstance(piece, Completion):
                self.answers.append(piece)
                return piece, "".join(words)
            if isinstance(piece, TextDelta) and not piece.reasoning:
                words.append(piece.text)
        raise AssertionError("a stream ends with its completion or an error")
