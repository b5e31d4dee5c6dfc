"""Messages to the form that chat completions take."""

from __future__ import annotations

import json

from fieldguide.domain import (
    Audio,
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
    kind_of,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import object_of
from fieldguide.runners._media import as_base64, data_url, format_of
from fieldguide.runners.openai_chat._dialect import Dialect

TOOL_FAILED = "The tool failed:\n"
"""Stands before the result of a tool that failed: the protocol has no other way to say so."""


def wire_messages(message: Message, dialect: Dialect) -> list[JsonValue]:
    """Return a turn as the messages it is sent as: each result of a tool is one of its own, before what is said."""
    results = [block for block in message.blocks if isinstance(block, ToolResult)]
    sent: list[JsonValue] = [_result(result, message, dialect) for result in results]
    rest = tuple(block for block in message.blocks if not isinstance(block, ToolResult))
    if results and not rest:
        return sent
    role = "system" if message.role == "developer" and not dialect.developer_role else message.role
    written: dict[str, JsonValue] = {"role": role}
    if message.name is not None:
        written["name"] = message.name
    if isinstance(message.content, str):
        written["content"] = message.content
    elif message.role == "assistant":
        written |= _said(rest, dialect)
    else:
        written["content"] = [_part(block, dialect) for block in rest]
    return [*sent, written | provider_fields(message.provider_data, dialect.provider)]


def _result(result: ToolResult, message: Message, dialect: Dialect) -> JsonValue:
    content: JsonValue
    failed = TOOL_FAILED if result.is_error else ""
    if isinstance(result.content, str):
        content = failed + result.content
    else:
        for block in result.content:
            if not isinstance(block, Text):
                raise UnsupportedError("OpenAI's chat protocol", f"{kind_of(block)} blocks in results of tools")
        parts = [_part(block, dialect) for block in result.content]
        content = [{"type": "text", "text": failed}, *parts] if failed else parts
    written: dict[str, JsonValue] = {"role": "tool", "tool_call_id": result.call_id, "content": content}
    if result.name is not None:
        written["name"] = result.name
    own = provider_fields(message.provider_data, dialect.provider) if len(message.blocks) == 1 else {}
    return written | own | provider_fields(result.provider_data, dialect.provider)


def _said(blocks: tuple[Block, ...], dialect: Dialect) -> dict[str, JsonValue]:
    """Return what an assistant's turn holds: words, refusal, thoughts and calls in a field each."""
    written: dict[str, JsonValue] = {"content": None}
    parts: list[JsonValue] = []
    calls: list[JsonValue] = []
    for block in blocks:
        if isinstance(block, ToolCall):
            calls.append(_call(block, dialect.provider))
        elif isinstance(block, Refusal):
            written["refusal"] = block.text
        elif isinstance(block, Reasoning):
            _add_thoughts(written, parts, block, dialect)
        elif isinstance(block, Audio):
            written["audio"] = {"id": _audio_id(block, dialect.provider)}
        else:
            parts.append(_part(block, dialect))
    if parts:
        written["content"] = _plainest(parts)
    if calls:
        written["tool_calls"] = calls
    return written


def _plainest(parts: list[JsonValue]) -> JsonValue:
    """Return parts as the plain string that they are, where they are one."""
    only = parts[0]
    if len(parts) == 1 and isinstance(only, dict) and set(only) == {"type", "text"}:
        return str(only["text"])
    return parts


def _add_thoughts(written: dict[str, JsonValue], parts: list[JsonValue], block: Reasoning, dialect: Dialect) -> None:
    own = provider_fields(block.provider_data, dialect.provider)
    if "part" in own:
        parts.append(own["part"])
        return
    name = str(own.get("field", dialect.reasoning_field))
    written[name] = f"{written.get(name, '')}{block.text or ''}"


def _audio_id(block: Audio, provider: str) -> JsonValue:
    own = provider_fields(block.provider_data, provider)
    if "id" not in own:
        raise UnsupportedError("OpenAI's chat protocol", "sound in an assistant's turn that it did not make itself")
    return own["id"]


def _call(call: ToolCall, provider: str) -> JsonValue:
    own = provider_fields(call.provider_data, provider)
    arguments = call.raw_arguments
    if arguments is None:
        arguments = json.dumps(call.arguments or {}, ensure_ascii=False)
    kind, words = ("custom", "input") if own.get("type") == "custom" else ("function", "arguments")
    inner = {"name": call.name, words: arguments, **object_of(own.pop(kind, None))}
    return {"id": call.call_id, "type": kind, kind: inner, **own}


def _part(block: Block, dialect: Dialect) -> JsonValue:
    """Return a block as a part of a message's content."""
    if isinstance(block, ProviderBlock):
        return block.value
    own = provider_fields(getattr(block, "provider_data", ()), dialect.provider)
    return _plain_part(block, own) | own


def _plain_part(block: Block, own: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if isinstance(block, Text):
        return {"type": "text", "text": block.text}
    if isinstance(block, Image) and block.file_id is None:
        image: dict[str, JsonValue] = {"url": data_url(block)}
        if block.detail is not None:
            image["detail"] = block.detail
        return {"type": "image_url", "image_url": image}
    if isinstance(block, Audio) and block.data is not None:
        return {"type": "input_audio", "input_audio": {"data": as_base64(block.data), "format": format_of(block)}}
    if isinstance(block, Document) and block.url is None:
        return {"type": "file", "file": _file(block)}
    how = "an address" if getattr(block, "url", None) else "an uploaded file" if getattr(block, "file_id", None) else ""
    raise UnsupportedError("OpenAI's chat protocol", f"{kind_of(block)} blocks{' given by ' + how if how else ''}")


def _file(block: Document) -> dict[str, JsonValue]:
    if block.file_id is not None:
        return {"file_id": block.file_id}
    return {"filename": block.name or "document", "file_data": data_url(block)}
