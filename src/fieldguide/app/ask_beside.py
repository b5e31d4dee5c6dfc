"""Ask one question of several models at once, with what each answer took and cost beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fieldguide.app.evaluate import known_price
from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.wiring import House
from fieldguide.domain import Completion, CompletionRequest, TextDelta
from fieldguide.errors import FieldguideError, ResponseFormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBeside:
    """What came of one model."""

    asked: str
    """The reference as it was given."""
    name: str | None
    """None where it could not be opened."""
    took: str | None
    completion: Completion | None
    cost_usd: Decimal | None
    """None where the price or a count is not known; 0 for a model on this machine."""
    error: FieldguideError | None


Told = Callable[[int, TextDelta], None]
"""Told of each piece and of the place of the model whose it is."""
Noted = Callable[[int, str], None]
"""Told what slow thing is done for the model at a place."""


async def ask_beside(
    house: House, references: Sequence[str], request: CompletionRequest, *, told: Told, noted: Noted
) -> tuple[AnswerBeside, ...]:
    """Ask every model at the same time and return all answers; one that fails does not hold the others up."""
    return tuple(
        await asyncio.gather(
            *(_one(house, place, reference, request, told, noted) for place, reference in enumerate(references))
        )
    )


def beside_json(answer: AnswerBeside) -> dict[str, Any]:
    """Return an answer as programs read it; unknown is null."""
    made, error = answer.completion, answer.error
    usage, latency = (None, None) if made is None else (made.usage, made.latency)
    return {
        "asked": answer.asked,
        "model": answer.name,
        "took": answer.took,
        "text": None if made is None else made.text,
        "reasoning": None if made is None else made.reasoning,
        "finish_reason": None if made is None else made.finish_reason.value,
        "usage": None if usage is None else {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "ttft_s": None if latency is None else latency.ttft_s,
        "e2e_latency_s": None if latency is None else latency.e2e_latency_s,
        "decode_tokens_per_s": None if made is None else _decode_tokens_per_s(made),
        "cost_usd": None if answer.cost_usd is None else float(answer.cost_usd),
        "error": None if error is None else {"message": error.message, "hint": error.hint},
    }


async def _one(
    house: House, place: int, reference: str, request: CompletionRequest, told: Told, noted: Noted
) -> AnswerBeside:
    opened: OpenedModel | None = None
    completion, cost, fault = None, None, None
    loop = asyncio.get_running_loop()

    def note(text: str) -> None:
        loop.call_soon_threadsafe(noted, place, text)  # fetching and loading are told from a thread of their own

    options = ModelOptions(note=note)
    try:
        opened = await open_model(house, reference, options)
        try:
            completion = await _streamed(opened, request, place, told)
        finally:
            await opened.runner.close()
        cost = await asyncio.to_thread(_cost, house, opened, completion)
    except FieldguideError as error:
        fault = error
    return AnswerBeside(
        asked=reference,
        name=None if opened is None else opened.runner.model.name,
        took=None if opened is None else opened.took,
        completion=completion,
        cost_usd=cost,
        error=fault,
    )


async def _streamed(opened: OpenedModel, request: CompletionRequest, place: int, told: Told) -> Completion:
    async for piece in opened.runner.stream(request):
        if isinstance(piece, Completion):
            return piece
        if isinstance(piece, TextDelta):
            told(place, piece)
    raise ResponseFormatError("The answer broke off before its end.")


def _cost(house: House, opened: OpenedModel, completion: Completion) -> Decimal | None:
    if opened.free:
        return Decimal(0)
    known = known_price(house, opened)
    return None if known is None else known.cost_of(completion.usage)


def _decode_tokens_per_s(made: Completion) -> float | None:
    """Return the rate after the first token; None where the answer did not come as a stream or was not counted."""
    first, whole, tokens = made.latency.ttft_s, made.latency.e2e_latency_s, made.usage.output_tokens
    if first is None or whole is None or tokens is None or tokens < 2 or whole <= first:
        return None
    return (tokens - 1) / (whole - first)
