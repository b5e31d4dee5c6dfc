"""Blocks to the content of Converse and back: each part is an object with one name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
    kind_of,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import further, object_of, objects_of, text_of
from fieldguide.runners._media import as_base64, format_of, from_base64, refuse_detail

PROVIDER = "bedrock"
API = "Bedrock's Converse API"
_NAMES: dict[type[Media], str] = {Image: "image", Audio: "audio", Video: "video", Document: "document"}
_FORMATS = {
    "plain": "txt",
    "markdown": "md",
    "msword": "doc",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "vnd.ms-excel": "xls",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "quicktime": "mov",
    "x-matroska": "mkv",
    "x-flv": "flv",
    "x-ms-wmv": "wmv",
    "3gpp": "three_gp",
    "jpg": "jpeg",
}
_TYPES = {short: long for long, short in _FORMATS.items() if long != "jpg"} | {"mp3": "mpeg"}
_REFUSED_IN_NAMES = re.compile(r"[^\w\s()\[\]-]")
"""A document's name may hold letters, digits, spaces, hyphens and brackets; a file name's dot would be refused."""
_OF_TEXT = {"txt", "md", "html", "csv"}


def wire_blocks(blocks: Sequence[Block]) -> list[JsonValue]:
    """Return blocks as they are sent.

    Raises:
        UnsupportedError: One is of a kind that the API does not take.
    """
    return [_block(block) for block in blocks]


def _block(block: Block) -> JsonValue:
    if isinstance(block, ProviderBlock):
        return block.value
    own = provider_fields(block.provider_data, PROVIDER)
    if isinstance(block, Text | Refusal):
        return own if "citationsContent" in own else {"text": block.text}
    if isinstance(block, Reasoning):
        return {"reasoningContent": own | _thought(block)}
    if isinstance(block, ToolCall):
        if block.arguments is None:
            raise UnsupportedError(API, f"a call of {block.name} whose arguments are no JSON object")
        return {"toolUse": {"toolUseId": block.call_id, "name": block.name, "input": block.arguments} | own}
    if isinstance(block, ToolResult):
        return {"toolResult": _result(block) | own}
    if isinstance(block, Image | Audio | Video | Document):
        return {_NAMES[type(block)]: _media(block) | own}
    raise UnsupportedError(API, f"{kind_of(block)} blocks")


def _thought(block: Reasoning) -> dict[str, JsonValue]:
    if block.encrypted is not None:
        return {"redactedContent": block.encrypted}
    seal: dict[str, JsonValue] = {} if block.signature is None else {"signature": block.signature}
    return {"reasoningText": {"text": block.text or "", **seal}}


def _result(block: ToolResult) -> dict[str, JsonValue]:
    content = block.content
    if isinstance(content, str):
        content = (Text(text=content),) if content else ()
    written: dict[str, JsonValue] = {"toolUseId": block.call_id, "content": wire_blocks(content)}
    if block.is_error is not None:
        written["status"] = "error" if block.is_error else "success"
    return written


def _media(block: Media) -> dict[str, JsonValue]:
    of_known_form = block.media_type is not None or block.url or (block.data or b"").startswith(b"%PDF")
    written: dict[str, JsonValue] = {}
    if of_known_form or not isinstance(block, Document):
        written["format"] = _format(block)
    if isinstance(block, Document):
        written["name"] = _REFUSED_IN_NAMES.sub("-", block.name or "document")
    refuse_detail(block, API)
    if block.data is not None:
        return {**written, "source": {"bytes": as_base64(block.data)}}
    if block.url is None or not block.url.startswith("s3://"):
        raise UnsupportedError(API, "media by address", hint="Give the bytes, or an address in S3 (s3://BUCKET/KEY).")
    return {**written, "source": {"s3Location": {"uri": block.url}}}


def _format(block: Media) -> str:
    if block.data is None and block.media_type is None and block.url and "." in block.url.rpartition("/")[2]:
        end = block.url.rpartition(".")[2].lower()
        return _FORMATS.get(end, end)
    short = format_of(block)
    return _FORMATS.get(short, short)


def block_of(part: Mapping[str, Any]) -> Block:
    """Return the block of a part; one of a kind that only Bedrock knows is kept whole."""
    name = next(iter(part), "")
    value = part.get(name)
    if len(part) != 1:
        return ProviderBlock(provider=PROVIDER, value=dict(part))
    if name == "text" and isinstance(value, str):
        return Text(text=value)
    given = object_of(value)
    if name == "citationsContent":
        said = "".join(text_of(each.get("text")) or "" for each in objects_of(given.get("content")))
        return Text(text=said, provider_data=kept_for(PROVIDER, dict(part)))
    if name == "reasoningContent":
        return _thought_of(given)
    if name == "toolUse" and given.get("type") != "server_tool_use":
        arguments = given.get("input")
        return ToolCall(
            name=text_of(given.get("name")) or "",
            call_id=text_of(given.get("toolUseId")),
            arguments=arguments if isinstance(arguments, dict) else None,
            raw_arguments=text_of(arguments),
            provider_data=kept_for(PROVIDER, further(given, "toolUseId", "name", "input")),
        )
    kinds = {short: kind for kind, short in _NAMES.items()}
    if name in kinds and (found := media_of(given, kinds[name])) is not None:
        return found
    return ProviderBlock(provider=PROVIDER, value=dict(part))


def _thought_of(given: dict[str, Any]) -> Reasoning:
    text = object_of(given.get("reasoningText"))
    return Reasoning(
        text=text_of(text.get("text")),
        signature=text_of(text.get("signature")),
        encrypted=text_of(given.get("redactedContent")),
        provider=PROVIDER,
        provider_data=kept_for(PROVIDER, further(given, "reasoningText", "redactedContent")),
    )


def media_of(given: dict[str, Any], kind: type[Media]) -> Media | None:
    """Return the picture, sound, film or file of a part; None where our blocks cannot say it."""
    source = object_of(given.get("source"))
    short = text_of(given.get("format"))
    taken: dict[str, Any] = {"media_type": _media_type(kind, short)}
    own = further(given, "format", "source", *(("name",) if kind is Document else ()))
    if isinstance(source.get("bytes"), str) and (data := from_base64(source["bytes"])) is not None:
        taken["data"] = data
    elif isinstance(source.get("text"), str) and kind is Document:
        taken["data"] = source["text"].encode()
    elif uri := text_of(object_of(source.get("s3Location")).get("uri")):
        taken["url"] = uri
        if set(object_of(source["s3Location"])) != {"uri"}:
            own["source"] = source
    else:
        return None
    if kind is Document:
        taken["name"] = text_of(given.get("name"))
    found = kind(**taken)
    if short is not None and _format(found) != short:
        own["format"] = short
    return replace(found, provider_data=kept_for(PROVIDER, own))


def _media_type(kind: type[Media], short: str | None) -> str | None:
    if short is None:
        return None
    room = {Image: "image", Audio: "audio", Video: "video"}.get(kind) or (
        "text" if short in _OF_TEXT else "application"
    )
    return f"{room}/{_TYPES.get(short, short)}"
