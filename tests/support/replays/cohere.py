"""Cohere's API, version 2."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.parser import BytesParser
from typing import Any, cast

import jsonschema
from cohere import EmbedByTypeResponse, V2ChatResponse, V2ChatStreamResponse
from cohere.core.unchecked_base_model import construct_type
from cohere.v2.types import V2RerankResponse

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
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
    TranscriptionRequest,
    kept_for,
)
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners._blocks import parsed_arguments
from fieldguide.runners._media import from_data_url
from fieldguide.runners.cohere import (
    PROVIDER,
    RerankRequest,
    StreamedAnswer,
    error_of,
    open_runner,
    parse_completion,
    request_body,
)
from fieldguide.runners.cohere._compatible import COMPATIBLE
from fieldguide.runners.cohere._media import (
    embedding_body,
    parse_embeddings,
    parse_ranks,
    parse_transcription,
    rerank_body,
    transcription_form,
)
from fieldguide.runners.cohere._request import PLAN, wire_messages
from tests.support.replay import Allowed, Exchange, Replay, SkippedError, sse_data, without_nulls
from tests.support.replays import _openai_chat
from tests.support.shared import shared

_CHAT = _openai_chat.Reader(COMPATIBLE)
_SAMPLED = {
    "max_tokens": "max_output_tokens", "temperature": "temperature", "p": "top_p", "k": "top_k", "seed": "seed",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip
_CHOICES: dict[str, Any] = {"REQUIRED": "required", "NONE": "none"}
_OLD = "version 1 of the API, which is not spoken"


def _read(exchange: Exchange) -> CompletionRequest:
    if "/v1/" in exchange.url or not isinstance(exchange.body, dict) or "messages" not in exchange.body:
        raise SkippedError(_OLD)
    body = {name: each for name, each in exchange.body.items() if name not in {"model", "stream"} and each is not None}
    given: dict[str, Any] = {ours: body.pop(name) for name, ours in _SAMPLED.items() if name in body}
    given["stop"] = tuple(body.pop("stop_sequences", ()))
    messages = tuple(_message(each) for each in body.pop("messages"))
    tools = tuple(_tool(each, body.get("strict_tools")) for each in body.pop("tools", ()))
    if any(isinstance(tool, Tool) for tool in tools):
        body.pop("strict_tools", None)
    if "tool_choice" in body:
        given["tool_choice"] = ToolChoice(mode=_CHOICES[body.pop("tool_choice")])
    form = body.get("response_format")
    if form and form["type"] == "json_object" and set(form) <= {"type", "json_schema"}:
        given["response_schema"] = ResponseSchema(schema=body.pop("response_format").get("json_schema"))
    if thinking := body.pop("thinking", None):
        enabled = thinking["type"] == "enabled"
        given["reasoning"] = ReasoningOptions(enabled=enabled, budget_tokens=thinking.get("token_budget"))
    return CompletionRequest(messages=messages, tools=tools, extra={PROVIDER: body} if body else {}, **given)


def _tool(tool: Mapping[str, Any], strict: bool | None) -> Tool | ProviderTool:
    function = tool["function"]
    if set(function) - {"name", "description", "parameters"} or "parameters" not in function:
        return ProviderTool(provider=PROVIDER, value=tool)
    return Tool(
        name=function["name"],
        description=function.get("description"),
        parameters=function["parameters"],
        strict=strict,
    )


def _message(message: Mapping[str, Any]) -> Message:
    role, content = message["role"], message.get("content")
    known = {"role", "content", "tool_calls", "tool_call_id", PLAN}
    own = kept_for(PROVIDER, {name: each for name, each in message.items() if name not in known})
    if role == "tool":
        parts = content or ()
        inner: Any = parts if isinstance(parts, str) else tuple(cast(ResultBlock, _block(each)) for each in parts)
        return Message(role="tool", content=(ToolResult(call_id=message["tool_call_id"], content=inner),))
    if isinstance(content, str) and not (message.get("tool_calls") or message.get(PLAN)):
        return Message(role=role, content=content, provider_data=own)
    plan = kept_for(PROVIDER, {"field": PLAN})
    return Message(
        role=role,
        content=(
            *((Reasoning(text=message[PLAN], provider=PROVIDER, provider_data=plan),) if message.get(PLAN) else ()),
            *((Text(text=content),) if isinstance(content, str) else (_block(part) for part in content or ())),
            *(_call(call) for call in message.get("tool_calls") or ()),
        ),
        provider_data=own,
    )


def _call(call: Mapping[str, Any]) -> ToolCall:
    arguments = call["function"]["arguments"]
    return ToolCall(
        name=call["function"]["name"],
        call_id=call["id"],
        arguments=parsed_arguments(arguments),
        raw_arguments=arguments,
    )


def _block(part: Mapping[str, Any]) -> Block:
    kind = part["type"]
    if kind == "text":
        return Text(text=part["text"])
    if kind == "thinking":
        return Reasoning(text=part["thinking"], provider=PROVIDER)
    if kind == "image_url" and isinstance(part["image_url"], dict) and set(part["image_url"]) <= {"url", "detail"}:
        url, detail = part["image_url"]["url"], part["image_url"].get("detail")
        found = from_data_url(url)
        if found is not None:
            return Image(data=found[0], media_type=found[1], detail=detail)
        return Image(url=url, detail=detail)
    return ProviderBlock(provider=PROVIDER, value=part)


def _write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    return request_body(request, model=exchange.body["model"], stream=bool(exchange.body.get("stream")))


def _parse(exchange: Exchange) -> Completion:
    _raise_for(exchange)
    if not exchange.streamed:
        return parse_completion(exchange.text, e2e_latency_s=1.0)
    answer = StreamedAnswer(began_s=0.0)
    for event in sse_data(exchange.text):
        answer.take(json.dumps(event), now_s=1.0)
    return answer.completion(now_s=2.0)


def _raise_for(exchange: Exchange) -> None:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)


def _exposed(kind: Any, value: Any) -> Any:
    found = cast(Any, construct_type(type_=kind, object_=value))
    return without_nulls(json.loads(found.json()))


def _oracle(exchange: Exchange) -> Any:
    """Return what Cohere's library exposes of an answer; events of a stream are put together in the plainest way."""
    if not exchange.streamed:
        return _exposed(V2ChatResponse, json.loads(exchange.text))
    whole: dict[str, Any] = {"message": {"role": "assistant"}}
    message: dict[str, Any] = whole["message"]
    parts: dict[int, dict[str, Any]] = {}
    calls: dict[int, dict[str, Any]] = {}
    for event in sse_data(exchange.text):
        seen = _exposed(V2ChatStreamResponse, event)
        delta = seen.get("delta", {})
        inner = delta.get("message", {})
        place = seen.get("index", 0)
        if seen["type"] == "message-start":
            whole["id"] = seen["id"]
        elif seen["type"] in {"content-start", "content-delta"}:
            part = parts.setdefault(place, {})
            for name, value in inner["content"].items():
                part[name] = value if name == "type" else part.get(name, "") + value
        elif seen["type"] == "tool-plan-delta":
            message[PLAN] = message.get(PLAN, "") + inner[PLAN]
        elif seen["type"] == "tool-call-start":
            calls[place] = inner["tool_calls"]
        elif seen["type"] == "tool-call-delta":
            calls[place]["function"]["arguments"] += inner["tool_calls"]["function"]["arguments"]
        elif seen["type"] == "citation-start":
            message.setdefault("citations", []).append(inner["citations"])
        elif seen["type"] == "message-end":
            whole |= delta
    message["content"] = [part for part in parts.values() if part.get("text") or part.get("thinking")]
    message["tool_calls"] = list(calls.values())
    return whole


def _restored(completion: Completion) -> Any:
    (message,) = wire_messages(completion.reply)
    return {
        **completion.metadata,
        "id": completion.response_id,
        "finish_reason": completion.raw_finish_reason,
        "usage": completion.raw_usage,
        "message": message,
    }


def _schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    document = json.loads(shared("specs", "cohere-v2-schemas.json").read_text())
    parts = [("ChatMessageV2", each) for each in body["messages"]]
    parts += [("ToolV2", each) for each in body.get("tools", ())]
    parts += [(name, body[field]) for field, name in _SCHEMAS.items() if field in body]
    return [
        f"{name}: {error.message[:200]}"
        for name, value in parts
        for error in jsonschema.Draft202012Validator(
            {"$ref": f"#/$defs/{name}", "$defs": document["$defs"]}
        ).iter_errors(value)
    ]


_SCHEMAS = {"thinking": "Thinking", "response_format": "ResponseFormatV2"}


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    body = {name: each for name, each in body.items() if each is not None and each != []}
    body["stream"] = bool(body.get("stream"))
    body["messages"] = [_spelt(message) for message in body["messages"]]
    return body


def _spelt(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: each for name, each in message.items() if each not in (None, [])}
    if isinstance(kept.get("content"), str) and ("tool_calls" in kept or PLAN in kept):
        kept["content"] = [{"type": "text", "text": kept["content"]}]
    return kept


def _read_texts(exchange: Exchange) -> Any:
    if "/v1/" in exchange.url:
        raise SkippedError(_OLD)
    body = {name: each for name, each in exchange.body.items() if name != "model" and each is not None}
    if "texts" not in body:
        raise SkippedError("vectors of other things than texts")
    texts, purpose = tuple(body.pop("texts")), body.pop("input_type", None)
    dimensions = body.pop("output_dimension", None)
    return EmbeddingRequest(texts=texts, purpose=purpose, dimensions=dimensions, extra={PROVIDER: body})


def _parse_vectors(exchange: Exchange) -> Any:
    _raise_for(exchange)
    return parse_embeddings(exchange.text, e2e_latency_s=1.0)


def _vectors(exchange: Exchange) -> Any:
    seen = _exposed(EmbedByTypeResponse, json.loads(exchange.text))
    by_type = {name.rstrip("_"): each for name, each in seen["embeddings"].items()}
    return {"id": seen["id"], "meta": seen.get("meta"), "vectors": next(iter(by_type.values()))}


def _restored_vectors(result: Any) -> Any:
    return {"id": result.response_id, "meta": result.raw_usage, "vectors": result.vectors}


def _without_nulls(body: dict[str, Any]) -> dict[str, Any]:
    return {name: each for name, each in body.items() if each is not None}


def _typed(body: dict[str, Any]) -> dict[str, Any]:
    return {"embedding_types": ["float"], **body}


def _read_ranked(exchange: Exchange) -> Any:
    body = exchange.body
    if not all(isinstance(each, str) for each in body["documents"]):
        raise SkippedError("documents that are no texts")
    return RerankRequest(
        query=body["query"],
        documents=tuple(body["documents"]),
        top_n=body.get("top_n"),
        max_tokens_per_document=body.get("max_tokens_per_doc"),
    )


def _parse_ranks(exchange: Exchange) -> Any:
    _raise_for(exchange)
    return parse_ranks(exchange.text, e2e_latency_s=1.0)


def _restored_ranks(result: Any) -> Any:
    ranked = [{"index": each.index, "relevance_score": each.relevance} for each in result.ranked]
    return {"id": result.response_id, "results": ranked, "meta": result.raw_usage}


def _form(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a recorded form, whose first line tells the line between them."""
    content = base64.b64decode(body["base64"])
    boundary = content.partition(b"\r\n")[0].removeprefix(b"--")
    head = b'Content-Type: multipart/form-data; boundary="' + boundary + b'"\r\n\r\n'
    parsed = BytesParser().parsebytes(head + content)
    parts = cast(Sequence[Any], parsed.get_payload())
    return {part.get_param("name", header="content-disposition"): part for part in parts}


def _read_speech(exchange: Exchange) -> Any:
    parts = _form(exchange.body)
    said = {name: part.get_payload(decode=True) for name, part in parts.items()}
    file = Audio(data=said.pop("file"), media_type=parts["file"].get_content_type())
    given = {name: value.decode() for name, value in said.items() if name != "model"}
    language, temperature = given.pop("language"), given.pop("temperature", None)
    return TranscriptionRequest(
        audio=file,
        language=language,
        temperature=None if temperature is None else float(temperature),
        extra={PROVIDER: dict(given)} if given else {},
    )


def _write_speech(request: Any, exchange: Exchange) -> Mapping[str, Any]:
    model = _form(exchange.body)["model"].get_payload()
    return {part.name: _value(part.value) for part in transcription_form(request, model=model)}


def _fields(body: dict[str, Any]) -> dict[str, Any]:
    if "base64" not in body:
        return body
    said = {name: part.get_payload(decode=True) for name, part in _form(body).items()}
    return {name: _value(value) if name == "file" else value.decode() for name, value in said.items()}


def _value(value: str | bytes) -> str:
    return value if isinstance(value, str) else base64.b64encode(value).decode()


def _parse_speech(exchange: Exchange) -> Any:
    _raise_for(exchange)
    return parse_transcription(exchange.text, e2e_latency_s=1.0)


def _settings(url: str, settings: RunnerSettings, **options: str) -> RunnerSettings:
    return replace(settings, environment={"COHERE_API_KEY": "not-a-key", "COHERE_BASE_URL": url}, options=options)


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_runner(exchange.body["model"], _settings(url, settings))


async def _open_compatible(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_runner(exchange.body["model"], _settings(url, settings, endpoint="compatible"))


async def _embed(runner: Any, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


async def _rerank(runner: Any, request: Any, stream: bool) -> Any:
    return await runner.rerank(request)


_NULLS = Allowed(reason="a null says nothing and is left out", normal=_without_nulls)

REPLAYS = (
    Replay(
        provider="cohere",
        recordings=("cohere/chat",),
        read=_read,
        write=_write,
        parse=_parse,
        oracle=_oracle,
        restored=_restored,
        allowed=(
            Allowed(
                reason="a null or an empty list says nothing; `stream` is always written; words beside calls of tools "
                "stand in a list of parts",
                normal=_plain,
            ),
        ),
        schema_errors=_schema,
        open=_open,
    ),
    Replay(
        provider="cohere",
        recordings=("cohere/embed",),
        read=_read_texts,
        write=lambda request, exchange: embedding_body(cast(Any, request), model=exchange.body["model"]),
        parse=_parse_vectors,
        oracle=_vectors,
        restored=_restored_vectors,
        allowed=(_NULLS, Allowed(reason="the type of vectors, `float`, is always written", normal=_typed)),
        open=_open,
        ask=_embed,
    ),
    Replay(
        provider="cohere",
        recordings=("cohere/rerank",),
        read=_read_ranked,
        write=lambda request, exchange: rerank_body(cast(Any, request), model=exchange.body["model"]),
        parse=_parse_ranks,
        oracle=lambda exchange: _exposed(V2RerankResponse, json.loads(exchange.text)),
        restored=_restored_ranks,
        allowed=(_NULLS,),
        open=_open,
        ask=_rerank,
    ),
    Replay(
        provider="cohere",
        recordings=("cohere/audio",),
        read=_read_speech,
        write=_write_speech,
        parse=_parse_speech,
        oracle=lambda exchange: json.loads(exchange.text),
        restored=lambda result: {"text": cast(Any, result).text},
        allowed=(Allowed(reason="forms are compared by their fields", normal=_fields),),
    ),
    Replay(
        provider="cohere (endpoint=compatible)",
        recordings=("cohere/compatible",),
        read=_CHAT.request,
        write=_CHAT.write,
        parse=_CHAT.parse,
        oracle=_openai_chat.oracle,
        restored=_CHAT.restored,
        allowed=_openai_chat.ALLOWED,
        open=_open_compatible,
    ),
)
