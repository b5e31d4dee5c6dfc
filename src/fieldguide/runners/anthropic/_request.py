"""Requests to bodies of Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fieldguide.domain import (
    CompletionRequest,
    JsonValue,
    Message,
    ProviderTool,
    ReasoningOptions,
    ResponseSchema,
    Tool,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners.anthropic._content import wire_blocks

API = "Anthropic's Messages API"
DEFAULT_MAX_TOKENS = 4096
"""Bound on an answer that a request leaves open: the API requires one, and every model takes this."""
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}


def request_body(request: CompletionRequest, *, model: str | None, stream: bool, provider: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request; `model` is None where the address names it.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    system, turns = _apart(request.messages or ())
    extra = {name: value for name, value in request.extra.get(provider, {}).items() if name != "betas"}
    body: dict[str, JsonValue] = {} if model is None else {"model": model}
    body["max_tokens"] = DEFAULT_MAX_TOKENS if request.max_output_tokens is None else request.max_output_tokens
    body["messages"] = _turns(turns, provider)
    body |= {name: value for name, value in _optional(request, system, provider) if value is not None}
    if stream:
        body["stream"] = True
    return body | extra


def betas(request: CompletionRequest, provider: str) -> list[str]:
    """Return the beta features that a request names under `betas` in its extra parameters; they go into a header."""
    named = request.extra.get(provider, {}).get("betas", ())
    return [str(each) for each in named] if isinstance(named, Sequence) and not isinstance(named, str) else []


def _optional(request: CompletionRequest, system: Sequence[Message], provider: str) -> Iterator[tuple[str, JsonValue]]:
    yield "system", _system(system, provider)
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "top_k", request.top_k
    yield "stop_sequences", list(request.stop) or None
    yield "tools", [_tool(tool, provider) for tool in request.tools] or None
    yield "tool_choice", _choice(request)
    yield "thinking", _thinking(request.reasoning)
    yield "output_config", _output(request.reasoning, request.response_schema)


def _apart(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """Return the system's words that come first, and the turns.

    Later words of the system are turns of their own; models before Claude Opus 4.8 refuse them.
    """
    count = next((place for place, each in enumerate(messages) if not _is_system(each)), len(messages))
    return messages[:count], messages[count:]


def _is_system(message: Message) -> bool:
    return message.role in {"system", "developer"}


def _system(messages: Sequence[Message], provider: str) -> JsonValue:
    if len(messages) == 1 and isinstance(messages[0].content, str):
        return messages[0].content
    return [block for message in messages for block in wire_blocks(message.blocks, provider)] or None


def _turns(messages: Sequence[Message], provider: str) -> list[JsonValue]:
    """Return the turns as they are sent: results of tools are the user's, and consecutive ones make one turn."""
    sent: list[dict[str, Any]] = []
    of_tools = False
    for message in messages:
        if message.name is not None:
            raise UnsupportedError(API, "names of speakers", hint="Say in words who speaks.")
        role = {"tool": "user", "developer": "system"}.get(message.role, message.role)
        content: Any = message.content if isinstance(message.content, str) else wire_blocks(message.content, provider)
        joins = of_tools and role == "user"
        of_tools = message.role == "tool"
        if joins:
            sent[-1]["content"] = [*_as_list(sent[-1]["content"]), *_as_list(content)]
        else:
            sent.append({"role": role, "content": content, **provider_fields(message.provider_data, provider)})
    return list(sent)


def _as_list(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _tool(tool: Tool | ProviderTool, provider: str) -> JsonValue:
    if isinstance(tool, ProviderTool):
        return tool.value
    written: dict[str, JsonValue] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    written["input_schema"] = {"type": "object", "properties": {}} if tool.parameters is None else tool.parameters
    if tool.strict is not None:
        written["strict"] = tool.strict
    return written | provider_fields(tool.provider_data, provider)


def _choice(request: CompletionRequest) -> JsonValue:
    choice, parallel = request.tool_choice, request.parallel_tool_calls
    if choice is None and parallel is None:
        return None
    written: dict[str, JsonValue] = {"type": "auto" if choice is None else _CHOICES[choice.mode]}
    if choice is not None and choice.name is not None:
        written["name"] = choice.name
    if parallel is not None:
        written["disable_parallel_tool_use"] = not parallel
    return written


def _thinking(options: ReasoningOptions | None) -> JsonValue:
    if options is None:
        return None
    if options.summary is not None:
        raise UnsupportedError(API, "a choice of how thoughts are summed up", hint="Leave `summary` out.")
    if options.budget_tokens is not None:
        return {"type": "enabled", "budget_tokens": options.budget_tokens}
    return None if options.enabled is None else {"type": "adaptive" if options.enabled else "disabled"}


def _output(options: ReasoningOptions | None, schema: ResponseSchema | None) -> JsonValue:
    written: dict[str, JsonValue] = {}
    if options is not None and options.effort is not None:
        written["effort"] = options.effort
    if schema is not None and schema.description is not None:
        raise UnsupportedError(API, "a description of an answer's form", hint="Put it into the schema.")
    if schema is not None:
        written["format"] = {"type": "json_schema", "schema": schema.schema}
    return written or None
