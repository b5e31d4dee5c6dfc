"""Requests to bodies of DashScope's own API: a model, an input, and parameters."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.domain import CompletionRequest, EmbeddingRequest, JsonValue, ReasoningOptions, ToolChoice
from fieldguide.errors import UnsupportedError
from fieldguide.runners.model_studio._messages import API, PROVIDER, wire_messages
from fieldguide.runners.openai_chat._request import wire_choice, wire_format, wire_tool


def request_body(request: CompletionRequest, *, model: str, stream: bool, in_parts: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a conversation; extra parameters stand among the parameters.

    Args:
        request: What is asked.
        model: Model id.
        stream: Whether the answer is to come in pieces; each is then only what is new.
        in_parts: Whether the multimodal endpoint is asked, whose messages have parts.

    Raises:
        UnsupportedError: It holds something for which the API has no words.
    """
    turns = [each for message in request.messages or () for each in wire_messages(message, in_parts=in_parts)]
    parameters: dict[str, JsonValue] = {"result_format": "message"}
    parameters |= {name: value for name, value in _parameters(request) if value is not None}
    if request.reasoning is not None:
        parameters |= thinking(request.reasoning)
    if stream:
        parameters["incremental_output"] = True
    parameters |= dict(request.extra.get(PROVIDER, {}))
    if stream and (parameters["incremental_output"] is not True or parameters.get("n") not in (None, 1)):
        raise UnsupportedError(API, "streams that repeat themselves, or of several answers", hint="Do not stream.")
    return {"model": model, "input": {"messages": turns}, "parameters": parameters}


def _parameters(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "max_tokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "top_k", request.top_k
    yield "seed", request.seed
    yield "stop", list(request.stop) or None
    yield "tools", [wire_tool(tool, PROVIDER) for tool in request.tools] or None
    yield "tool_choice", _choice(request.tool_choice)
    yield "parallel_tool_calls", request.parallel_tool_calls
    yield "response_format", wire_format(request.response_schema)
    if request.logprobs is not None:
        yield "logprobs", True
        yield "top_logprobs", request.logprobs or None


def _choice(choice: ToolChoice | None) -> JsonValue:
    if choice is not None and choice.mode == "required":
        raise UnsupportedError(API, "the wish that some tool be called", hint="Name the tool.")
    return wire_choice(choice)


def thinking(options: ReasoningOptions) -> dict[str, JsonValue]:
    """Return the fields by which Qwen models are told how much to think: a switch, and most tokens.

    Raises:
        UnsupportedError: An effort or a summary is asked for.
    """
    for name in ("effort", "summary"):
        if getattr(options, name) is not None:
            raise UnsupportedError(API, f"the reasoning option {name}", hint="Give `enabled` or a budget.")
    fields = {"enable_thinking": options.enabled, "thinking_budget": options.budget_tokens}
    return {name: value for name, value in fields.items() if value is not None}


def embedding_body(request: EmbeddingRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request for vectors; the purpose is DashScope's `text_type`."""
    parameters = {"dimension": request.dimensions, "text_type": request.purpose}
    known = {name: value for name, value in parameters.items() if value is not None}
    return {
        "model": model,
        "input": {"texts": list(request.texts)},
        "parameters": {**known, **request.extra.get(PROVIDER, {})},
    }
