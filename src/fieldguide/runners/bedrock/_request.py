"""Requests to bodies of Converse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fieldguide.domain import (
    CompletionRequest,
    JsonValue,
    Message,
    ProviderTool,
    ReasoningOptions,
    ResponseSchema,
    Tool,
    ToolCall,
    ToolResult,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners.bedrock._content import API, PROVIDER, wire_blocks

_FAMILIES = ("anthropic", "amazon.nova", "openai", "deepseek", "qwen", "meta", "mistral", "cohere", "amazon.titan")
_FURTHER = "additionalModelRequestFields"
_HINT = "Give the model's own fields: `extra` of bedrock, `additionalModelRequestFields`."


def family_of(model: str) -> str | None:
    """Return the family of a model id, whatever region or ARN stands before it; None where the name does not tell."""
    name = f".{model.rpartition('/')[2]}"
    return next((family for family in _FAMILIES if f".{family}" in name), None)


def request_body(request: CompletionRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request; the model stands in its address, and decides how it is told to think.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    system, turns = _apart(request.messages or ())
    thinking, effort = _thinking(request.reasoning, model)
    body: dict[str, JsonValue] = {"messages": _turns(turns)}
    for name, value in (
        ("system", [part for each in system for part in wire_blocks(each.blocks)]),
        ("inferenceConfig", {name: value for name, value in _inference(request) if value is not None}),
        ("toolConfig", _tool_config(request)),
        ("outputConfig", {**_text_format(request.response_schema), **effort}),
        (_FURTHER, thinking),
    ):
        if value:
            body[name] = value
    return _joined(body, request.extra.get(PROVIDER, {}))


def _joined(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, JsonValue]:
    """Return a body with further fields; of objects that both have, the fields are joined."""
    joined = dict(body)
    for name, value in extra.items():
        known = joined.get(name)
        joined[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, Mapping) else value
    return joined


def _inference(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "maxTokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "topP", request.top_p
    yield "stopSequences", list(request.stop) or None


def _apart(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """Return the system's words that come first, and the turns; later ones are turns of the role `system`."""
    count = next((place for place, each in enumerate(messages) if not _is_system(each)), len(messages))
    return messages[:count], messages[count:]


def _is_system(message: Message) -> bool:
    return message.role in {"system", "developer"}


def _turns(messages: Sequence[Message]) -> list[JsonValue]:
    """Return the turns as they are sent: results of tools are the user's, and consecutive ones make one turn."""
    sent: list[dict[str, Any]] = []
    of_tools = False
    for message in messages:
        if message.name is not None:
            raise UnsupportedError(API, "names of speakers", hint="Say in words who speaks.")
        role = {"tool": "user", "developer": "system"}.get(message.role, message.role)
        content = wire_blocks(message.blocks)
        joins = bool(sent) and sent[-1]["role"] == role == "user" and (of_tools or message.role == "tool")
        of_tools = message.role == "tool"
        if joins:
            sent[-1]["content"] = [*sent[-1]["content"], *content]
        else:
            sent.append({"role": role, "content": content, **provider_fields(message.provider_data, PROVIDER)})
    return list(sent)


def _tool_config(request: CompletionRequest) -> dict[str, JsonValue]:
    """Return the tools and the choice among them.

    Converse has no word for a ban on calling them. It is kept by not showing them, which is refused by the service
    once the conversation has calls in it, and so refused here.
    """
    choice = request.tool_choice
    if choice is not None and choice.mode == "none":
        if any(isinstance(block, ToolCall | ToolResult) for each in request.messages or () for block in each.blocks):
            raise UnsupportedError(API, "a ban on calling tools after calls", hint="Leave the choice to the model.")
        return {}
    written: dict[str, JsonValue] = {}
    if request.tools:
        written["tools"] = [_tool(tool) for tool in request.tools]
    if choice is not None:
        name = {"auto": "auto", "required": "any", "tool": "tool"}[choice.mode]
        written["toolChoice"] = {name: {} if choice.name is None else {"name": choice.name}}
    return written


def _tool(tool: Tool | ProviderTool) -> JsonValue:
    if isinstance(tool, ProviderTool):
        return tool.value
    schema: JsonValue = {"type": "object", "properties": {}} if tool.parameters is None else tool.parameters
    written: dict[str, JsonValue] = {"name": tool.name, "inputSchema": {"json": schema}}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.strict is not None:
        written["strict"] = tool.strict
    return {"toolSpec": written | provider_fields(tool.provider_data, PROVIDER)}


def _text_format(schema: ResponseSchema | None) -> dict[str, JsonValue]:
    if schema is None:
        return {}
    if schema.strict is False:
        raise UnsupportedError(API, "a schema that need not be followed to the letter", hint="Leave `strict` out.")
    written: dict[str, JsonValue] = {"schema": json.dumps(schema.schema)}
    if schema.name is not None:
        written["name"] = schema.name
    if schema.description is not None:
        written["description"] = schema.description
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": written}}}


def _thinking(options: ReasoningOptions | None, model: str) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return how a family is told to think: fields of its own, and the effort in `outputConfig`."""
    if options is None:
        return {}, {}
    if options.summary is not None:
        raise UnsupportedError(API, "a choice of how thoughts are summed up", hint="Leave `summary` out.")
    family, effort = family_of(model), options.effort
    if family == "anthropic":
        own: dict[str, JsonValue] = {}
        if options.budget_tokens is not None:
            own = {"thinking": {"type": "enabled", "budget_tokens": options.budget_tokens}}
        elif options.enabled is not None:
            own = {"thinking": {"type": "adaptive" if options.enabled else "disabled"}}
        return own, {} if effort is None else {"effort": effort}
    if options.budget_tokens is not None:
        raise UnsupportedError(f"{model} over Converse", "a budget of thinking tokens", hint=_HINT)
    if family == "amazon.nova":
        on = options.enabled is not False
        more: dict[str, JsonValue] = {} if effort is None else {"maxReasoningEffort": effort}
        return {"reasoningConfig": {"type": "enabled" if on else "disabled", **more}}, {}
    if options.enabled is not None:
        raise UnsupportedError(f"{model} over Converse", "a switch for thinking", hint=_HINT)
    if family == "openai" and effort is not None:
        return {"reasoning_effort": effort}, {}
    return {}, {} if effort is None else {"effort": effort}
