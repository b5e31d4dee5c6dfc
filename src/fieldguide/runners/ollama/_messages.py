"""Messages to the form that Ollama takes: words as one text, pictures in a list beside them."""

from __future__ import annotations

from fieldguide.domain import (
    Block,
    Image,
    JsonValue,
    Message,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    kind_of,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._media import as_base64, refuse_detail
from fieldguide.runners.openai_chat import TOOL_FAILED

PROVIDER = "ollama"


def wire_messages(messages: tuple[Message, ...]) -> list[JsonValue]:
    """Return a conversation as it is sent; each result of a tool is a message of its own, before what is said.

    Raises:
        UnsupportedError: A turn holds something for which the API has no words.
    """
    names = {
        block.call_id: block.name for message in messages for block in message.blocks if isinstance(block, ToolCall)
    }
    return [each for message in messages for each in _messages_of(message, names)]


def _messages_of(message: Message, names: dict[str | None, str]) -> list[JsonValue]:
    if message.name is not None:
        raise UnsupportedError("Ollama's API", "names of who speaks", hint="Put the name into the text.")
    results = [block for block in message.blocks if isinstance(block, ToolResult)]
    sent: list[JsonValue] = [_result(result, names) for result in results]
    rest = tuple(block for block in message.blocks if not isinstance(block, ToolResult))
    if results and not rest:
        return sent
    role = "system" if message.role == "developer" else message.role
    own = provider_fields(message.provider_data, PROVIDER)
    return [*sent, {"role": role, **wire_turn(rest), **own}]


def wire_turn(blocks: tuple[Block, ...]) -> dict[str, JsonValue]:
    """Return what a turn holds, a field for each kind."""
    turn: dict[str, JsonValue] = {"content": "\n".join(_said(block) for block in blocks if _is_said(block))}
    if thoughts := [block.text or "" for block in blocks if isinstance(block, Reasoning)]:
        turn["thinking"] = "".join(thoughts)
    if images := [_image(block) for block in blocks if isinstance(block, Image)]:
        turn["images"] = images
    if calls := [_call(block) for block in blocks if isinstance(block, ToolCall)]:
        turn["tool_calls"] = calls
    return turn


def _is_said(block: Block) -> bool:
    return not isinstance(block, Reasoning | Image | ToolCall)


def _said(block: Block) -> str:
    if isinstance(block, Text | Refusal):
        return block.text
    raise UnsupportedError("Ollama's API", f"{kind_of(block)} blocks")


def _image(image: Image) -> JsonValue:
    refuse_detail(image, "Ollama's API")
    if image.data is None:
        raise UnsupportedError("Ollama's API", "pictures that are not given by their bytes", hint="Fetch them first.")
    return as_base64(image.data)


def _call(call: ToolCall) -> JsonValue:
    if call.arguments is None:
        raise UnsupportedError("Ollama's API", "a call of a tool whose arguments are no JSON object")
    own = provider_fields(call.provider_data, PROVIDER)
    function: dict[str, JsonValue] = {"name": call.name, "arguments": call.arguments, **_inner(own)}
    written: dict[str, JsonValue] = {"function": function}
    if call.call_id is not None:
        written["id"] = call.call_id
    return written | {name: value for name, value in own.items() if name != "function"}


def _inner(own: dict[str, JsonValue]) -> dict[str, JsonValue]:
    inner = own.get("function")
    return inner if isinstance(inner, dict) else {}


def _result(result: ToolResult, names: dict[str | None, str]) -> JsonValue:
    failed = TOOL_FAILED if result.is_error else ""
    blocks = (Text(text=result.content),) if isinstance(result.content, str) else result.content
    written: dict[str, JsonValue] = {"role": "tool", **wire_turn(blocks)}
    written["content"] = f"{failed}{written['content']}"
    name = result.name or (names.get(result.call_id) if result.call_id else None)
    if name is not None:
        written["tool_name"] = name
    if result.call_id is not None:
        written["tool_call_id"] = result.call_id
    return written | provider_fields(result.provider_data, PROVIDER)
