"""What a provider wants back and a client's protocol has no place for, folded into a text that the client keeps.

A model's thoughts go back only to their maker, with its signature; some providers sign tool calls too. Where a client's
protocol has no field for that, the answer carries it as one opaque text, and the next request brings it back.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import TYPE_CHECKING, Any

from fieldguide.domain import Block, ProviderData, Reasoning, ToolCall, block_as_json, block_from_json

if TYPE_CHECKING:
    from fieldguide.server._reading import Fields

FIELD = "fieldguide_sealed"
MARK = "fg1."
_MOST_BYTES = 4 * 1024 * 1024
_NEVER = {"api_base", "base_url", "api_key", "extra_headers", "headers", "url"}


def seal(block: Block) -> str:
    """Return a block as an opaque text."""
    packed = zlib.compress(json.dumps(block_as_json(block), separators=(",", ":")).encode())
    return MARK + base64.urlsafe_b64encode(packed).decode("ascii")


def unseal(text: str) -> Block | None:
    """Return the block of an opaque text; None where it is none of ours."""
    if not text.startswith(MARK):
        return None
    try:
        packed = base64.urlsafe_b64decode(text[len(MARK) :].encode("ascii"))
        plain = zlib.decompressobj().decompress(packed, _MOST_BYTES)
        block = block_from_json(json.loads(plain))
    except (ValueError, RecursionError, binascii.Error, zlib.error):
        return None
    if not isinstance(block, Reasoning | ToolCall):
        return None
    return None if any(_NEVER & set(data.fields) for data in block.provider_data) else block


def sealed_of(blocks: tuple[Block, ...], *, known: str | None) -> list[str]:
    """Return the seals of an answer's blocks that a protocol cannot carry.

    Args:
        blocks: The answer.
        known: Provider whose own fields the protocol can carry; None for none.
    """
    return [seal(block) for block in blocks if _needs(block, known)]


def _needs(block: Block, known: str | None) -> bool:
    if isinstance(block, Reasoning):
        return block.provider != known
    return isinstance(block, ToolCall) and any(data.provider != known for data in block.provider_data)


def unsealed_blocks(fields: Fields) -> list[Reasoning]:
    """Return the thoughts that a message brings back."""
    return [block for block in _unsealed(fields) if isinstance(block, Reasoning)]


def unsealed_arguments(fields: Fields) -> dict[str, tuple[ProviderData, ...]]:
    """Return what providers want back with the tool calls of a message, by the call's id."""
    calls = (block for block in _unsealed(fields) if isinstance(block, ToolCall))
    return {call.call_id or "": call.provider_data for call in calls}


def _unsealed(fields: Fields) -> list[Any]:
    texts = fields.get(FIELD)
    if not isinstance(texts, list):
        return []
    return [block for text in texts[:64] if isinstance(text, str) and (block := unseal(text)) is not None]
