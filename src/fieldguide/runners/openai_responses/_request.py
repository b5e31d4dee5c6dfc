"""Requests to bodies of the Responses API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fieldguide.domain import (
    CompletionRequest,
    JsonValue,
    Message,
    ProviderTool,
    ReasoningOptions,
    ResponseSchema,
    Tool,
    ToolChoice,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners.openai_responses._items import API, wire_items

_LOGPROBS = "message.output_text.logprobs"


def request_body(request: CompletionRequest, *, model: str, stream: bool, provider: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request. The system's first words, where they are plain, go as `instructions`.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    instructions, turns = _apart(request.messages or ())
    body: dict[str, JsonValue] = {"model": model}
    if items := [item for message in turns for item in wire_items(message, provider)]:
        body["input"] = items
    body |= {name: value for name, value in _optional(request, instructions, provider) if value is not None}
    if stream:
        body["stream"] = True
    extra = dict(request.extra.get(provider, {}))
    if request.logprobs is not None:
        named = extra.get("include")
        others = named if isinstance(named, Sequence) and not isinstance(named, str) else []
        extra["include"] = [*others, *([] if _LOGPROBS in others else [_LOGPROBS])]
    return body | extra


def _apart(messages: Sequence[Message]) -> tuple[str | None, Sequence[Message]]:
    if messages and messages[0].role == "system" and isinstance(messages[0].content, str):
        return messages[0].content, messages[1:]
    return None, messages


def _optional(request: CompletionRequest, instructions: str | None, provider: str) -> Iterator[tuple[str, JsonValue]]:
    yield "instructions", instructions
    yield "max_output_tokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "tools", [_tool(tool, provider) for tool in request.tools] or None
    yield "tool_choice", _choice(request.tool_choice)
    yield "parallel_tool_calls", request.parallel_tool_calls
    yield "text", _format(request.response_schema)
    yield "reasoning", _reasoning(request.reasoning)
    yield "top_logprobs", request.logprobs or None


def _tool(tool: Tool | ProviderTool, provider: str) -> JsonValue:
    if isinstance(tool, ProviderTool):
        return tool.value
    written: dict[str, JsonValue] = {"type": "function", "name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    written["parameters"] = {"type": "object", "properties": {}} if tool.parameters is None else tool.parameters
    written["strict"] = bool(tool.strict)  # left out, the API would hold any schema to its strict form
    return written | provider_fields(tool.provider_data, provider)


def _choice(choice: ToolChoice | None) -> JsonValue:
    if choice is None or choice.mode != "tool":
        return None if choice is None else choice.mode
    return {"type": "function", "name": choice.name}


def _format(schema: ResponseSchema | None) -> JsonValue:
    if schema is None:
        return None
    if schema.schema is None:
        return {"format": {"type": "json_object"}}
    described: dict[str, JsonValue] = {"type": "json_schema", "name": schema.name or "answer", "schema": schema.schema}
    if schema.description is not None:
        described["description"] = schema.description
    if schema.strict is not None:
        described["strict"] = schema.strict
    return {"format": described}


def _reasoning(options: ReasoningOptions | None) -> JsonValue:
    if options is None:
        return None
    for name in ("enabled", "budget_tokens"):
        if getattr(options, name) is not None:
            raise UnsupportedError(API, f"the reasoning option {name}", hint="Give an effort.")
    chosen: dict[str, JsonValue] = {}
    if options.effort is not None:
        chosen["effort"] = options.effort
    if options.summary is not None:
        chosen["summary"] = options.summary
    return chosen or None
