"""Requests to bodies of Cohere's chat API, version 2."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from fieldguide.domain import (
    Block,
    CompletionRequest,
    Image,
    JsonValue,
    Message,
    ProviderBlock,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    Refusal,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    kind_of,
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._media import data_url

API = "Cohere's chat API"
PROVIDER = "cohere"
TOOL_FAILED = "The tool failed:\n"
"""Stands before the result of a tool that failed: the protocol has no other way to say so."""
PLAN = "tool_plan"
"""Field of a message for what a model means to do with its tools: reasoning, said in a place of its own."""


def request_body(request: CompletionRequest, *, model: str, stream: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a request.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    messages = [each for message in request.messages or () for each in wire_messages(message)]
    body: dict[str, JsonValue] = {"model": model, "messages": messages, "stream": stream}
    body |= {name: value for name, value in _optional(request) if value is not None}
    return body | dict(request.extra.get(PROVIDER, {}))


def _optional(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "max_tokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "p", request.top_p
    yield "k", request.top_k
    yield "stop_sequences", list(request.stop) or None
    yield "seed", request.seed
    yield "frequency_penalty", request.frequency_penalty
    yield "presence_penalty", request.presence_penalty
    yield "tools", [_tool(tool) for tool in request.tools] or None
    yield "strict_tools", _strict(request.tools)
    yield "tool_choice", _choice(request)
    yield "response_format", _format(request.response_schema)
    yield "thinking", _thinking(request.reasoning)


def _tool(tool: Tool | ProviderTool) -> JsonValue:
    if isinstance(tool, ProviderTool):
        return tool.value
    function: dict[str, JsonValue] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = {"type": "object", "properties": {}} if tool.parameters is None else tool.parameters
    return {"type": "function", "function": function, **provider_fields(tool.provider_data, PROVIDER)}


def _strict(tools: Sequence[Tool | ProviderTool]) -> bool | None:
    """Return whether calls have to follow the schemas: a word that holds for all tools of a request."""
    said = {tool.strict for tool in tools if isinstance(tool, Tool)}
    if True in said and len(said) > 1:
        raise UnsupportedError(API, "strict tools beside others", hint="Make all of them strict, or none.")
    return next(iter(said), None)


def _choice(request: CompletionRequest) -> str | None:
    choice = request.tool_choice
    if choice is None or choice.mode == "auto":
        return None
    if choice.mode == "tool":
        raise UnsupportedError(API, "the choice of one tool", hint="Offer this tool alone, and require a call.")
    return {"required": "REQUIRED", "none": "NONE"}[choice.mode]


def _format(form: ResponseSchema | None) -> JsonValue:
    if form is None:
        return None
    if form.description is not None:
        raise UnsupportedError(API, "a description of an answer's form", hint="Put it into the schema.")
    return {"type": "json_object"} | ({} if form.schema is None else {"json_schema": form.schema})


def _thinking(options: ReasoningOptions | None) -> JsonValue:
    if options is None:
        return None
    for name in ("effort", "summary"):
        if getattr(options, name) is not None:
            raise UnsupportedError(API, f"the reasoning option {name}", hint="Give a budget, or turn thought on.")
    written: dict[str, JsonValue] = {"type": "disabled" if options.enabled is False else "enabled"}
    if options.budget_tokens is not None:
        written["token_budget"] = options.budget_tokens
    return written


def wire_messages(message: Message) -> list[JsonValue]:
    """Return a turn as the messages it is sent as: each result of a tool is one of its own, before what is said."""
    if message.name is not None:
        raise UnsupportedError(API, "names of speakers", hint="Say in words who speaks.")
    results = [block for block in message.blocks if isinstance(block, ToolResult)]
    sent: list[JsonValue] = [_result(result) for result in results]
    rest = [block for block in message.blocks if not isinstance(block, ToolResult)]
    if results and not rest:
        return sent
    written: dict[str, JsonValue] = {"role": "system" if message.role == "developer" else message.role}
    if isinstance(message.content, str):
        written["content"] = message.content
    else:
        written |= _said(rest)
    return [*sent, written | provider_fields(message.provider_data, PROVIDER)]


def _said(blocks: Sequence[Block]) -> dict[str, JsonValue]:
    """Return what a turn holds: its plan, its words and thoughts, and its calls in a field each."""
    plans = [block.text or "" for block in blocks if isinstance(block, Reasoning) and _is_plan(block)]
    parts = [_part(block) for block in blocks if not (isinstance(block, ToolCall) or _is_plan(block))]
    calls = [_call(block) for block in blocks if isinstance(block, ToolCall)]
    written: dict[str, JsonValue] = {PLAN: "".join(plans)} if plans else {}
    if parts or not (plans or calls):
        written["content"] = parts
    return written | ({"tool_calls": calls} if calls else {})


def _is_plan(block: Block) -> bool:
    return isinstance(block, Reasoning) and provider_fields(block.provider_data, PROVIDER).get("field") == PLAN


def _call(call: ToolCall) -> JsonValue:
    arguments = (
        json.dumps(call.arguments or {}, ensure_ascii=False) if call.raw_arguments is None else call.raw_arguments
    )
    function: dict[str, JsonValue] = {"name": call.name, "arguments": arguments}
    written: dict[str, JsonValue] = {"id": call.call_id, "type": "function", "function": function}
    return written | provider_fields(call.provider_data, PROVIDER)


def _result(result: ToolResult) -> JsonValue:
    failed = TOOL_FAILED if result.is_error else ""
    content: JsonValue
    if isinstance(result.content, str):
        content = failed + result.content
    else:
        for block in result.content:
            if not isinstance(block, Text | ProviderBlock):
                raise UnsupportedError(API, f"{kind_of(block)} blocks in results of tools")
        parts = [_part(block) for block in result.content]
        content = [{"type": "text", "text": failed}, *parts] if failed else parts
    written: dict[str, JsonValue] = {"role": "tool", "tool_call_id": result.call_id, "content": content}
    return written | provider_fields(result.provider_data, PROVIDER)


def _part(block: Block) -> JsonValue:
    if isinstance(block, ProviderBlock):
        return block.value
    own = provider_fields(getattr(block, "provider_data", ()), PROVIDER)
    if isinstance(block, Text | Refusal):
        return {"type": "text", "text": block.text} | own
    if isinstance(block, Reasoning):
        return {"type": "thinking", "thinking": block.text or ""} | own
    if isinstance(block, Image) and block.file_id is None:
        image: dict[str, JsonValue] = {"url": data_url(block)}
        if block.detail is not None:
            image["detail"] = block.detail
        return {"type": "image_url", "image_url": image, **own}
    raise UnsupportedError(API, f"{kind_of(block)} blocks of this form")
