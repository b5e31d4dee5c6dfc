"""Blocks and messages as JSON and back, without loss. What is not set is not written."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from fieldguide.domain.content import KINDS, Block, KeptFile, ProviderBlock, ProviderData, ToolResult, kind_of
from fieldguide.domain.json_value import JsonValue
from fieldguide.domain.message import Message, Role

_CLASSES = {kind: block for block, kind in KINDS.items()}


def message_as_json(message: Message) -> dict[str, JsonValue]:
    """Return a message as JSON; one of plain text alone has `role` and `content` and nothing else."""
    content = message.content
    written: dict[str, JsonValue] = {
        "role": message.role,
        "content": content if isinstance(content, str) else [block_as_json(block) for block in content],
    }
    if message.name is not None:
        written["name"] = message.name
    if message.provider_data:
        written["provider_data"] = _data_as_json(message.provider_data)
    return written


def message_from_json(value: Mapping[str, Any]) -> Message:
    """Return the message that `message_as_json` wrote.

    Raises:
        ValueError: It is not such a value.
    """
    try:
        content = value["content"]
        return Message(
            role=cast(Role, str(value["role"])),
            content=content if isinstance(content, str) else tuple(block_from_json(block) for block in content),
            name=value.get("name"),
            provider_data=_data_from_json(value.get("provider_data") or ()),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a message: {error}") from error


def block_as_json(block: Block) -> dict[str, JsonValue]:
    """Return a block as JSON, its kind under `type`; bytes are written in base64."""
    written: dict[str, JsonValue] = {"type": kind_of(block)}
    for field in fields(block):
        value = getattr(block, field.name)
        if value is None or (field.name == "provider_data" and not value):
            continue
        written[field.name] = _as_json(field.name, value)
    return written


def _as_json(name: str, value: Any) -> JsonValue:
    if name == "provider_data":
        return _data_as_json(value)
    if name == "kept":
        return {"sha256": value.sha256, "bytes": value.size_bytes}
    if name == "data":
        return base64.b64encode(value).decode("ascii")
    if name == "content" and not isinstance(value, str):
        return [block_as_json(block) for block in value]
    return cast(JsonValue, value)


def block_from_json(value: Mapping[str, Any]) -> Block:
    """Return the block that `block_as_json` wrote.

    Raises:
        ValueError: It is not such a value.
    """
    given = dict(value)
    kind = given.pop("type", None)
    if kind not in _CLASSES:
        raise ValueError(f"there is no block of type {kind!r}")
    block = _CLASSES[kind]
    try:
        if block is not ProviderBlock:
            given["provider_data"] = _data_from_json(given.get("provider_data") or ())
            if "data" in given:
                given["data"] = base64.b64decode(given["data"], validate=True)
            if "kept" in given:
                given["kept"] = KeptFile(sha256=given["kept"]["sha256"], size_bytes=given["kept"]["bytes"])
        if block is ToolResult and not isinstance(given.get("content", ""), str):
            given["content"] = tuple(block_from_json(each) for each in given["content"])
        return block(**given)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a block of type {kind!r}: {error}") from error


def _data_as_json(data: tuple[ProviderData, ...]) -> list[JsonValue]:
    return [{"provider": each.provider, "fields": each.fields} for each in data]


def _data_from_json(value: Any) -> tuple[ProviderData, ...]:
    return tuple(ProviderData(provider=each["provider"], fields=each["fields"]) for each in value)
