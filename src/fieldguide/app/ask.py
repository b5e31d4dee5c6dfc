"""Ask a model one question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.wiring import House
from fieldguide.domain import Completion, CompletionRequest, Message, ResolvedModel, TextDelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said, and who it was."""

    model: ResolvedModel
    completion: Completion
    took: str | None
    """For a bare name: which place it was resolved to."""


async def ask(
    house: House,
    reference: str,
    request: CompletionRequest,
    options: ModelOptions,
    *,
    told: Callable[[TextDelta], None] | None = None,
) -> Answer:
    """Open a model, ask it, tell of each piece as it comes, and return the whole answer.

    Raises:
        FieldguideError: The model cannot be opened or asked.
    """
    opened = await open_model(house, reference, options)
    try:
        completion = await _streamed(opened, request, told)
    finally:
        await opened.runner.close()
    return Answer(model=opened.runner.model, completion=completion, took=opened.took)


async def _streamed(
    opened: OpenedModel, request: CompletionRequest, told: Callable[[TextDelta], None] | None
) -> Completion:
    if told is None:
        return await opened.runner.complete(request)
    async for piece in opened.runner.stream(request):
        if isinstance(piece, Completion):
            return piece
        if isinstance(piece, TextDelta):
            told(piece)
    raise AssertionError("a stream ends with its completion or an error")


def question(
    prompt: str, *, system: str | None, text: bool, max_output_tokens: int, temperature: float | None
) -> CompletionRequest:
    """Return the request of one question, or of a text to continue (`text`)."""
    if text:
        return CompletionRequest(prompt=prompt, max_output_tokens=max_output_tokens, temperature=temperature)
    messages = ([Message(role="system", content=system)] if system else []) + [Message(role="user", content=prompt)]
    return CompletionRequest(messages=tuple(messages), max_output_tokens=max_output_tokens, temperature=temperature)
