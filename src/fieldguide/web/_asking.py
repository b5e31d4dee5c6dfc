"""Ask: one model, or two side by side; as a plain form, or streamed where a script of ours is allowed to run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from fieldguide.app.ask_beside import AnswerBeside, ask_beside, beside_json
from fieldguide.app.references import as_decimal
from fieldguide.app.wiring import House
from fieldguide.domain import CompletionRequest, Message, TextDelta
from fieldguide.errors import UsageError
from fieldguide.web._page import Asked, Page, Shown

_FIELDS = ("model", "other", "prompt", "system", "max_output_tokens", "temperature")
_MOST_TOKENS = 512


def _ask(asked: Asked) -> Shown:
    return asked_page({field: asked.text(field) for field in _FIELDS}, None)


def asked_page(form: Mapping[str, str], answers: list[dict[str, Any]] | None) -> Shown:
    """Return the page with its fields filled in, and the answers where there are some."""
    return Shown(
        title="Ask",
        context={"search": {field: form.get(field, "") for field in _FIELDS}, "answers": answers},
    )


def read_question(form: Mapping[str, str]) -> tuple[list[str], CompletionRequest]:
    """Return the models and the request of a form.

    Raises:
        UsageError: No model or no question, or a figure that is none.
    """
    models = [name.strip() for name in (form.get("model", ""), form.get("other", "")) if name.strip()]
    if not models:
        raise UsageError("No model is named.", hint="Such as smollm2-135m-instruct, or http://127.0.0.1:8099/v1#MODEL.")
    if not form.get("prompt", "").strip():
        raise UsageError("There is no question.", hint="Go back and write one.")
    most = form.get("max_output_tokens", "").strip() or str(_MOST_TOKENS)
    if not most.isdecimal() or not 0 < int(most) <= 1_000_000:
        raise UsageError(f"max_output_tokens takes a whole number above 0, not {most!r}.", hint="Such as 512.")
    heat = as_decimal(form.get("temperature", "").strip() or None, "temperature")
    system = form.get("system", "").strip()
    turns = (Message(role="system", content=system),) if system else ()
    request = CompletionRequest(
        messages=(*turns, Message(role="user", content=form["prompt"])),
        max_output_tokens=int(most),
        temperature=None if heat is None else float(heat),
    )
    return models, request


async def answered(house: House, form: Mapping[str, str]) -> list[dict[str, Any]]:
    """Ask, and return the answers when all are whole."""
    models, request = read_question(form)
    answers = await ask_beside(house, models, request, told=lambda *_: None, noted=lambda *_: None)
    return [beside_json(each) for each in answers]


async def stream_answers(house: House, form: Mapping[str, str], response: web.StreamResponse) -> None:
    """Ask, and write each piece as it comes as an event of a stream; whoever goes away ends the asking."""
    models, request = read_question(form)
    events: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()

    def told(place: int, piece: TextDelta) -> None:
        events.put_nowait(("piece", {"place": place, "text": piece.text, "reasoning": piece.reasoning}))

    def noted(place: int, text: str) -> None:
        events.put_nowait(("note", {"place": place, "text": text}))

    async def work() -> tuple[AnswerBeside, ...]:
        try:
            return await ask_beside(house, models, request, told=told, noted=noted)
        finally:
            events.put_nowait(None)

    asking = asyncio.ensure_future(work())
    try:
        while (event := await events.get()) is not None:
            await _send(response, *event)
        for place, answer in enumerate(await asking):
            await _send(response, "answer", {"place": place, **beside_json(answer)})
    finally:
        asking.cancel()


async def _send(response: web.StreamResponse, name: str, held: dict[str, Any]) -> None:
    await response.write(f"event: {name}\ndata: {json.dumps(held)}\n\n".encode())


ASK = Page(
    name="ask",
    path="/ask",
    template="ask.html.j2",
    about="One question to one model or to two side by side. Only a POST with the page's own token asks.",
    make=_ask,
    keys={
        "search": "the fields as they were filled in",
        "answers": "null until the form is sent; then each answer with tokens, seconds, speed and cost",
    },
    fields={
        "model": "a model, as `fieldguide ask` takes it",
        "other": "another beside it",
        "prompt": "the question",
        "system": "what the model is told beforehand",
        "max_output_tokens": "most tokens of the answer (512)",
        "temperature": "of sampling (the model's own)",
    },
    nav="Ask",
)
