"""What all recordings of Anthropic's Messages API have in common, with Anthropic's own library as the judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import httpx2
from anthropic._models import construct_type
from anthropic.lib.streaming._beta_messages import accumulate_event
from anthropic.types.beta import BetaMessage

from fieldguide.domain import (
    Block,
    Completion,
    CompletionRequest,
    Document,
    Image,
    Message,
    ProviderBlock,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    ResultBlock,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    kept_for,
)
from fieldguide.runners._media import from_base64
from fieldguide.runners.anthropic import PROVIDER, StreamedAnswer, error_of, parse_completion, request_body
from fieldguide.runners.anthropic._content import wire_blocks
from tests.support.replay import Allowed, Exchange, SkippedError, sse_data, without_nulls

_KNOWN = {
    "model", "max_tokens", "messages", "system", "temperature", "top_p", "top_k", "stop_sequences", "tools",
    "tool_choice", "thinking", "output_config", "stream",
}  # fmt: skip
_CHOICES = {"auto": "auto", "none": "none", "any": "required", "tool": "tool"}


def read(exchange: Exchange) -> CompletionRequest:
    """Read a recorded request."""
    body = exchange.body
    if not isinstance(body, dict) or "messages" not in body or "max_tokens" not in body:
        raise SkippedError("no conversation in the request")
    if not all(isinstance(each, dict) for each in body["messages"]):
        raise SkippedError("turns that are no objects")
    extra = {name: value for name, value in body.items() if name not in _KNOWN}
    choice, parallel, extra = _choice(body.get("tool_choice"), extra)
    options, schema, extra = _options(body.get("thinking"), body.get("output_config") or {}, extra)
    system = body.get("system")
    first = () if system is None else (Message(role="system", content=_content(system)),)
    return CompletionRequest(
        messages=(
            *first,
            *(Message(role=each["role"], content=_content(each["content"])) for each in body["messages"]),
        ),
        max_output_tokens=body["max_tokens"],
        temperature=body.get("temperature"),
        top_p=body.get("top_p"),
        top_k=body.get("top_k"),
        stop=tuple(body.get("stop_sequences") or ()),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        response_schema=schema,
        reasoning=options,
        extra={PROVIDER: extra} if extra else {},
    )


def _choice(given: Any, extra: dict[str, Any]) -> tuple[ToolChoice | None, bool | None, dict[str, Any]]:
    if given is None:
        return None, None, extra
    if set(given) - {"type", "name", "disable_parallel_tool_use"}:
        return None, None, {**extra, "tool_choice": given}
    disabled = given.get("disable_parallel_tool_use")
    choice = ToolChoice(mode=cast(Any, _CHOICES[given["type"]]), name=given.get("name"))
    return choice, None if disabled is None else not disabled, extra


def _options(
    thinking: Any, output: dict[str, Any], extra: dict[str, Any]
) -> tuple[ReasoningOptions | None, ResponseSchema | None, dict[str, Any]]:
    given: dict[str, Any] = {}
    if thinking is not None and set(thinking) <= {"type", "budget_tokens"}:
        budget = thinking.get("budget_tokens")
        given = {"budget_tokens": budget} if budget else {"enabled": thinking["type"] != "disabled"}
    elif thinking is not None:
        extra = {**extra, "thinking": thinking}
    form = output.get("format")
    if set(output) - {"effort", "format"} or (form is not None and form["type"] != "json_schema"):
        return (ReasoningOptions(**given) if given else None), None, {**extra, "output_config": output}
    if "effort" in output:
        given["effort"] = output["effort"]
    schema = None if form is None else ResponseSchema(schema=form["schema"])
    return (ReasoningOptions(**given) if given else None), schema, extra


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    if tool.get("type") not in {None, "custom"} or "input_schema" not in tool:
        return ProviderTool(provider=PROVIDER, value=tool)
    known = {"name", "description", "input_schema", "strict"}
    return Tool(
        name=tool["name"],
        description=tool.get("description"),
        parameters=tool["input_schema"],
        strict=tool.get("strict"),
        provider_data=kept_for(PROVIDER, {name: each for name, each in tool.items() if name not in known}),
    )


def _content(content: Any) -> str | tuple[Block, ...]:
    return content if isinstance(content, str) else tuple(_block(part) for part in content)


def _rest(part: Mapping[str, Any], *known: str) -> Any:
    return kept_for(PROVIDER, {name: value for name, value in part.items() if name not in {"type", *known}})


def _block(part: Mapping[str, Any]) -> Block:
    kind = part["type"]
    if kind == "text":
        return Text(text=part["text"], provider_data=_rest(part, "text"))
    if kind in {"image", "document"} and (found := _media(part)) is not None:
        return found
    if kind == "tool_use":
        return ToolCall(
            name=part["name"],
            call_id=part["id"],
            arguments=part["input"],
            provider_data=_rest(part, "name", "id", "input"),
        )
    if kind == "tool_result":
        content = _content(part.get("content") or "")
        return ToolResult(
            call_id=part["tool_use_id"],
            content=content if isinstance(content, str) else cast("tuple[ResultBlock, ...]", content),
            is_error=part.get("is_error"),
            provider_data=_rest(part, "tool_use_id", "content", "is_error"),
        )
    if kind == "thinking":
        data = _rest(part, "thinking", "signature")
        return Reasoning(text=part["thinking"], signature=part.get("signature"), provider=PROVIDER, provider_data=data)
    if kind == "redacted_thinking":
        return Reasoning(encrypted=part["data"], provider=PROVIDER, provider_data=_rest(part, "data"))
    return ProviderBlock(provider=PROVIDER, value=part)


def _media(part: Mapping[str, Any]) -> Image | Document | None:
    source = part["source"]
    given: dict[str, Any] = {"provider_data": _rest(part, "source", "title")}
    if source["type"] == "url" and set(source) == {"type", "url"}:
        given["url"] = source["url"]
    elif source["type"] == "file":
        given["file_id"] = source["file_id"]
    elif source["type"] == "base64" and (data := from_base64(source["data"])) is not None:
        given |= {"data": data, "media_type": source["media_type"]}
    elif source["type"] == "text":
        given |= {"data": source["data"].encode(), "media_type": source["media_type"]}
    else:
        return None
    return Image(**given) if part["type"] == "image" else Document(name=part.get("title"), **given)


def write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    """Return our body."""
    model = exchange.body.get("model")
    return request_body(request, model=model, stream=bool(exchange.body.get("stream")), provider=PROVIDER)


def parse(exchange: Exchange) -> Completion:
    """Parse the recorded response."""
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    if not exchange.streamed:
        return parse_completion(exchange.text, e2e_latency_s=1.0, provider=PROVIDER)
    answer = StreamedAnswer(began_s=0.0, provider=PROVIDER)
    for event in sse_data(exchange.text):
        answer.take(json.dumps(event), now_s=1.0)
    return answer.completion(now_s=2.0)


def oracle(exchange: Exchange) -> Any:
    """Return what Anthropic's library exposes of an answer, a stream put together by its own means."""
    if not exchange.streamed:
        message = cast(BetaMessage, construct_type(type_=BetaMessage, value=json.loads(exchange.text)))
    else:
        found: Any = None
        buffers: dict[int, bytes] = {}
        for event in sse_data(exchange.text):
            if event.get("type") != "ping":
                found = accumulate_event(
                    event=event, current_snapshot=found, json_bufs=buffers, request_headers=httpx2.Headers()
                )
        message = found
    return without_nulls(
        message.model_dump(mode="json", warnings=False, exclude={"content": {"__all__": {"parsed_output"}}})
    )


def restored(completion: Completion) -> Any:
    """Return the message that ours stands for."""
    return {
        **completion.metadata,
        "type": "message",
        "role": completion.reply.role,
        "id": completion.response_id,
        "model": completion.model,
        "stop_reason": completion.raw_finish_reason,
        "usage": completion.raw_usage,
        "content": wire_blocks(completion.reply.blocks, PROVIDER),
    }


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    if not body.get("stream"):
        body.pop("stream", None)
    for name in ("tools", "stop_sequences"):
        if body.get(name) == []:
            del body[name]
    for name in [name for name, value in body.items() if value is None]:
        del body[name]
    for turn in body["messages"]:
        for part in turn["content"] if isinstance(turn["content"], list) else ():
            if part["type"] == "tool_result" and not part.get("content"):
                part.pop("content", None)
    return body


ALLOWED = (
    Allowed(
        reason="`stream: false`, an empty list of tools or stop texts, a null, and the empty content of a tool's "
        "result are left out",
        normal=_plain,
    ),
)
