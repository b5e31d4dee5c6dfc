"""Carrying a conversation to another provider: what the other cannot have is left out by this, and by nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from fieldguide.domain.content import Block, ProviderBlock, Reasoning, ToolCall, ToolResult
from fieldguide.domain.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A conversation as another provider can take it."""

    messages: tuple[Message, ...]
    left_out: tuple[str, ...]
    """What had to stay behind, in words; empty where nothing had to."""


def carried(messages: Iterable[Message], *, provider: str) -> Carried:
    """Return a conversation without the reasoning and the own blocks of providers other than `provider`.

    Reasoning is bound to who made it (by a signature, or because it is encrypted), and a hosted tool's blocks mean
    nothing elsewhere. Runners refuse both rather than drop them; a caller who changes provider asks for this first and
    keeps the conversation as it was, so that on the way back nothing is missing. A turn that consisted of nothing else
    is left out with them. Calls of tools that their maker gave no id, and their results, get one, for others want it.
    """
    left: Counter[str] = Counter()
    kept: list[Message] = []
    for message in _identified(messages):
        if isinstance(message.content, str):
            kept.append(message)
            continue
        blocks = tuple(_carried(block, provider, left) for block in message.content)
        remaining = tuple(block for block in blocks if block is not None)
        if remaining or not message.content:
            kept.append(replace(message, content=remaining))
    return Carried(messages=tuple(kept), left_out=tuple(f"{what} ({count})" for what, count in sorted(left.items())))


def _identified(messages: Iterable[Message]) -> Iterator[Message]:
    """Yield messages whose calls of tools have ids.

    A result without one is of the first call that waits for its tool.
    """
    made = count(1)
    waiting: list[ToolCall] = []
    for message in messages:
        if isinstance(message.content, str):
            yield message
            continue
        blocks = list(message.content)
        for place, block in enumerate(blocks):
            if isinstance(block, ToolCall) and block.call_id is None:
                blocks[place] = call = replace(block, call_id=f"carried_{next(made)}")
                waiting.append(call)
            elif isinstance(block, ToolResult) and block.call_id is None:
                found = next((call for call in waiting if block.name in {None, call.name}), None)
                if found is not None:
                    waiting.remove(found)
                    blocks[place] = replace(block, call_id=found.call_id)
        yield replace(message, content=tuple(blocks))


def _carried(block: Block, provider: str, left: Counter[str]) -> Block | None:
    if isinstance(block, Reasoning) and block.provider != provider:
        left[f"reasoning of {block.provider or 'unknown origin'}"] += 1
        return None
    if isinstance(block, ProviderBlock) and block.provider != provider:
        left[f"{block.value.get('type', 'a block')} of {block.provider}"] += 1
        return None
    if isinstance(block, ToolResult) and not isinstance(block.content, str):
        inner = tuple(each for each in block.content if _carried(each, provider, left) is not None)
        return replace(block, content=inner)
    return block
