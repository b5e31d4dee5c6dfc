"""Requests to bodies of `generateContent`."""

from __future__ import annotations

import base64
import re
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
    provider_fields,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners._json import object_of
from fieldguide.runners.gemini._content import API, merged, wire_parts

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "tool": "ANY"}
_ROLES = {"assistant": "model"}


_SEALING = re.compile(r"\bgemini-(?:[3-9]|\d\d)")
"""Models that refuse a call of theirs that comes back without its signature."""
_UNSEALED = base64.b64encode(b"skip_thought_signature_validator").decode()
"""What stands for the signature of a call that another model made.

References:
    https://ai.google.dev/gemini-api/docs/thought-signatures (the question on calls of other models).
"""


def request_body(request: CompletionRequest, *, model: str, provider: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request; its extra parameters join the body's objects, and hold where both say one.

    A conversation that another model began can be gone on with: where the model wants signatures, calls that have none
    say so.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    messages = request.messages or ()
    system, turns = _apart(messages)
    names = {call.call_id: call.name for each in messages for call in each.blocks if isinstance(call, ToolCall)}
    known = {call_id: name for call_id, name in names.items() if call_id is not None}
    contents = _contents(turns, provider, known)
    if _SEALING.search(model):
        for turn in contents:
            _mark_unsealed(turn["parts"])
    body: dict[str, JsonValue] = {"contents": contents}
    if words := [part for message in system for part in wire_parts(message.blocks, provider, known)]:
        body["systemInstruction"] = {"parts": words}
    if config := {name: value for name, value in _configured(request) if value is not None}:
        body["generationConfig"] = config
    if tools := _tools(request.tools, provider):
        body["tools"] = tools
    if choice := _choice(request):
        body["toolConfig"] = {"functionCallingConfig": choice}
    body = merged(body, request.extra.get(provider, {}))
    calling = object_of(object_of(body.get("toolConfig")).get("functionCallingConfig"))
    if calling.get("streamFunctionCallArguments"):
        raise UnsupportedError(API, "arguments of tools in pieces", hint="Leave `streamFunctionCallArguments` out.")
    return body


def _apart(messages: Sequence[Message]) -> tuple[Sequence[Message], Sequence[Message]]:
    """Return the system's words that come first, and the turns, among which the API has no place for the system."""
    count = next((place for place, each in enumerate(messages) if not _is_system(each)), len(messages))
    if any(_is_system(each) for each in messages[count:]):
        raise UnsupportedError(API, "words of the system within a conversation", hint="Put them first.")
    return messages[:count], messages[count:]


def _is_system(message: Message) -> bool:
    return message.role in {"system", "developer"}


def _contents(messages: Sequence[Message], provider: str, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the turns as they are sent: results of tools are the user's, and consecutive ones make one turn."""
    sent: list[dict[str, Any]] = []
    of_tools = False
    for message in messages:
        if message.name is not None:
            raise UnsupportedError(API, "names of speakers", hint="Say in words who speaks.")
        role = _ROLES.get(message.role, "user")
        parts = [{"text": message.content}] if message.content == "" else wire_parts(message.blocks, provider, names)
        joins = bool(sent) and sent[-1]["role"] == role == "user" and (of_tools or message.role == "tool")
        of_tools = message.role == "tool"
        if joins:
            sent[-1]["parts"] += parts
        else:
            sent.append({"role": role, "parts": parts, **provider_fields(message.provider_data, provider)})
    return sent


def _mark_unsealed(parts: list[Any]) -> None:
    """Mark the first call of a turn where it has no signature: of several calls at once only the first has one."""
    first = next((place for place, part in enumerate(parts) if "functionCall" in part), None)
    if first is not None and "thoughtSignature" not in parts[first]:
        parts[first] = {**parts[first], "thoughtSignature": _UNSEALED}


def _configured(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "maxOutputTokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "topP", request.top_p
    yield "topK", request.top_k
    yield "stopSequences", list(request.stop) or None
    yield "seed", request.seed
    yield "frequencyPenalty", request.frequency_penalty
    yield "presencePenalty", request.presence_penalty
    if request.logprobs is not None:
        yield "responseLogprobs", True
        yield "logprobs", request.logprobs or None
    if request.response_schema is not None:
        yield "responseMimeType", "application/json"
        yield "responseJsonSchema", _schema(request.response_schema)
    if request.reasoning is not None:
        yield "thinkingConfig", _thinking(request.reasoning) or None


def _schema(form: ResponseSchema) -> JsonValue:
    if form.description is not None:
        raise UnsupportedError(API, "a description of an answer's form", hint="Put it into the schema.")
    return form.schema


def _thinking(options: ReasoningOptions) -> dict[str, JsonValue]:
    """Return how to think: a budget (0 none, -1 the model's own choice) or a level; a summary shows the thoughts."""
    written: dict[str, JsonValue] = {}
    if options.budget_tokens is not None:
        written["thinkingBudget"] = options.budget_tokens
    elif options.enabled is not None and options.effort is None:
        written["thinkingBudget"] = -1 if options.enabled else 0
    if options.effort is not None:
        written["thinkingLevel"] = options.effort
    if options.summary is not None:
        if options.summary != "auto":
            raise UnsupportedError(API, "a choice of how thoughts are summed up", hint="Ask for `auto`.")
        written["includeThoughts"] = True
    return written


def _tools(tools: Sequence[Tool | ProviderTool], provider: str) -> list[JsonValue]:
    declared: list[JsonValue] = [_declared(tool, provider) for tool in tools if isinstance(tool, Tool)]
    own: list[JsonValue] = [tool.value for tool in tools if isinstance(tool, ProviderTool)]
    return [{"functionDeclarations": declared}, *own] if declared else own


def _declared(tool: Tool, provider: str) -> JsonValue:
    written: dict[str, JsonValue] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    if tool.parameters is not None:
        written["parametersJsonSchema"] = tool.parameters
    return written | provider_fields(tool.provider_data, provider)


def _choice(request: CompletionRequest) -> dict[str, JsonValue]:
    """Return how to choose among tools; where one is strict, calls are held to the schemas (`VALIDATED`, `ANY`)."""
    choice = request.tool_choice
    strict = any(isinstance(tool, Tool) and tool.strict for tool in request.tools)
    if strict and (choice is None or choice.mode == "auto"):
        return {"mode": "VALIDATED"}
    if choice is None:
        return {}
    written: dict[str, JsonValue] = {"mode": _MODES[choice.mode]}
    if choice.name is not None:
        written["allowedFunctionNames"] = [choice.name]
    return written
