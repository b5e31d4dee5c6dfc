"""Messages to the form that DashScope takes: a text each, or a list of parts where the model sees and hears."""

from __future__ import annotations

import json

from fieldguide.domain import (
    Audio,
    Block,
    Image,
    JsonValue,
    Message,
    ProviderBlock,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Video,
    kind_of,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._media import data_url, refuse_detail
from fieldguide.runners.openai_chat import TOOL_FAILED

PROVIDER = "model-studio"
API = "DashScope's API"
PART_KINDS: dict[str, type[Image | Audio | Video]] = {"image": Image, "audio": Audio, "video": Video}


def wire_messages(message: Message, *, in_parts: bool) -> list[JsonValue]:
    """Return a turn as it is sent; each result of a tool is a message of its own, before what is said.

    Args:
        message: The turn.
        in_parts: Whether content is a list of parts, as the multimodal endpoint wants it.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    results = [block for block in message.blocks if isinstance(block, ToolResult)]
    sent: list[JsonValue] = [_result(result, in_parts) for result in results]
    rest = tuple(block for block in message.blocks if not isinstance(block, ToolResult))
    if results and not rest:
        return sent
    role = "system" if message.role == "developer" else message.role
    written: dict[str, JsonValue] = {"role": role}
    if message.name is not None:
        written["name"] = message.name
    return [*sent, written | wire_turn(rest, in_parts=in_parts) | provider_fields(message.provider_data, PROVIDER)]


def wire_turn(blocks: tuple[Block, ...], *, in_parts: bool) -> dict[str, JsonValue]:
    """Return what a turn holds: content, thoughts and calls in a field each."""
    turn: dict[str, JsonValue] = {"content": _content(blocks, in_parts)}
    thoughts = [block.text or "" for block in blocks if isinstance(block, Reasoning)]
    if thoughts:
        turn["reasoning_content"] = "".join(thoughts)
    calls: list[JsonValue] = [_call(block) for block in blocks if isinstance(block, ToolCall)]
    if calls:
        turn["tool_calls"] = calls
    return turn


def _content(blocks: tuple[Block, ...], in_parts: bool) -> JsonValue:
    said = [block for block in blocks if not isinstance(block, Reasoning | ToolCall)]
    if in_parts:
        return [_part(block) for block in said]
    return "\n".join(_words(block) for block in said)


def _words(block: Block) -> str:
    if isinstance(block, Text | Refusal):
        return block.text
    raise UnsupportedError(f"{API} of models for text", f"{kind_of(block)} blocks")


def _part(block: Block) -> JsonValue:
    if isinstance(block, ProviderBlock):
        return block.value
    own = provider_fields(block.provider_data, PROVIDER)
    if isinstance(block, Text | Refusal):
        return {"text": block.text, **own}
    if isinstance(block, Image | Audio | Video) and block.file_id is None:
        refuse_detail(block, API)
        return {type(block).__name__.lower(): data_url(block), **own}
    raise UnsupportedError(API, f"{kind_of(block)} blocks")


def _result(result: ToolResult, in_parts: bool) -> JsonValue:
    failed = TOOL_FAILED if result.is_error else ""
    blocks = (Text(text=result.content),) if isinstance(result.content, str) else result.content
    if failed:
        blocks = (Text(text=failed), *blocks)
    content = _content(blocks, in_parts) if in_parts else "".join(_words(block) for block in blocks)
    written: dict[str, JsonValue] = {"role": "tool", "content": content}
    if result.call_id is not None:
        written["tool_call_id"] = result.call_id
    if result.name is not None:
        written["name"] = result.name
    return written | provider_fields(result.provider_data, PROVIDER)


def _call(call: ToolCall) -> JsonValue:
    arguments = call.raw_arguments
    if arguments is None:
        arguments = json.dumps(call.arguments or {}, ensure_ascii=False)
    own = provider_fields(call.provider_data, PROVIDER)
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": arguments}, **own}
