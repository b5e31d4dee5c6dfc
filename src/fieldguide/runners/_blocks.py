"""Blocks of an answer from the pieces of a stream, and what streams of every provider have in common."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from fieldguide.domain import (
    Block,
    BlockEnd,
    BlockStart,
    JsonValue,
    Latency,
    Reasoning,
    Refusal,
    StreamPiece,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    kept_for,
)

Kind: TypeAlias = Literal["text", "refusal", "reasoning", "tool_call"]


@dataclass(slots=True)
class OpenBlock:
    """A block that is still arriving."""

    index: int
    kind: Kind
    parts: list[str] = field(default_factory=list)
    name: str = ""
    call_id: str | None = None
    signature: str | None = None
    encrypted: str | None = None
    fields: dict[str, JsonValue] = field(default_factory=dict)
    """What only the provider knows of it."""
    ended: bool = False


class Blocks:
    """Puts the blocks of one answer together, in the order in which they began."""

    def __init__(self, provider: str, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._provider = provider
        self._began_s = began_s
        self._first_s: float | None = None
        self._by_key: dict[Hashable, OpenBlock] = {}
        self._all: list[OpenBlock | Block] = []

    def open(self, key: Hashable) -> OpenBlock | None:
        """Return the block that is arriving under a key; None where none is."""
        found = self._by_key.get(key)
        return None if found is None or found.ended else found

    def start(
        self, key: Hashable, kind: Kind, *, call_id: str | None = None, name: str = "", now_s: float
    ) -> list[StreamPiece]:
        """Begin a block under a key; blocks of words that are open end before it."""
        self._note(now_s)
        pieces = self.end_words()
        block = OpenBlock(len(self._all), kind, name=name, call_id=call_id)
        self._by_key[key] = block
        self._all.append(block)
        return [*pieces, BlockStart(index=block.index, kind=kind, call_id=call_id, name=name or None)]

    def add(self, key: Hashable, kind: Kind, text: str, *, now_s: float) -> list[StreamPiece]:
        """Add to the block under a key, which begins where it is not open."""
        pieces = [] if self.open(key) else self.start(key, kind, now_s=now_s)
        block = self._by_key[key]
        block.parts.append(text)
        if not text:
            return pieces
        if kind == "tool_call":
            return [*pieces, ToolCallDelta(index=block.index, arguments=text)]
        if kind == "refusal":
            return pieces
        return [*pieces, TextDelta(text=text, reasoning=kind == "reasoning", index=block.index)]

    def whole(self, block: Block, kind: Any, *, now_s: float) -> list[StreamPiece]:
        """Add a block that came in one piece."""
        self._note(now_s)
        pieces = self.end_words()
        index = len(self._all)
        self._all.append(block)
        start = BlockStart(index=index, kind=kind)
        if isinstance(block, ToolCall):
            start = BlockStart(index=index, kind=kind, call_id=block.call_id, name=block.name)
        return [*pieces, start, BlockEnd(index=index, block=block)]

    def end(self, key: Hashable) -> list[StreamPiece]:
        """End the block under a key, where it is open."""
        block = self.open(key)
        if block is None:
            return []
        block.ended = True
        return [BlockEnd(index=block.index, block=self._made(block))]

    def end_words(self) -> list[StreamPiece]:
        """End the open blocks of text, refusal and reasoning."""
        keys = [key for key, block in self._by_key.items() if not block.ended and block.kind != "tool_call"]
        return [piece for key in keys for piece in self.end(key)]

    def end_all(self) -> list[StreamPiece]:
        """End whatever is open."""
        return [piece for key in list(self._by_key) for piece in self.end(key)]

    @property
    def made(self) -> tuple[Block, ...]:
        """All blocks, as far as they came; words without a word in them are none."""
        blocks = [self._made(block) if isinstance(block, OpenBlock) else block for block in self._all]
        return tuple(block for block in blocks if not (isinstance(block, Text) and not block.text))

    def latency(self, *, now_s: float) -> Latency:
        """Return the times of an answer that ended at `now_s`."""
        ttft_s = None if self._first_s is None else self._first_s - self._began_s
        return Latency(ttft_s=ttft_s, e2e_latency_s=now_s - self._began_s)

    def _note(self, now_s: float) -> None:
        if self._first_s is None:
            self._first_s = now_s

    def _made(self, block: OpenBlock) -> Block:
        text, data = "".join(block.parts), kept_for(self._provider, block.fields)
        if block.kind == "tool_call":
            return ToolCall(
                name=block.name,
                call_id=block.call_id,
                arguments=parsed_arguments(text),
                raw_arguments=text,
                provider_data=data,
            )
        if block.kind == "refusal":
            return Refusal(text=text, provider_data=data)
        if block.kind == "reasoning":
            return Reasoning(
                text=text or None,
                signature=block.signature,
                encrypted=block.encrypted,
                provider=self._provider,
                provider_data=data,
            )
        return Text(text=text, provider_data=data)


def parsed_arguments(text: str) -> Mapping[str, JsonValue] | None:
    """Return the JSON object that a model wrote as a tool's arguments; none written are no arguments.

    None where it is no object: models write broken JSON, and it is kept as it stands.
    """
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def words(blocks: tuple[Block, ...]) -> str:
    """Return the text of an answer: its words without reasoning, refusal and tools."""
    return "".join(block.text for block in blocks if isinstance(block, Text))


def thoughts(blocks: tuple[Block, ...]) -> str | None:
    """Return the reasoning of an answer as text; None where it has none that can be read."""
    return "\n\n".join(block.text for block in blocks if isinstance(block, Reasoning) and block.text) or None


def refusal_in(blocks: tuple[Block, ...]) -> str | None:
    """Return the words by which a model declined; None where it did not."""
    return "".join(block.text for block in blocks if isinstance(block, Refusal)) or None
