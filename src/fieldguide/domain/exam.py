"""An exam: exactly what every model is asked, whichever machine builds it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from fieldguide.domain.completion import CompletionRequest
from fieldguide.domain.content_json import message_as_json
from fieldguide.domain.json_value import JsonValue, content_sha256
from fieldguide.domain.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How answers are sampled; part of the exam, so that two scores under one exam id are comparable."""

    max_output_tokens: int
    """Most tokens of one answer."""
    temperature: float = 0.0
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the answer to a text item. A chat turn ends by itself and takes none of them."""
    chat_max_output_tokens: int | None = None
    """Most tokens where a text item must be asked as a chat turn; None takes `max_output_tokens`."""

    def as_json(self) -> dict[str, JsonValue]:
        """Return the decoding as JSON, for the exam id."""
        return {
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "stop": list(self.stop),
            "chat_max_output_tokens": self.chat_max_output_tokens,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamItem:
    """One question with its target. Exactly one of `prompt` and `messages` is set."""

    item: str
    """Id, stable across protocol, seed, limit and source file."""
    target: str
    """The right answer, in the form that the scorer expects."""
    prompt: str | None = None
    """Text to continue."""
    messages: tuple[Message, ...] | None = None
    """Conversation to answer."""
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)
    """The data set's own identifiers and groups (level, subject, skill, rung)."""

    def __post_init__(self) -> None:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("exactly one of prompt and messages must be given")

    def as_json(self, *, with_target: bool) -> dict[str, JsonValue]:
        """Return the item as a line of an exam file."""
        line: dict[str, JsonValue] = {"item": self.item}
        if self.messages is not None:
            line["messages"] = [message_as_json(message) for message in self.messages]
        else:
            line["prompt"] = self.prompt
        line["metadata"] = dict(self.metadata)
        if with_target:
            line["target"] = self.target
        return line


def _told_apart(item: ExamItem) -> dict[str, Any]:
    """Return an item as an exam's id has it: bytes of pictures and sound stand as their sha256, which tells as much."""
    line: dict[str, Any] = item.as_json(with_target=True)
    for message in line.get("messages", ()):
        for block in message["content"] if isinstance(message["content"], list) else ():
            if "data" in block:
                block["data"] = hashlib.sha256(block["data"].encode("ascii")).hexdigest()
    return line


@dataclass(frozen=True, kw_only=True)
class Exam:
    """Items, prompts, decoding and extraction under one content address."""

    benchmark: str
    """Canonical name with subset, seed or window, such as `ladder@0` or `math500`."""
    protocol: str
    """Whose way of asking and reading answers this is; ours is `fieldguide`."""
    extraction: str
    """Name and version of the rule that reads the answer, such as `ladder/1`."""
    seed: int
    """Seed of everything that is drawn (items of a generated benchmark, order of choices)."""
    decoding: Decoding
    items: tuple[ExamItem, ...]
    available_items: int | None
    """Items that the whole benchmark could give; None where it has no end (a generated one)."""
    source: Mapping[str, JsonValue] = field(default_factory=dict)
    """Where the data came from: path or data set id, revision, sha256. Not part of the id."""
    restricted: str | None = None
    """Why questions and answers are kept out of reports, listings and exports; None where anyone may read them. Not
    part of the id."""

    @cached_property
    def exam_id(self) -> str:
        """Content address: benchmark name, a dash, and 32 hex digits of sha256."""
        digest = content_sha256(
            {
                "format": 1,
                "benchmark": self.benchmark,
                "protocol": self.protocol,
                "extraction": self.extraction,
                "seed": self.seed,
                "decoding": self.decoding.as_json(),
                "items": [_told_apart(item) for item in self.items],
            }
        )
        return f"{self.benchmark.split('@')[0]}-{digest[:32]}"

    def header_json(self) -> dict[str, JsonValue]:
        """Return the first line of an exam file."""
        return {
            "exam_id": self.exam_id,
            "benchmark": self.benchmark,
            "protocol": self.protocol,
            "items": len(self.items),
            "seed": self.seed,
            "decoding": self.decoding.as_json(),
            "extraction": self.extraction,
            "available_items": self.available_items,
            "source": dict(self.source),
            "restricted": self.restricted,
        }

    def limited(self, limit: int | None) -> Exam:
        """Return the exam of the first `limit` items; None keeps them all."""
        return self if limit is None else replace(self, items=self.items[:limit])


def request_for(
    item: ExamItem, decoding: Decoding, *, attempt: int, text: bool, chat: bool, takes_seed: bool = True
) -> CompletionRequest:
    """Return the request that asks `item`.

    A text item goes as text where the runner continues text (`text`), and otherwise, verbatim, as one user message.
    A sampling seed is given only when sampling is random, and is then the attempt number, so that each attempt can be
    repeated.

    Args:
        item: The question.
        decoding: The exam's decoding.
        attempt: Number of the attempt, from 0.
        text: The runner continues plain text.
        chat: The runner answers conversations.
        takes_seed: The runner takes a sampling seed; to one that does not none is given.

    Raises:
        ValueError: The runner takes neither form of the item.
    """
    seed = attempt if decoding.temperature > 0 and takes_seed else None
    if item.prompt is not None and text:
        return CompletionRequest(
            prompt=item.prompt,
            max_output_tokens=decoding.max_output_tokens,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            stop=decoding.stop,
            seed=seed,
            item=item.item,
            attempt=attempt,
        )
    if not chat and item.messages is not None:
        raise ValueError("a conversation cannot be asked of a runner that only continues text")
    messages = item.messages or (Message(role="user", content=item.prompt or ""),)
    limit = decoding.max_output_tokens
    if item.prompt is not None and decoding.chat_max_output_tokens is not None:
        limit = decoding.chat_max_output_tokens
    return CompletionRequest(
        messages=messages,
        max_output_tokens=limit,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
        seed=seed,
        item=item.item,
        attempt=attempt,
    )
