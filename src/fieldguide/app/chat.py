"""A conversation that a person leads: begun or taken up again, carried to other models, saved."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fieldguide.app.attachments import check_taken, document, image, sound
from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.talk import Asking, Reply, Talk, Told
from fieldguide.app.talk_records import TalkRecords, conversation_json, find
from fieldguide.app.tools import Toolbox
from fieldguide.app.wiring import House
from fieldguide.domain import Block, Message, Text, ToolCall, ToolResult
from fieldguide.errors import InputFileError, UsageError

_ATTACH: dict[str, Callable[[str], Block]] = {"image": image, "audio": sound, "file": document}


@dataclass(slots=True)
class Chat:
    """One conversation and the model it is held with."""

    house: House
    talk: Talk
    options: ModelOptions
    pending: list[Block] = field(default_factory=list)
    """What is attached to the next message."""

    @property
    def opened(self) -> OpenedModel:
        """The model it is held with now."""
        return self.talk.opened

    async def say(self, words: str) -> Reply:
        """Send words and what is attached, and return the answer."""
        content = (*self.pending, Text(text=words)) if self.pending else words
        reply = await self.talk.say(Message(role="user", content=content))
        self.pending.clear()
        return reply

    async def retry(self) -> Reply:
        """Ask the last question anew; the former answer stays in the records as taken back.

        Raises:
            UsageError: Nothing was asked yet.
        """
        question = self.talk.take_back()
        if question is None:
            raise UsageError("Nothing was asked yet.", hint="Type a question first.")
        return await self.talk.say(question)

    def attach(self, kind: str, name: str) -> None:
        """Attach a file to the next message.

        Raises:
            InputFileError: It cannot be read or is of another kind.
            UnsupportedError: The model cannot take it.
        """
        block = _ATTACH[kind](name)
        check_taken([block], self.opened.runner.capabilities, subject=self.opened.runner.model.name)
        self.pending.append(block)

    async def carry_to(self, reference: str) -> tuple[str, ...]:
        """Go on with another model and return what of the conversation it cannot be given.

        Raises:
            FieldguideError: The other cannot be opened, or cannot be asked in this way; the first stays.
        """
        other = await open_model(self.house, reference, self.options)
        before = self.talk.opened
        self.talk.opened = other
        try:
            await asyncio.to_thread(self.talk.price)
        except BaseException:
            self.talk.opened = before
            await other.runner.close()
            raise
        await before.runner.close()
        if self.talk.records is not None:
            self.talk.records.carry(reference)
        return self.talk.left_out()

    def save(self, name: str) -> Path:
        """Write the conversation to a new file: everything as JSON (`.json`), else what was said as Markdown.

        Raises:
            InputFileError: The file is there already, or cannot be written.
        """
        path = Path(name).expanduser()
        text = self._as_json() if path.suffix == ".json" else transcript(self.talk.messages)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise InputFileError(name, "is there already.", hint="Give another name.") from None
        except OSError as error:
            raise InputFileError(name, f"cannot be written ({error.strerror}).", hint="Check the path.") from None
        return path

    async def close(self) -> None:
        """End the model and the sandbox."""
        self.talk.toolbox.close()
        await self.opened.runner.close()

    def _as_json(self) -> str:
        records = self.talk.records
        if records is None or records.conversation_id is None:
            return json.dumps({"turns": []})
        conversation = records.conversations.one(records.conversation_id)
        told = conversation_json(conversation, records.conversations.turns(records.conversation_id))
        return json.dumps(told, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode()


async def open_chat(
    house: House,
    reference: str | None,
    asking: Asking,
    options: ModelOptions,
    *,
    toolbox: Toolbox,
    told: Told,
    system: str | None,
    resume: str | None,
) -> tuple[Chat, tuple[str, ...]]:
    """Return a conversation that is begun, or taken up again (`resume`: its number; empty: the last chat).

    Beside it stands what of a resumed conversation this model cannot be given.

    Raises:
        UsageError: There is neither a model nor a conversation to go on with.
        FieldguideError: The model cannot be opened.
    """
    records = TalkRecords(house.store.conversations, "chat", reference or "")
    messages: list[Message] = []
    if resume is not None:
        conversation = find(house, resume, only_chats=True)
        messages = records.resume(conversation)
        reference = reference or conversation.reference
    if reference is None:
        raise UsageError("There is no model.", hint="Name one: fieldguide chat MODEL; or go on: --continue.")
    opened = await open_model(house, reference, options)
    records.carry(reference)
    talk = Talk(house, opened, asking, toolbox, records, told, messages)
    try:
        await asyncio.to_thread(talk.price)
    except BaseException:
        await opened.runner.close()
        raise
    if system is not None:
        talk.set_system(system)
    return Chat(house, talk, options), talk.left_out()


def transcript(messages: list[Message]) -> str:
    """Return what was said as Markdown."""
    parts = []
    for message in messages:
        said = "\n\n".join(filter(None, (_said(block) for block in message.blocks)))
        parts.append(f"## {message.role}\n\n{said}\n")
    return "\n".join(parts)


def _said(block: Block) -> str:
    if isinstance(block, Text):
        return block.text
    if isinstance(block, ToolCall):
        arguments = block.raw_arguments if block.arguments is None else json.dumps(dict(block.arguments))
        return f"    {block.name}({arguments})"
    if isinstance(block, ToolResult):
        text = block.content if isinstance(block.content, str) else "".join(map(_said, block.content))
        return "\n".join(f"    {line}" for line in text.splitlines())
    return f"*({type(block).__name__.lower()})*"
