"""Blocks to Anthropic's content and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fieldguide.domain import (
    Block,
    Document,
    Image,
    JsonValue,
    ProviderBlock,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    kept_for,
    kind_of,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import further, text_of
from fieldguide.runners._media import as_base64, media_type_of, refuse_detail

API = "Anthropic's Messages API"


def wire_blocks(blocks: Sequence[Block], provider: str) -> list[JsonValue]:
    """Return blocks as they are sent.

    Raises:
        UnsupportedError: One is of a kind that the API does not take.
    """
    return [_block(block, provider) for block in blocks]


def _block(block: Block, provider: str) -> JsonValue:
    if isinstance(block, ProviderBlock):
        return block.value
    return _own(block, provider) | provider_fields(block.provider_data, provider)


def _own(block: Block, provider: str) -> dict[str, JsonValue]:
    if isinstance(block, Text | Refusal):
        return {"type": "text", "text": block.text}
    if isinstance(block, Reasoning):
        if block.encrypted is not None:
            return {"type": "redacted_thinking", "data": block.encrypted}
        return {"type": "thinking", "thinking": block.text or "", "signature": block.signature or ""}
    if isinstance(block, ToolCall):
        if block.arguments is None:
            raise UnsupportedError(API, f"a call of {block.name} whose arguments are no JSON object")
        return {"type": "tool_use", "id": block.call_id, "name": block.name, "input": block.arguments}
    if isinstance(block, ToolResult):
        return _result(block, provider)
    if isinstance(block, Image):
        refuse_detail(block, API)
        return {"type": "image", "source": _source(block)}
    if isinstance(block, Document):
        title: dict[str, JsonValue] = {} if block.name is None else {"title": block.name}
        return {"type": "document", "source": _source(block), **title}
    raise UnsupportedError(API, f"{kind_of(block)} blocks")


def _result(block: ToolResult, provider: str) -> dict[str, JsonValue]:
    written: dict[str, JsonValue] = {"type": "tool_result", "tool_use_id": block.call_id}
    content = block.content
    written["content"] = content if isinstance(content, str) else wire_blocks(content, provider)
    if block.is_error is not None:
        written["is_error"] = block.is_error
    return written


def _source(block: Image | Document) -> dict[str, JsonValue]:
    if block.url is not None:
        return {"type": "url", "url": block.url}
    if block.file_id is not None:
        return {"type": "file", "file_id": block.file_id}
    data, media_type = block.data or b"", media_type_of(block)
    if media_type == "text/plain":
        return {"type": "text", "media_type": media_type, "data": data.decode("utf-8", "replace")}
    return {"type": "base64", "media_type": media_type, "data": as_base64(data)}


def block_of(part: Mapping[str, Any], provider: str) -> Block:
    """Return the block of a part of an answer; a kind that only Anthropic knows is kept whole."""
    kind, given = part.get("type"), dict(part)
    if kind == "text":
        own = kept_for(provider, further(given, "type", "text"))
        return Text(text=text_of(part.get("text")) or "", provider_data=own)
    if kind == "thinking":
        return Reasoning(
            text=text_of(part.get("thinking")),
            signature=text_of(part.get("signature")),
            provider=provider,
            provider_data=kept_for(provider, further(given, "type", "thinking", "signature")),
        )
    if kind == "redacted_thinking":
        own = kept_for(provider, further(given, "type", "data"))
        return Reasoning(encrypted=text_of(part.get("data")) or "", provider=provider, provider_data=own)
    if kind == "tool_use":
        arguments = part.get("input")
        return ToolCall(
            name=text_of(part.get("name")) or "",
            call_id=text_of(part.get("id")),
            arguments=arguments if isinstance(arguments, dict) else None,
            raw_arguments=text_of(arguments),
            provider_data=kept_for(provider, further(given, "type", "id", "name", "input")),
        )
    return ProviderBlock(provider=provider, value=given)
