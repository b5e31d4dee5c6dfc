"""Requests to bodies of chat completions and text completions."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.domain import (
    CompletionRequest,
    JsonValue,
    ProviderTool,
    ResponseSchema,
    Tool,
    ToolChoice,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners.openai_chat._dialect import ANY_SERVER, Dialect
from fieldguide.runners.openai_chat._messages import wire_messages


def request_body(
    request: CompletionRequest, *, model: str, stream: bool, dialect: Dialect = ANY_SERVER
) -> dict[str, JsonValue]:
    """Return the JSON body of a request; what the request leaves open is left out.

    Raises:
        UnsupportedError: It holds something for which the protocol has no words.
    """
    body: dict[str, JsonValue] = {"model": model}
    if request.messages is not None:
        body["messages"] = [each for message in request.messages for each in wire_messages(message, dialect)]
    else:
        body["prompt"] = request.prompt
    body |= {name: value for name, value in _optional(request, dialect) if value is not None}
    if request.reasoning is not None:
        body |= dialect.thinking(request.reasoning)
    if stream:
        body["stream"] = True
        if dialect.stream_usage:
            body["stream_options"] = {"include_usage": True}
    body = dialect.spelt(body)
    body |= dict(dialect.further or {}) | dict(request.extra.get(dialect.provider, {}))
    if stream and body.get("n") not in (None, 1):
        raise UnsupportedError(model, "several answers in one stream", hint="Leave `n` out, or do not stream.")
    return body


def _optional(request: CompletionRequest, dialect: Dialect) -> Iterator[tuple[str, JsonValue]]:
    yield dialect.max_tokens if request.prompt is None else "max_tokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "stop", list(request.stop) or None
    yield "seed", request.seed
    yield "top_k", request.top_k
    yield "frequency_penalty", request.frequency_penalty
    yield "presence_penalty", request.presence_penalty
    yield "tools", [wire_tool(tool, dialect.provider) for tool in request.tools] or None
    yield "tool_choice", wire_choice(request.tool_choice)
    yield "parallel_tool_calls", request.parallel_tool_calls
    yield "response_format", wire_format(request.response_schema)
    if request.prompt is not None:
        yield "logprobs", request.logprobs
    elif request.logprobs is not None:
        yield "logprobs", True
        yield "top_logprobs", request.logprobs or None


def wire_tool(tool: Tool | ProviderTool, provider: str) -> JsonValue:
    """Return a tool as it is sent."""
    if isinstance(tool, ProviderTool):
        return tool.value
    own = provider_fields(tool.provider_data, provider)
    function: dict[str, JsonValue] = {"name": tool.name}
    for name, value in (("description", tool.description), ("parameters", tool.parameters), ("strict", tool.strict)):
        if value is not None:
            function[name] = value
    return {"type": "function", "function": function, **own}


def wire_choice(choice: ToolChoice | None) -> JsonValue:
    """Return a choice of tools as it is sent."""
    if choice is None or choice.mode != "tool":
        return None if choice is None else choice.mode
    return {"type": "function", "function": {"name": choice.name}}


def wire_format(schema: ResponseSchema | None) -> JsonValue:
    """Return the form of an answer as it is sent."""
    if schema is None:
        return None
    if schema.schema is None:
        return {"type": "json_object"}
    described: dict[str, JsonValue] = {"name": schema.name or "answer", "schema": schema.schema}
    if schema.description is not None:
        described["description"] = schema.description
    if schema.strict is not None:
        described["strict"] = schema.strict
    return {"type": "json_schema", "json_schema": described}
