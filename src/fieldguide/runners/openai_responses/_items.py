"""Messages to the items that the Responses API takes, and its items to blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fieldguide.domain import (
    Block,
    Document,
    Image,
    JsonValue,
    Message,
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
from fieldguide.runners._blocks import parsed_arguments
from fieldguide.runners._json import further, objects_of, text_of
from fieldguide.runners._media import data_url
from fieldguide.runners.openai_chat import TOOL_FAILED

API = "OpenAI's Responses API"


def wire_items(message: Message, provider: str) -> list[JsonValue]:
    """Return a turn as the items it is sent as.

    Raises:
        UnsupportedError: It holds a block that the API does not take.
    """
    if message.name is not None:
        raise UnsupportedError(API, "names of speakers", hint="Say in words who speaks.")
    own = provider_fields(message.provider_data, provider)
    if isinstance(message.content, str):
        return [{"role": message.role, "content": message.content, **own}]
    if message.role == "assistant":
        return said_items(message.content, provider)
    items: list[JsonValue] = [_result(block, provider) for block in message.content if isinstance(block, ToolResult)]
    rest = [block for block in message.content if not isinstance(block, ToolResult)]
    if rest or not items:
        items.append({"role": message.role, "content": [_part(block, provider) for block in rest], **own})
    return items


def said_items(blocks: Sequence[Block], provider: str) -> list[JsonValue]:
    """Return what an assistant said as items; words of one message item, known by its id, are one item again."""
    items: list[JsonValue] = []
    last: dict[str, Any] | None = None
    for block in blocks:
        if not isinstance(block, Text | Refusal):
            items.append(_item(block, provider))
            last = None
            continue
        own = provider_fields(block.provider_data, provider)
        item = own.pop("item", None)
        part = _said(block, own)
        if last is not None and item == last["item"]:
            last["parts"].append(part)
        elif isinstance(item, dict):
            last = {"item": item, "parts": [part]}
            items.append({"type": "message", "role": "assistant", "content": last["parts"], **item})
        elif isinstance(block, Refusal) or own:
            last = {"item": None, "parts": [part]}
            items.append({"role": "assistant", "content": last["parts"]})
        else:
            last = None
            items.append({"role": "assistant", "content": block.text})
    return items


def _said(block: Text | Refusal, own: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if isinstance(block, Refusal):
        return {"type": "refusal", "refusal": block.text, **own}
    return {"type": "output_text", "text": block.text, "annotations": [], **own}


def _item(block: Block, provider: str) -> JsonValue:
    if isinstance(block, ProviderBlock):
        return block.value
    own = provider_fields(block.provider_data, provider)
    if isinstance(block, Reasoning):
        sealed: dict[str, JsonValue] = {} if block.encrypted is None else {"encrypted_content": block.encrypted}
        return {"type": "reasoning", "summary": [], **own, **sealed}
    if isinstance(block, ToolCall):
        raw = block.raw_arguments
        arguments = json.dumps(block.arguments or {}, ensure_ascii=False) if raw is None else raw
        name = "input" if own.get("type") == "custom_tool_call" else "arguments"
        return {"type": "function_call", "call_id": block.call_id, "name": block.name, name: arguments, **own}
    raise UnsupportedError(API, f"{kind_of(block)} blocks in an assistant's turn")


def _result(result: ToolResult, provider: str) -> JsonValue:
    output: JsonValue
    failed = TOOL_FAILED if result.is_error else ""
    if isinstance(result.content, str):
        output = failed + result.content
    else:
        parts = [_part(block, provider) for block in result.content]
        output = [{"type": "input_text", "text": failed}, *parts] if failed else parts
    own = provider_fields(result.provider_data, provider)
    return {"type": "function_call_output", "call_id": result.call_id, "output": output, **own}


def _part(block: Block, provider: str) -> JsonValue:
    if isinstance(block, ProviderBlock):
        return block.value
    own = provider_fields(block.provider_data, provider)
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text, **own}
    if isinstance(block, Image):
        given: dict[str, JsonValue] = {"detail": block.detail or "auto"}
        given |= {"image_url": data_url(block)} if block.file_id is None else {"file_id": block.file_id}
        return {"type": "input_image", **given, **own}
    if isinstance(block, Document):
        return {"type": "input_file", **_file(block), **own}
    raise UnsupportedError(API, f"{kind_of(block)} blocks")


def _file(block: Document) -> dict[str, JsonValue]:
    named: dict[str, JsonValue] = {} if block.name is None else {"filename": block.name}
    if block.file_id is not None:
        return {"file_id": block.file_id, **named}
    if block.url is not None:
        return {"file_url": block.url, **named}
    return {"filename": block.name or "document", "file_data": data_url(block)}


def blocks_of(item: Mapping[str, Any], provider: str) -> list[Block]:
    """Return the blocks of an item of an answer; one of a kind that only this API knows is kept whole."""
    kind, given = item.get("type"), dict(item)
    if kind == "message":
        outer = {name: value for name, value in given.items() if name not in {"type", "role", "content"}}
        return [_word(part, outer, provider) for part in objects_of(item.get("content"))]
    if kind == "reasoning":
        return [_thought(given, provider)]
    if kind in ("function_call", "custom_tool_call"):
        raw = text_of(item.get("arguments" if kind == "function_call" else "input")) or ""
        fields = further(given, "type", "call_id", "name", "arguments", "input")
        if kind == "custom_tool_call":
            fields["type"] = kind
        return [
            ToolCall(
                name=text_of(item.get("name")) or "",
                call_id=text_of(item.get("call_id")),
                arguments=parsed_arguments(raw) if kind == "function_call" else None,
                raw_arguments=raw,
                provider_data=kept_for(provider, fields),
            )
        ]
    return [ProviderBlock(provider=provider, value=given)]


def _word(part: dict[str, Any], outer: dict[str, Any], provider: str) -> Block:
    if part.get("type") == "refusal":
        data = kept_for(provider, {"item": outer, **further(part, "type", "refusal")})
        return Refusal(text=text_of(part.get("refusal")) or "", provider_data=data)
    data = kept_for(provider, {"item": outer, **further(part, "type", "text")})
    return Text(text=text_of(part.get("text")) or "", provider_data=data)


def _thought(item: dict[str, Any], provider: str) -> Reasoning:
    parts = [*objects_of(item.get("summary")), *objects_of(item.get("content"))]
    texts = [text for part in parts if (text := text_of(part.get("text")))]
    fields = {
        name: value
        for name, value in item.items()
        if name not in {"type", "encrypted_content"} and (value is not None or name == "summary")
    }
    return Reasoning(
        text="\n\n".join(texts) or None,
        encrypted=text_of(item.get("encrypted_content")),
        provider=provider,
        provider_data=kept_for(provider, fields),
    )
