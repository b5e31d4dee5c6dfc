"""Ollama's own API, and its OpenAI-compatible one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import ollama as official
import yaml

from fieldguide.domain import (
    Block,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    Image,
    Message,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    kept_for,
)
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners._media import from_base64
from fieldguide.runners.ollama import (
    PROVIDER,
    OllamaRunner,
    StreamedAnswer,
    embed_body,
    error_of,
    older_embed_body,
    open_runner,
    parse_completion,
    parse_embeddings,
    request_body,
)
from fieldguide.runners.ollama._messages import wire_turn
from fieldguide.runners.openai_chat import ANY_SERVER
from fieldguide.runners.openai_compatible import open_runner as open_compatible
from tests.support.replay import Allowed, Exchange, Replay, SkippedError, without_nulls
from tests.support.replays import _openai_chat as compatible
from tests.support.shared import shared

_KNOWN = {
    "model", "messages", "prompt", "stream", "tools", "format", "think", "logprobs", "top_logprobs", "options",
}  # fmt: skip
_OPTIONS = {
    "num_predict": "max_output_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    "seed": "seed", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip


def read(exchange: Exchange) -> CompletionRequest:
    """Read a request to /api/chat or /api/generate."""
    body = exchange.body
    if not isinstance(body, dict) or "model" not in body or not ("messages" in body or "prompt" in body):
        raise SkippedError("neither a conversation nor a text to continue")
    options = dict(body.get("options") or {})
    stop = options.pop("stop", None) or ()
    own: dict[str, Any] = {name: value for name, value in body.items() if name not in _KNOWN and not _is_empty(value)}
    if "prompt" in body:
        own["raw"] = bool(body.get("raw"))
    if further := {name: value for name, value in options.items() if name not in _OPTIONS}:
        own["options"] = further
    form, think = body.get("format"), body.get("think")
    return CompletionRequest(
        messages=tuple(_message(message) for message in body["messages"]) if "messages" in body else None,
        prompt=body.get("prompt"),
        tools=tuple(_tool(tool) for tool in body.get("tools") or ()),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        response_schema=ResponseSchema(schema=None if form == "json" else form) if form else None,
        reasoning=None if think is None else _reasoning(think),
        logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        extra={PROVIDER: own} if own else {},
        **{ours: options[theirs] for theirs, ours in _OPTIONS.items() if theirs in options},
    )


def _reasoning(think: bool | str) -> ReasoningOptions:
    return ReasoningOptions(enabled=think) if isinstance(think, bool) else ReasoningOptions(effort=think)


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    function = tool.get("function") or {}
    if set(tool) == {"type", "function"} and set(function) == {"name", "description", "parameters"}:
        return Tool(**function)
    return ProviderTool(provider=PROVIDER, value=tool)


def _message(message: Mapping[str, Any]) -> Message:
    own = _other(message, "role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id")
    data = kept_for(PROVIDER, own)
    if message["role"] == "tool":
        result = ToolResult(
            call_id=message.get("tool_call_id"),
            name=message.get("tool_name"),
            content=message["content"],
            provider_data=data,
        )
        return Message(role="tool", content=(result,))
    blocks: list[Block] = []
    if message.get("thinking"):
        blocks.append(Reasoning(text=message["thinking"], provider=PROVIDER))
    if message.get("content"):
        blocks.append(Text(text=message["content"]))
    for text in message.get("images") or ():
        image = from_base64(text)
        if image is None:
            raise SkippedError("a picture by its name on the client's machine")
        blocks.append(Image(data=image))
    blocks += [_call(call) for call in message.get("tool_calls") or ()]
    return Message(role=message["role"], content=tuple(blocks), provider_data=data)


def _call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    own = _other(call, "id", "function")
    if inner := _other(function, "name", "arguments"):
        own["function"] = inner
    return ToolCall(
        name=function["name"],
        call_id=call.get("id"),
        arguments=function["arguments"],
        provider_data=kept_for(PROVIDER, own),
    )


def _other(value: Mapping[str, Any], *known: str) -> dict[str, Any]:
    return {name: each for name, each in value.items() if name not in known and each}


def write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    """Return our body."""
    return request_body(request, model=exchange.body["model"], stream=_streams(exchange))


def _streams(exchange: Exchange) -> bool:
    return bool(exchange.body.get("stream", True))


def parse(exchange: Exchange) -> Completion:
    """Parse the recorded response."""
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    if not exchange.streamed:
        return parse_completion(exchange.text, e2e_latency_s=1.0)
    answer = StreamedAnswer(began_s=0.0)
    for line in exchange.text.splitlines():
        if line.strip():
            answer.take(line, now_s=1.0)
    return answer.completion(now_s=2.0)


def oracle(exchange: Exchange) -> Any:
    """Return what Ollama's library exposes of an answer; the lines of a stream are joined as its README does."""
    kind = official.ChatResponse if exchange.path == "/api/chat" else official.GenerateResponse
    read = [kind(**json.loads(line)).model_dump(mode="json") for line in exchange.text.splitlines() if line.strip()]
    whole = dict(read[-1])
    if exchange.path == "/api/chat":
        whole["message"] = _joined([each["message"] for each in read])
    else:
        whole |= _joined(read)
    whole["logprobs"] = [token for each in read for token in each.get("logprobs") or ()]
    return without_nulls(whole)


def _joined(turns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    joined = dict(turns[-1])
    for name in ("content", "response", "thinking"):
        if any(turn.get(name) is not None for turn in turns):
            joined[name] = "".join(turn.get(name) or "" for turn in turns) or None
    for name in ("tool_calls", "images"):
        joined[name] = [each for turn in turns for each in turn.get(name) or ()]
    return joined


def restored(completion: Completion) -> Any:
    """Return the body that our value stands for, with the fields of both endpoints."""
    turn = wire_turn(completion.reply.blocks)
    turn["content"] = turn["content"] or None
    logprobs = completion.logprobs
    return {
        **completion.metadata,
        **(completion.raw_usage if isinstance(completion.raw_usage, dict) else {}),
        "model": completion.model,
        "done": True,
        "done_reason": completion.raw_finish_reason,
        "message": {"role": "assistant", **turn},
        "response": turn["content"],
        "thinking": turn.get("thinking"),
        "logprobs": None if logprobs is None else [{"token": each.token, "logprob": each.logprob} for each in logprobs],
    }


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    document = yaml.safe_load(shared("specs", "ollama-openapi.yaml").read_text(encoding="utf-8"))
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)


def schema_errors(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    """Return what Ollama's OpenAPI document has against a body."""
    name = "ChatRequest" if exchange.path == "/api/chat" else "GenerateRequest"
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator(name).iter_errors(dict(body))]


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})


def _filled(value: Mapping[str, Any], *kept: str) -> dict[str, Any]:
    return {name: each for name, each in value.items() if not _is_empty(each) or name in kept}


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without what is empty, and with the defaults that the API has."""
    options = _filled(body.pop("options", None) or {})
    if isinstance(options.get("stop"), str):
        options["stop"] = [options["stop"]]
    body = _filled({**body, "options": options}, "prompt", "messages")
    if "messages" in body:
        body["messages"] = [_filled(message) for message in body["messages"]]
    body["stream"] = body.get("stream", True)
    if "prompt" in body:
        body["raw"] = body.get("raw", False)
    return body


def _uncut(body: dict[str, Any]) -> dict[str, Any]:
    body.pop("truncate", None)
    body.pop("shift", None)
    return body


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_runner(exchange.body["model"], replace(settings, environment={"OLLAMA_HOST": url}))


async def _open_compatible(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_compatible(f"{url}{exchange.path.partition('/chat/')[0]}#{exchange.body['model']}", settings)


def read_embedding(exchange: Exchange) -> EmbeddingRequest:
    """Read a request to /api/embed or /api/embeddings."""
    body = exchange.body
    given = body["prompt"] if _is_older(exchange) else body["input"]
    own = {name: value for name, value in body.items() if name not in {"model", "input", "prompt", "dimensions"}}
    return EmbeddingRequest(
        texts=(given,) if isinstance(given, str) else tuple(given),
        dimensions=body.get("dimensions"),
        extra={PROVIDER: {name: value for name, value in own.items() if value}},
    )


def _is_older(exchange: Exchange) -> bool:
    return exchange.path == "/api/embeddings"


def _write_embedding(request: EmbeddingRequest, exchange: Exchange) -> Mapping[str, Any]:
    return (older_embed_body if _is_older(exchange) else embed_body)(request, model=exchange.body["model"])


def _parse_embedding(exchange: Exchange) -> EmbeddingResult:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_embeddings(exchange.text, e2e_latency_s=1.0)


def _embedding_oracle(exchange: Exchange) -> Any:
    body = json.loads(exchange.text)
    if _is_older(exchange):
        return {"embeddings": [official.EmbeddingsResponse(**body).embedding]}
    return without_nulls(official.EmbedResponse(**body).model_dump(mode="json"))


def _embedding_restored(result: EmbeddingResult) -> Any:
    counts = result.raw_usage if isinstance(result.raw_usage, dict) else {}
    return {**counts, "model": result.model, "embeddings": [list(vector) for vector in result.vectors]}


def _one_list(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("input"), str):
        body["input"] = [body["input"]]
    return {name: value for name, value in body.items() if value not in (None, [], {}) and name != "truncate"}


def _embed_schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    if _is_older(exchange):
        return ()
    return [f"{error.json_path}: {error.message[:200]}" for error in _validator("EmbedRequest").iter_errors(dict(body))]


async def _open_embed(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    endpoint = {"endpoint": "embeddings"} if _is_older(exchange) else {}
    return await _open(url, exchange, replace(settings, options=endpoint))


async def _embed(runner: OllamaRunner, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


_READER = compatible.Reader(ANY_SERVER)

REPLAYS = (
    Replay(
        provider="ollama",
        recordings=("ollama/chat", "ollama/generate"),
        read=read,
        write=write,
        parse=parse,
        oracle=oracle,
        restored=restored,
        allowed=(
            Allowed(
                reason="empty fields are left out; `stream` defaults to true and `raw` to false, which we always state",
                normal=_plain,
            ),
            Allowed(reason="a prompt that does not fit is to be an error, and is not cut silently", normal=_uncut),
        ),
        schema_errors=schema_errors,
        open=_open,
        streams=_streams,
    ),
    Replay(
        provider="ollama",
        recordings=("ollama/embed",),
        read=read_embedding,
        write=_write_embedding,
        parse=_parse_embedding,
        oracle=_embedding_oracle,
        restored=_embedding_restored,
        allowed=(
            Allowed(
                reason="one text stands in a list, empty fields are left out, and a text that does not fit is an error",
                normal=_one_list,
            ),
        ),
        schema_errors=_embed_schema,
        open=_open_embed,
        ask=_embed,
    ),
    Replay(
        provider="openai-compatible",
        recordings=("ollama/compatible",),
        read=_READER.request,
        write=_READER.write,
        parse=_READER.parse,
        oracle=compatible.oracle,
        restored=_READER.restored,
        allowed=compatible.ALLOWED,
        open=_open_compatible,
    ),
)
