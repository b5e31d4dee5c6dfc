"""What a provider wants back and a client's protocol has no place for, folded into a text that the client keeps.

A model's thoughts go back only to their maker, with its signature; some providers sign calls and words too, and hosted
tools leave blocks of their own. Where a client's protocol has no field for that, the answer carries it as one opaque
text, and the next request brings it back: a block of its own where the protocol has blocks, else the whole turn.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

from fieldguide.domain import (
    Audio,
    Block,
    Image,
    JsonValue,
    Message,
    ProviderBlock,
    ProviderData,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    block_as_json,
    block_from_json,
    message_as_json,
    message_from_json,
)
from fieldguide.server._errors import RequestError
from fieldguide.server._reading import MOST_DEPTH, Fields, checked_foreign, deeper

FIELD = "fieldguide_sealed"
MARK = "fg1."
_MOST_BYTES = 4 * 1024 * 1024
_MOST_MEDIA_BYTES = 2 * 1024 * 1024
_NEVER = {"api_base", "base_url", "api_key", "extra_headers", "headers", "url"}
_TEXTS = ("text", "signature", "encrypted", "provider", "name", "call_id", "raw_arguments", "media_type", "detail")


def seal(block: Block) -> str:
    """Return a block as an opaque text."""
    return _folded(block_as_json(block))


def seal_turn(turn: Message) -> str:
    """Return a turn as an opaque text; pictures and sound stay behind where they are large."""
    blocks = turn.blocks
    if sum(len(block.data or b"") for block in blocks if isinstance(block, Image | Audio)) > _MOST_MEDIA_BYTES:
        turn = replace(turn, content=tuple(block for block in blocks if not isinstance(block, Image | Audio)))
    return _folded(message_as_json(turn))


def _folded(value: Mapping[str, JsonValue]) -> str:
    packed = zlib.compress(json.dumps(value, separators=(",", ":")).encode())
    return MARK + base64.urlsafe_b64encode(packed).decode("ascii")


def unseal(text: str) -> Block | None:
    """Return the block of an opaque text; None where it is none of ours."""
    value = _unfolded(text)
    try:
        block = None if value is None else block_from_json(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return block if block is not None and _sound(block) else None


def unseal_turn(text: str) -> Message | None:
    """Return the turn of an opaque text; None where it is none of ours."""
    value = _unfolded(text)
    try:
        turn = None if value is None else message_from_json(value)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if turn is None or turn.role != "assistant" or not _harmless(turn.provider_data):
        return None
    return turn if all(_sound(block) for block in turn.blocks) else None


def _unfolded(text: str) -> dict[str, Any] | None:
    if not text.startswith(MARK):
        return None
    try:
        packed = base64.urlsafe_b64decode(text[len(MARK) :].encode("ascii"))
        value = json.loads(zlib.decompressobj().decompress(packed, _MOST_BYTES))
    except (ValueError, RecursionError, binascii.Error, zlib.error):
        return None
    return value if isinstance(value, dict) and not deeper(value, MOST_DEPTH) else None


def _sound(block: Block) -> bool:
    """Whether a block is one that a model may have said: whoever writes a seal by hand gains nothing by it."""
    if not isinstance(block, Text | Refusal | Reasoning | ToolCall | ProviderBlock | Image | Audio):
        return False
    if isinstance(block, ProviderBlock):
        try:
            checked_foreign(dict(block.value), "the sealed block")
        except (RequestError, TypeError, ValueError):
            return False
        return isinstance(block.provider, str)
    if isinstance(block, Image | Audio) and block.data is None:
        return False
    needed: list[Any] = [block.text] if isinstance(block, Text | Refusal) else []
    if isinstance(block, ToolCall):
        needed.append(block.name)
        arguments: Any = block.arguments
        if not isinstance(arguments, dict | None):
            return False
    if not all(isinstance(each, str) for each in needed):
        return False
    named = {field.name for field in fields_of(block)} & set(_TEXTS)
    return _harmless(block.provider_data) and all(isinstance(getattr(block, name), str | None) for name in named)


def _harmless(data: tuple[ProviderData, ...]) -> bool:
    return all(isinstance(each.fields, dict) and not _NEVER & set(each.fields) for each in data)


def foreign(block: Block, known: str | None) -> bool:
    """Whether a block holds what its maker wants back and only the protocol of `known` could carry."""
    if isinstance(block, Reasoning | ProviderBlock):
        return block.provider != known
    return any(data.provider != known for data in block.provider_data)


def sealed_of(turn: Message, *, known: str | None) -> list[str]:
    """Return the seal of a turn that a protocol cannot carry, in a list; an empty one where it can.

    Args:
        turn: The answer.
        known: Provider whose own fields the protocol can carry; None for none.
    """
    data = any(each.provider != known for each in turn.provider_data)
    return [seal_turn(turn)] if data or any(foreign(block, known) for block in turn.blocks) else []


def data_sealed(turn: Message, *, known: str | None) -> str | None:
    """Return the seal of what a maker wants back with a turn as a whole; None where there is nothing."""
    data = tuple(each for each in turn.provider_data if each.provider != known)
    return seal_turn(Message(role="assistant", content=(), provider_data=data)) if data else None


def unsealed(fields: Fields) -> Message | None:
    """Return the turn that a message brings back beside what it says."""
    texts = fields.get(FIELD)
    if not isinstance(texts, list) or len(texts) != 1 or not isinstance(texts[0], str):
        return None
    return unseal_turn(texts[0])


def says(turn: Message, words: str, call_ids: Sequence[str | None]) -> bool:
    """Whether a turn is the one that a client has sent back, and not one that it has changed."""
    calls = [block.call_id for block in turn.blocks if isinstance(block, ToolCall)]
    said = "".join(block.text for block in turn.blocks if isinstance(block, Text))
    return said == words and calls == list(call_ids)


def without_words(block: Block) -> Block:
    """Return a block with nothing but what its maker wants back beside the words: these travel openly."""
    if isinstance(block, Text):
        return replace(block, text="")
    if isinstance(block, Image):
        return replace(block, data=b"", url=None, file_id=None)
    return replace(block, arguments=None, raw_arguments=None) if isinstance(block, ToolCall) else block


def with_data(blocks: Sequence[Block], kept: Block) -> list[Block]:
    """Return blocks, the last of one kind with what `kept` was sealed for; alone, where there is none, it stays."""
    found = list(blocks)
    for place in range(len(found) - 1, -1, -1):
        block = found[place]
        same = isinstance(kept, Text | Image) and type(kept) is type(block)
        same = same or (isinstance(kept, ToolCall) and isinstance(block, ToolCall) and kept.call_id == block.call_id)
        if same and isinstance(block, Text | ToolCall | Image) and isinstance(kept, Text | ToolCall | Image):
            found[place] = replace(block, provider_data=(*block.provider_data, *kept.provider_data))
            return found
    return [*found, kept] if isinstance(kept, Reasoning | ProviderBlock) else found


def named(turn: Message, ids: Sequence[str]) -> Message:
    """Return a turn whose calls have the ids that a client was told, in their order."""
    given = iter(ids)
    blocks = tuple(
        replace(block, call_id=next(given, None) or block.call_id) if isinstance(block, ToolCall) else block
        for block in turn.blocks
    )
    return turn if isinstance(turn.content, str) else replace(turn, content=blocks)
