"""Say something to several models at once, each in a conversation of its own that is kept, with what it took."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

from fieldguide.app.ask import round_json
from fieldguide.app.references import OpenedModel
from fieldguide.app.talk import Asking, Reply, Talk
from fieldguide.app.talk_records import TalkRecords, conversation_json
from fieldguide.app.tools import Called, Toolbox
from fieldguide.app.wiring import House
from fieldguide.domain import Completion, Message, TextDelta
from fieldguide.errors import FieldguideError, UnknownNameError
from fieldguide.store import Conversation

Lend: TypeAlias = Callable[[str, Callable[[str], None]], AbstractAsyncContextManager[OpenedModel]]
"""Opens the model of a reference, or gives one that is open, and tells what slow thing is done meanwhile."""
Told: TypeAlias = Callable[[int, TextDelta], None]
"""Told of each piece of text and of the place of the model whose it is."""
Noted: TypeAlias = Callable[[int, str], None]
"""Told what slow thing is done for the model at a place, a call of a tool among them."""
Answered: TypeAlias = "Callable[[int, AnswerBeside], None]"
"""Told of each answer as soon as it is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the models and the conversation that it goes on with."""

    reference: str
    conversation_id: int | None = None
    """None begins one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What is said to every side."""

    message: Message
    asking: Asking
    system: str | None = None
    """Stands first in a conversation that begins."""
    tools: tuple[str, ...] = ()
    """Built-in tools, by name."""
    owner: str | None = None
    """Id of the key under which the conversations are held; None for whoever has this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerBeside:
    """What came of one model."""

    asked: str
    """The reference as it was given."""
    name: str | None
    """None where it could not be opened."""
    took: str | None
    reply: Reply | None
    conversation_id: int | None
    left_out: tuple[str, ...]
    """What of the conversation this model could not be given."""
    error: FieldguideError | None


async def ask_beside(
    house: House,
    lend: Lend,
    sides: Sequence[Side],
    saying: Saying,
    *,
    told: Told,
    noted: Noted,
    answered: Answered = lambda place, answer: None,
    stop: asyncio.Event | None = None,
) -> tuple[AnswerBeside, ...]:
    """Ask every model at the same time and return all answers; one that fails does not hold the others up.

    Once `stop` is set, or when it is cancelled, what had come is kept as answers that were stopped.
    """
    ending = stop or asyncio.Event()

    async def one(place: int, side: Side) -> AnswerBeside:
        made = await _one(house, lend, place, side, saying, told, noted, ending)
        answered(place, made)
        return made

    return tuple(await asyncio.gather(*(one(place, side) for place, side in enumerate(sides))))


def conversation_of(house: House, conversation_id: int, owner: str | None) -> Conversation:
    """Return a conversation that is the asker's own; with no owner, any.

    Raises:
        UnknownNameError: There is none of this number, or it is another's; nobody learns which.
    """
    unknown = UnknownNameError("conversation", str(conversation_id), hint="The history lists those that there are.")
    if not house.records.exists():
        raise unknown
    try:
        found = house.store.conversations.one(conversation_id)
    except UnknownNameError:
        raise unknown from None
    if owner is not None and found.owner != owner:
        raise unknown
    return found


def conversations_of(house: House, owner: str | None, *, limit: int) -> list[dict[str, Any]]:
    """Return the asker's conversations as programs read them, those last spoken in first."""
    if not house.records.exists():
        return []
    found = house.store.conversations.newest_first(owner=owner, limit=limit)
    return [_headed(conversation_json(each)) for each in found]


def whole_conversation(house: House, conversation_id: int, owner: str | None) -> dict[str, Any]:
    """Return a conversation with its turns, those that were taken back left out.

    Raises:
        UnknownNameError: There is none of this number, or it is another's.
        StoreError: It cannot be read.
    """
    found = conversation_of(house, conversation_id, owner)
    told = _headed(conversation_json(found, house.store.conversations.turns(conversation_id)))
    told["turns"] = [turn for turn in told["turns"] if not turn["taken_back"]]
    return told


def beside_json(answer: AnswerBeside) -> dict[str, Any]:
    """Return an answer as programs read it; unknown is null. Figures are those of the last request."""
    reply, error = answer.reply, answer.error
    made = None if reply is None else reply.last
    usage, latency = (None, None) if made is None else (made.usage, made.latency)
    cost = None if reply is None else reply.cost_usd
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
        "cost_usd": None if cost is None else float(cost),
        "rounds": [] if reply is None else [round_json(each) for each in reply.rounds],
        "ended": None if reply is None else reply.ended,
        "conversation_id": answer.conversation_id,
        "left_out": list(answer.left_out),
        "error": None if error is None else {"message": error.message, "hint": error.hint},
    }


def _headed(told: dict[str, Any]) -> dict[str, Any]:
    """Return a conversation without whose it is, which its owner knows."""
    return {key: value for key, value in told.items() if key != "owner"}


async def _one(
    house: House, lend: Lend, place: int, side: Side, saying: Saying, told: Told, noted: Noted, stop: asyncio.Event
) -> AnswerBeside:
    name: str | None = None
    took: str | None = None
    reply, fault = None, None
    left_out: tuple[str, ...] = ()
    records = TalkRecords(house.store.conversations, "chat", side.reference, side.conversation_id, saying.owner)
    records.title = saying.message.text
    loop = asyncio.get_running_loop()

    def note(text: str) -> None:
        loop.call_soon_threadsafe(noted, place, text)  # fetching and loading are told from a thread of their own

    def tell(event: object) -> None:
        if isinstance(event, TextDelta):
            told(place, event)
        elif isinstance(event, Called):
            noted(place, f"called {event.call.name}")

    toolbox = Toolbox()
    try:
        messages = _so_far(house, side, saying.owner, records)
        for tool in saying.tools:
            await asyncio.to_thread(toolbox.add, tool)
        async with lend(side.reference, note) as opened:
            name, took = opened.runner.model.name, opened.took
            records.carry(side.reference)
            talk = Talk(house, opened, saying.asking, toolbox, records, tell, messages)
            await asyncio.to_thread(talk.price)
            left_out = talk.left_out()
            if saying.system and not messages:
                talk.set_system(saying.system)
            reply = await _said(talk, saying.message, stop)
    except FieldguideError as error:
        fault = error
    finally:
        toolbox.close()
    return AnswerBeside(
        asked=side.reference,
        name=name,
        took=took,
        reply=reply,
        conversation_id=records.conversation_id,
        left_out=left_out,
        error=fault,
    )


async def _said(talk: Talk, message: Message, stop: asyncio.Event) -> Reply:
    """Return the answer, or what had come of it when it was stopped."""
    before = len(talk.rounds)
    saying, stopping = asyncio.ensure_future(talk.say(message)), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({saying, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if saying.done():
            return saying.result()
    finally:
        stopping.cancel()
        saying.cancel()
        await asyncio.wait({saying})
    if not saying.cancelled():  # it ended at the same moment
        return saying.result()
    if len(talk.rounds) == before:
        raise FieldguideError("Stopped before anything came.", hint="Ask again when you like.")
    return Reply(rounds=tuple(talk.rounds[before:]), ended="stopped")


def _so_far(house: House, side: Side, owner: str | None, records: TalkRecords) -> list[Message]:
    if side.conversation_id is None:
        return []
    return records.resume(conversation_of(house, side.conversation_id, owner))


def _decode_tokens_per_s(made: Completion) -> float | None:
    """Return the rate after the first token; None where the answer did not come as a stream or was not counted."""
    first, whole, tokens = made.latency.ttft_s, made.latency.e2e_latency_s, made.usage.output_tokens
    if first is None or whole is None or tokens is None or tokens < 2 or whole <= first:
        return None
    return (tokens - 1) / (whole - first)
