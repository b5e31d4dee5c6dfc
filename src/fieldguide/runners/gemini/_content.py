"""Blocks to the parts of Gemini's contents and back."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping, Sequence
from typing import Any

from fieldguide.domain import (
    Audio,
    Block,
    Document,
    Image,
    JsonValue,
    Media,
    ProviderBlock,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
    Video,
    kept_for,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import further, object_of, text_of
from fieldguide.runners._media import as_base64, from_base64, media_type_of

API = "Gemini's API"
VERTEX = "vertex"
FILES = "https://generativelanguage.googleapis.com/v1beta/"
"""Stands before the name of an uploaded file (`files/...`): a part holds whole addresses."""
_DETAILS = {level: f"MEDIA_RESOLUTION_{level.upper()}" for level in ("low", "medium", "high")}
_MEDIA: Mapping[str, type[Media]] = {"image": Image, "audio": Audio, "video": Video}


def wire_parts(blocks: Sequence[Block], provider: str, names: Mapping[str, str]) -> list[JsonValue]:
    """Return blocks as they are sent; `names` tells the tool of a call id, for results that do not name theirs.

    Raises:
        UnsupportedError: One is of a kind for which the API has no part.
    """
    return [_part(block, provider, names) for block in blocks]


def _part(block: Block, provider: str, names: Mapping[str, str]) -> JsonValue:
    return merged(_own(block, provider, names), provider_fields(getattr(block, "provider_data", ()), provider))


def _own(block: Block, provider: str, names: Mapping[str, str]) -> dict[str, JsonValue]:
    if isinstance(block, Text | Refusal):
        return {"text": block.text}
    if isinstance(block, Reasoning):
        return _set(text=block.text, thought=True, thoughtSignature=block.signature)
    if isinstance(block, ToolCall):
        if block.arguments is None:
            raise UnsupportedError(API, f"a call of {block.name} whose arguments are no JSON object")
        return {"functionCall": _set(id=block.call_id, name=block.name, args=block.arguments)}
    if isinstance(block, ToolResult):
        return {"functionResponse": _result(block, provider, names)}
    if isinstance(block, ProviderBlock):
        return dict(block.value)
    return _media(block, provider)


def _result(block: ToolResult, provider: str, names: Mapping[str, str]) -> dict[str, JsonValue]:
    """Return the result of a tool: a text that is a JSON object goes as this object, any other under `output`.

    References:
        https://ai.google.dev/api/caching#FunctionResponse on `output` and `error`.
    """
    name = block.name or names.get(block.call_id or "")
    if name is None:
        raise UnsupportedError(API, "a result whose tool is not known", hint="Give the tool's name with its result.")
    written = _set(id=block.call_id, name=name)
    content = block.content
    said = content if isinstance(content, str) else "\n".join(each.text for each in content if isinstance(each, Text))
    found = _object_in(said)
    written["response"] = {"error": said} if block.is_error else {"output": said} if found is None else found
    if not isinstance(content, str):
        parts = [_part(each, provider, names) for each in content if not isinstance(each, Text)]
        written |= {"parts": parts} if parts else {}
    return written


def _object_in(text: str) -> dict[str, JsonValue] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _media(block: Media, provider: str) -> dict[str, JsonValue]:
    detail = block.detail if isinstance(block, Image) else None
    more: dict[str, JsonValue] = {}
    if detail not in {None, "auto"}:
        if detail not in _DETAILS:
            raise UnsupportedError(
                API, f"looking at a picture in {detail!r} detail", hint="Choose low, medium or high."
            )
        more["mediaResolution"] = {"level": _DETAILS[detail]}
    name = block.name if isinstance(block, Document) and provider == VERTEX else None
    if block.data is not None:
        held = _set(mimeType=media_type_of(block), data=as_base64(block.data), displayName=name)
        return {"inlineData": held, **more}
    return {"fileData": _set(mimeType=_type_of(block, provider), fileUri=_address(block), displayName=name), **more}


def _address(block: Media) -> str:
    given = block.url or block.file_id or ""
    return FILES + given if given.startswith("files/") else given


def _type_of(block: Media, provider: str) -> str | None:
    """Return the media type of a file at an address; Vertex will not do without."""
    guessed = block.media_type or mimetypes.guess_type(_address(block).partition("?")[0])[0]
    return guessed or (media_type_of(block) if provider == VERTEX else None)


def _set(**fields: JsonValue) -> dict[str, JsonValue]:
    return {name: value for name, value in fields.items() if value is not None}


def merged(one: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return both objects in one, objects within them too; elsewhere the other's value holds."""
    both = dict(one)
    for name, value in other.items():
        before = both.get(name)
        both[name] = merged(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return both


def block_of(part: Mapping[str, Any], provider: str) -> Block:
    """Return the block of a part of an answer; a kind that only Google knows is kept whole.

    A signature that comes with an empty text, or alone, is such a kind: it belongs to the turn and to no word in it.
    """
    given = dict(part)
    if isinstance(given.get("functionCall"), dict):
        return _call(given, provider)
    if isinstance(given.get("inlineData"), dict) and not given.get("thought"):
        return _held(given, provider) or ProviderBlock(provider=provider, value=given)
    text = text_of(given.get("text"))
    if given.get("thought") is True and not set(given) - {"text", "thought", "thoughtSignature"}:
        return Reasoning(text=text, signature=text_of(given.get("thoughtSignature")), provider=provider)
    if text is None or given.get("thought") or (not text and "thoughtSignature" in given):
        return ProviderBlock(provider=provider, value=given)
    return Text(text=text, provider_data=kept_for(provider, further(given, "text", "thought")))


def _call(part: dict[str, Any], provider: str) -> ToolCall:
    call = object_of(part["functionCall"])
    arguments = {} if call.get("args") is None else call["args"]
    own = further(part, "functionCall")
    if more := further(call, "id", "name", "args"):
        own["functionCall"] = more
    return ToolCall(
        name=text_of(call.get("name")) or "",
        call_id=text_of(call.get("id")),
        arguments=arguments if isinstance(arguments, dict) else None,
        raw_arguments=text_of(arguments),
        provider_data=kept_for(provider, own),
    )


def _held(part: dict[str, Any], provider: str) -> Media | None:
    """Return the picture, sound or file that a part holds; None where its bytes cannot be read."""
    inner = object_of(part["inlineData"])
    data, media_type = from_base64(text_of(inner.get("data")) or ""), text_of(inner.get("mimeType"))
    if not data or media_type is None:
        return None
    own = further(part, "inlineData")
    if more := further(inner, "mimeType", "data"):
        own["inlineData"] = more
    block = _MEDIA.get(media_type.partition("/")[0].lower(), Document)
    return block(data=data, media_type=media_type, provider_data=kept_for(provider, own))
