"""Amazon Bedrock: Converse, InvokeModel, and the endpoints in OpenAI's language."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import unquote

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    CompletionRequest,
    Document,
    EmbeddingRequest,
    EmbeddingResult,
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
    Video,
    kept_for,
    provider_fields,
)
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners._media import as_base64
from fieldguide.runners.aws import error_of
from fieldguide.runners.bedrock import PROVIDER, StreamedAnswer, open_runner, parse_completion, request_body
from fieldguide.runners.bedrock._content import media_of, wire_blocks
from fieldguide.runners.bedrock._embeddings import embedding_body, parse_embeddings
from fieldguide.runners.bedrock._invoke import AnthropicInvokeWire, anthropic_body
from fieldguide.runners.bedrock._mantle import DIALECT, MANTLE
from fieldguide.runners.bedrock._prompts import Form, PromptWire, form_of, prompt_body
from fieldguide.runners.bedrock._request import family_of
from fieldguide.runners.bedrock._runner import BedrockRunner
from fieldguide.runners.bedrock._wire import NovaWire, named_frames, nova_body
from tests.support.replay import Allowed, Exchange, Replay, SkippedError, without_nulls
from tests.support.replays import _anthropic, _aws, _openai_chat, _openai_responses
from tests.support.replays._openai_schemas import schema_errors as openai_schema_errors

_KNOWN = {"messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "additionalModelRequestFields"}
_INFERENCE = {"maxTokens", "temperature", "topP", "stopSequences"}
_CHOICES = {"auto": "auto", "any": "required", "tool": "tool"}
_MEDIA = {"image": Image, "document": Document, "video": Video, "audio": Audio}
_RUNTIME = "bedrock-runtime"
_FURTHER = "additionalModelRequestFields"


def model_of(exchange: Exchange) -> str:
    """Return the model that an address names."""
    return unquote(exchange.path.split("/")[2])


# -- Converse -------------------------------------------------------------------------------------------------------


def read(exchange: Exchange) -> CompletionRequest:
    """Read a recorded request of Converse."""
    body = exchange.body
    if not isinstance(body, dict) or "messages" not in body:
        raise SkippedError("no conversation in the request")
    return request_of(body, family_of(model_of(exchange)))


def request_of(body: Mapping[str, Any], family: str | None) -> CompletionRequest:
    """Return the request that a body of Converse stands for."""
    extra = {name: value for name, value in body.items() if name not in _KNOWN}
    inference = body.get("inferenceConfig") or {}
    if rest := {name: value for name, value in inference.items() if name not in _INFERENCE}:
        extra["inferenceConfig"] = rest
    config = body.get("toolConfig") or {}
    schema, effort, output = _output(body.get("outputConfig") or {})
    options, further = _options(body.get("additionalModelRequestFields") or {}, family, effort)
    if output:
        extra["outputConfig"] = output
    if further:
        extra["additionalModelRequestFields"] = further
    system = tuple(_block(part) for part in body.get("system") or ())
    first = (Message(role="system", content=system),) if system else ()
    return CompletionRequest(
        messages=(*first, *(_turn(each) for each in body["messages"])),
        max_output_tokens=inference.get("maxTokens"),
        temperature=inference.get("temperature"),
        top_p=inference.get("topP"),
        stop=tuple(inference.get("stopSequences") or ()),
        tools=tuple(_tool(tool) for tool in config.get("tools") or ()),
        tool_choice=_choice(config.get("toolChoice")),
        response_schema=schema,
        reasoning=options,
        extra={PROVIDER: extra} if extra else {},
    )


def _turn(given: Mapping[str, Any]) -> Message:
    rest = {name: value for name, value in given.items() if name not in {"role", "content"}}
    blocks = tuple(_block(part) for part in given["content"])
    return Message(role=given["role"], content=blocks, provider_data=kept_for(PROVIDER, rest))


def _choice(given: Mapping[str, Any] | None) -> ToolChoice | None:
    if not given:
        return None
    name = next(iter(given))
    return ToolChoice(mode=cast(Any, _CHOICES[name]), name=given[name].get("name"))


def _output(given: Mapping[str, Any]) -> tuple[ResponseSchema | None, str | None, dict[str, Any]]:
    rest = {name: value for name, value in given.items() if name not in {"textFormat", "effort"}}
    form = given.get("textFormat")
    if form is None:
        return None, given.get("effort"), rest
    schema = form["structure"]["jsonSchema"]
    written = ResponseSchema(
        schema=json.loads(schema["schema"]), name=schema.get("name"), description=schema.get("description")
    )
    return written, given.get("effort"), rest


def _options(
    further: Mapping[str, Any], family: str | None, effort: str | None
) -> tuple[ReasoningOptions | None, dict[str, Any]]:
    rest = dict(further)
    given: dict[str, Any] = {} if effort is None else {"effort": effort}
    thinking: Any = further.get("thinking", {})
    nova: Any = further.get("reasoningConfig", {})
    if family == "anthropic" and thinking and not set(thinking) - {"type", "budget_tokens"}:
        budget = rest.pop("thinking").get("budget_tokens")
        given |= {"budget_tokens": budget} if budget else {"enabled": thinking["type"] != "disabled"}
    if family == "amazon.nova" and nova and not set(nova) - {"type", "maxReasoningEffort"}:
        del rest["reasoningConfig"]
        given |= {"enabled": nova["type"] == "enabled", "effort": nova.get("maxReasoningEffort")}
    if family == "openai" and "reasoning_effort" in rest:
        given["effort"] = rest.pop("reasoning_effort")
    return (ReasoningOptions(**given) if given else None), rest


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    if set(tool) != {"toolSpec"} or set(tool["toolSpec"]["inputSchema"]) != {"json"}:
        return ProviderTool(provider=PROVIDER, value=tool)
    spec = tool["toolSpec"]
    known = {"name", "description", "inputSchema", "strict"}
    return Tool(
        name=spec["name"],
        description=spec.get("description"),
        parameters=spec["inputSchema"]["json"],
        strict=spec.get("strict"),
        provider_data=kept_for(PROVIDER, {name: each for name, each in spec.items() if name not in known}),
    )


def _block(part: Mapping[str, Any]) -> Block:
    name, value = next(iter(part.items()))
    if name == "text":
        return Text(text=value)
    if name == "citationsContent":
        said = "".join(each.get("text", "") for each in value.get("content", ()))
        return Text(text=said, provider_data=kept_for(PROVIDER, dict(part)))
    if name == "reasoningContent":
        text = value.get("reasoningText", {})
        return Reasoning(
            text=text.get("text"),
            signature=text.get("signature"),
            encrypted=value.get("redactedContent"),
            provider=PROVIDER,
        )
    if name == "toolUse" and value.get("type") != "server_tool_use":
        own = {each: value[each] for each in value if each not in {"toolUseId", "name", "input"}}
        return ToolCall(
            name=value["name"],
            call_id=value["toolUseId"],
            arguments=value["input"],
            provider_data=kept_for(PROVIDER, own),
        )
    if name == "toolResult":
        own = {each: value[each] for each in value if each not in {"toolUseId", "content", "status"}}
        return ToolResult(
            call_id=value["toolUseId"],
            content=tuple(cast(ResultBlock, _block(each)) for each in value["content"]),
            is_error=None if "status" not in value else value["status"] == "error",
            provider_data=kept_for(PROVIDER, own),
        )
    if name in _MEDIA and (found := media_of(value, _MEDIA[name])) is not None:
        return found
    return ProviderBlock(provider=PROVIDER, value=part)


def _write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    return request_body(request, model=model_of(exchange))


def _streams(exchange: Exchange) -> bool:
    return exchange.path.endswith("-stream")


def _parse(exchange: Exchange) -> Completion:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    if _streams(exchange):
        return _aws.streamed(exchange, named_frames, StreamedAnswer(began_s=0.0))
    return parse_completion(exchange.text, e2e_latency_s=1.0)


def _oracle(exchange: Exchange) -> Any:
    if not _streams(exchange):
        return _aws.parsed(_RUNTIME, "Converse", exchange)
    return joined(_aws.events(_RUNTIME, "ConverseStreamOutput", exchange.response))


def joined(events: Sequence[Mapping[str, Any]]) -> Any:
    """Return the whole answer of a stream's events, put together in the plainest way."""
    whole: dict[str, Any] = {}
    message: dict[str, Any] = {}
    parts: dict[int, list[Any]] = {}
    for event in events:
        message |= event.get("messageStart", {})
        whole |= event.get("messageStop", {}) | event.get("metadata", {})
        for name in ("contentBlockStart", "contentBlockDelta"):
            if found := event.get(name):
                parts.setdefault(found["contentBlockIndex"], []).append(found.get("start") or found.get("delta") or {})
    message["content"] = [_part(pieces) for pieces in parts.values() if any(pieces)]
    return {**whole, "output": {"message": message}}


def _part(pieces: Sequence[Mapping[str, Any]]) -> Any:
    def all_of(*names: str) -> list[Any]:
        found: list[Any] = []
        for piece in pieces:
            value: Any = piece
            for name in names:
                value = value.get(name) if isinstance(value, dict) else None
            if value is not None:
                found.append(value)
        return found

    first = pieces[0]
    if "toolUse" in first:
        text = "".join(all_of("toolUse", "input"))
        return {"toolUse": {**first["toolUse"], "input": json.loads(text) if text else {}}}
    if "toolResult" in first:
        content = [each for piece in pieces[1:] for each in piece["toolResult"]]
        return {"toolResult": {**first["toolResult"], "content": content}}
    if "reasoningContent" in first:
        if redacted := all_of("reasoningContent", "redactedContent"):
            return {"reasoningContent": {"redactedContent": "".join(redacted)}}
        named = {name: "".join(all_of("reasoningContent", name)) for name in ("text", "signature")}
        return {"reasoningContent": {"reasoningText": {name: each for name, each in named.items() if each}}}
    said = "".join(all_of("text"))
    if citations := all_of("citation"):
        return {"citationsContent": {"content": [{"text": said}], "citations": citations}}
    return {"text": said}


def _restored(completion: Completion) -> Any:
    reply = completion.reply
    own = provider_fields(reply.provider_data, PROVIDER)
    return {
        **completion.metadata,
        "output": {"message": {"role": reply.role, "content": wire_blocks(reply.blocks), **own}},
        "stopReason": completion.raw_finish_reason,
        "usage": completion.raw_usage,
    }


def _schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    operation = "ConverseStream" if _streams(exchange) else "Converse"
    return _aws.schema_errors(_RUNTIME, operation, body, modelId=model_of(exchange))


def _empty(body: dict[str, Any]) -> dict[str, Any]:
    for given in (body.get("inferenceConfig") or {}, body):
        for name in [name for name, value in given.items() if value in ([], {}, None)]:
            del given[name]
    return body


def _schemas(body: dict[str, Any]) -> dict[str, Any]:
    form = body.get("outputConfig", {}).get("textFormat")
    if form is not None:
        schema = form["structure"]["jsonSchema"]
        schema["schema"] = json.loads(schema["schema"])
    return body


def _texts(value: Any) -> Any:
    if isinstance(value, dict):
        source = value.get("source")
        if isinstance(source, dict) and set(source) == {"text"} and "format" in value:
            value["source"] = {"bytes": as_base64(source["text"].encode())}
        return {name: _texts(each) for name, each in value.items()}
    return [_texts(each) for each in value] if isinstance(value, list) else value


ALLOWED = (
    Allowed(reason="fields that hold nothing (`system: []`, `inferenceConfig: {}`) are left out", normal=_empty),
    Allowed(reason="the text of a JSON schema is spaced in our way", normal=_schemas),
    Allowed(reason="a document's text goes as bytes", normal=_texts),
)


async def _opened(target: str, url: str, settings: RunnerSettings) -> Runner:
    environment = {
        "AWS_BEARER_TOKEN_BEDROCK": "not-a-key",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
    }
    return await open_runner(target, replace(settings, environment=environment))


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await _opened(model_of(exchange), url, settings)


def _path(exchange: Exchange) -> str:
    return exchange.path.replace("%3A", ":")


# -- InvokeModel ----------------------------------------------------------------------------------------------------


def _invoke_family(exchange: Exchange) -> str:
    """Return the family whose body a request has; raise `SkippedError` where we have no such body."""
    model, body = model_of(exchange), exchange.body
    if not isinstance(body, dict):
        raise SkippedError("a body that is no JSON")
    if "embed" in model or "embedding" in body or "embeddings" in exchange.features:
        raise SkippedError("vectors, which are replayed apart")
    if "rerank" in model:
        raise SkippedError("another operation than to answer")
    family = family_of(model)
    if family == "anthropic" and "messages" not in body:
        raise SkippedError("Anthropic's form before the Messages API")
    if family in {"anthropic", "amazon.nova"}:
        return family
    form = form_of(family)
    if form is None or form.prompt not in body:
        raise SkippedError("a family or form of body that only Converse reaches")
    return str(family)


def _invoke_read(exchange: Exchange) -> CompletionRequest:
    family, body = _invoke_family(exchange), exchange.body
    if family == "anthropic":
        known = {"anthropic_version", "anthropic_beta"}
        found = _anthropic.read(replace(exchange, body={name: body[name] for name in body if name not in known}))
        named = {"betas": body["anthropic_beta"]} if "anthropic_beta" in body else {}
        extra = {**found.extra.get("anthropic", {}), **named}
        return replace(found, extra={"anthropic": extra} if extra else {})
    if family == "amazon.nova":
        found = request_of({name: body[name] for name in body if name not in {"schemaVersion", _FURTHER}}, family)
        further = {_FURTHER: body[_FURTHER]} if _FURTHER in body else {}
        own = {**found.extra.get(PROVIDER, {}), **further}
        return replace(found, extra={PROVIDER: own} if own else {})
    return _prompt_read(body, cast(Form, form_of(family)))


def _prompt_read(body: dict[str, Any], form: Form) -> CompletionRequest:
    rest = dict(body)
    params = dict(rest.pop(form.config, {})) if form.config else rest
    prompt = rest.pop(form.prompt)
    given = {
        "max_output_tokens": params.pop(form.max_tokens, None),
        "temperature": params.pop("temperature", None),
        "top_p": params.pop(form.top_p, None),
        "stop": tuple(params.pop(form.stop or "", None) or ()),
    }
    rest.pop("stream", None) if form.asks_for_stream else None
    if form.config and params:
        raise SkippedError("parameters of a kind that this form does not have")
    return CompletionRequest(prompt=prompt, **cast(Any, given), extra={PROVIDER: rest} if rest else {})


def _invoke_write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    family = _invoke_family(exchange)
    if family == "anthropic":
        return anthropic_body(request)
    if family == "amazon.nova":
        return nova_body(request, model=model_of(exchange))
    return prompt_body(request, cast(Form, form_of(family)), stream=_streams(exchange))


def _invoke_wire(exchange: Exchange) -> Any:
    family = _invoke_family(exchange)
    if family == "anthropic":
        return AnthropicInvokeWire("", "m", headers={})
    if family == "amazon.nova":
        return NovaWire("", "m", headers={})
    return PromptWire("", "m", cast(Form, form_of(family)), headers={})


def _invoke_parse(exchange: Exchange) -> Completion:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    wire = _invoke_wire(exchange)
    if _streams(exchange):
        return _aws.streamed(exchange, wire.frames, wire.streamed(began_s=0.0))
    found: Completion = wire.completion(exchange.text, headers=exchange.response_headers, e2e_latency_s=1.0)
    return found


def _chunks(exchange: Exchange) -> list[Any]:
    found = _aws.events(_RUNTIME, "ResponseStream", exchange.response)
    return [json.loads(base64.b64decode(each["chunk"]["bytes"])) for each in found]


def _invoke_oracle(exchange: Exchange) -> Any:
    family = _invoke_family(exchange)
    if not _streams(exchange):
        body = json.loads(exchange.text)
        if family == "anthropic":
            return _anthropic.oracle(exchange)
        return body if family == "amazon.nova" else _said(form_of(family), [body])
    if family == "anthropic":
        text = "".join(f"data: {json.dumps(each)}\n\n" for each in _chunks(exchange))
        return _anthropic.oracle(replace(exchange, response=text.encode()))
    return joined(_chunks(exchange)) if family == "amazon.nova" else _said(form_of(family), _chunks(exchange))


def _said(form: Form | None, bodies: Sequence[Mapping[str, Any]]) -> Any:
    """Return text, reason and counts of an answer in a maker's own form, read in the plainest way."""
    assert form is not None
    given = [body[form.answers][0] if form.answers and form.answers in body else body for body in bodies]
    found: dict[str, Any] = {"text": "".join(each.get(form.text) or "" for each in given)}
    for each in given:
        found["reason"] = each.get(form.reason) or found.get("reason")
    return without_nulls(found)


def _invoke_restored(completion: Completion) -> Any:
    if completion.message is None:
        return {"text": completion.text, "reason": completion.raw_finish_reason}
    if isinstance(completion.raw_usage, dict) and "input_tokens" in completion.raw_usage:
        return _anthropic.restored(completion)
    return _restored(completion)


def _invoke_plain(body: dict[str, Any]) -> dict[str, Any]:
    if "anthropic_version" in body:
        return {"anthropic_version": body.pop("anthropic_version"), **_anthropic.ALLOWED[0].normal(body)}
    body.setdefault("schemaVersion", "messages-v1") if "messages" in body else None
    for each in (body, body.get("textGenerationConfig", {})):
        for name in [name for name, value in each.items() if value in ([], {}, None)]:
            del each[name]
    body.pop("stream", None) if not body.get("stream") else None
    return body


async def _invoke_open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    options = {"family": _invoke_family(exchange)}
    return await _opened(f"invoke/{model_of(exchange)}", url, replace(settings, options=options))


# -- vectors --------------------------------------------------------------------------------------------------------


def _makes_vectors(exchange: Exchange) -> bool:
    return "embeddings" in exchange.features or "embed" in model_of(exchange)


def _vector_family(exchange: Exchange) -> str:
    """Return an id of the family whose body a request has; an ARN may hide it."""
    body = exchange.body
    family = "cohere.embed" if "texts" in body else "amazon.titan-embed"
    return "amazon.nova-embed" if "singleEmbeddingParams" in body else family


def _vector_read(exchange: Exchange) -> EmbeddingRequest:
    if not isinstance(exchange.body, dict) or not _makes_vectors(exchange):
        raise SkippedError("no request for vectors")
    body, own = dict(exchange.body), cast("dict[str, Any]", {})
    if "texts" in body:
        texts, purpose = tuple(body.pop("texts")), body.pop("input_type", None)
        size = body.pop("output_dimension", None)
    elif "text" in body.get("singleEmbeddingParams", {}):
        own = dict(body.pop("singleEmbeddingParams"))
        text = dict(own["text"])
        texts, purpose = (text.pop("value", None),), own.pop("embeddingPurpose", None)
        size = own.pop("embeddingDimension", None)
        body = {name: value for name, value in body.items() if name != "taskType"}
        body["singleEmbeddingParams"] = {**own, "text": text}
    else:
        texts, purpose, size = (body.pop("inputText", None),), None, body.pop("dimensions", None)
    if not all(isinstance(text, str) for text in texts) or "inputImage" in body or "images" in body:
        raise SkippedError("vectors of something else than texts")
    return EmbeddingRequest(texts=texts, dimensions=size, purpose=purpose, extra={PROVIDER: body} if body else {})


def _vector_write(request: EmbeddingRequest, exchange: Exchange) -> Mapping[str, Any]:
    return embedding_body(request, model=_vector_family(exchange))


def _vector_parse(exchange: Exchange) -> EmbeddingResult:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_embeddings(exchange.text, headers=exchange.response_headers, e2e_latency_s=1.0)


def _vector_oracle(exchange: Exchange) -> Any:
    """Return all numbers of the body, in their order: to botocore it is bytes."""
    body = json.loads(exchange.text)
    given = body["embedding"] if "embedding" in body else body["embeddings"]
    counted = exchange.response_headers.get("x-amzn-bedrock-input-token-count")
    return {"numbers": _numbers(given), "tokens": None if counted is None else int(counted), "id": body.get("id")}


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [each for inner in value.values() for each in _numbers(inner)]
    if isinstance(value, list):
        return [each for inner in value for each in _numbers(inner)]
    return [float(value)] if isinstance(value, int | float) else []


def _vector_restored(result: EmbeddingResult) -> Any:
    numbers = [each for vector in result.vectors for each in vector]
    return {"numbers": numbers, "tokens": result.usage.input_tokens, "id": result.response_id}


async def _vector_open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await _opened(model_of(exchange), url, replace(settings, options={"family": _vector_family(exchange)}))


async def _embed(runner: BedrockRunner, request: EmbeddingRequest, stream: bool) -> EmbeddingResult:
    return await runner.embed(request)


# -- OpenAI's language ----------------------------------------------------------------------------------------------

_CHAT = _openai_chat.Reader(DIALECT)
_RESPONSES = _openai_responses.Reader(MANTLE)


def _mantle_api(exchange: Exchange) -> str:
    path = exchange.path.partition("?")[0]
    if exchange.method != "POST":
        raise SkippedError("another operation than to answer")
    return "chat" if path.endswith("/chat/completions") else "responses"


def _mantle_read(exchange: Exchange) -> CompletionRequest:
    return (_CHAT if _mantle_api(exchange) == "chat" else _RESPONSES).request(exchange)


def _mantle_write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    return (_CHAT if _mantle_api(exchange) == "chat" else _RESPONSES).write(request, exchange)


def _mantle_parse(exchange: Exchange) -> Completion:
    return (_CHAT if _mantle_api(exchange) == "chat" else _RESPONSES).parse(exchange)


def _mantle_oracle(exchange: Exchange) -> Any:
    return (_openai_chat if _mantle_api(exchange) == "chat" else _openai_responses).oracle(exchange)


def _mantle_restored(completion: Completion) -> Any:
    counted = completion.raw_usage if isinstance(completion.raw_usage, dict) else {}
    return (_RESPONSES if "input_tokens" in counted else _CHAT).restored(completion)


def _mantle_schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    name = "CreateChatCompletionRequest" if _mantle_api(exchange) == "chat" else "CreateResponse"
    return openai_schema_errors(name, body)


def _of_chat(allowed: Allowed) -> Allowed:
    return Allowed(reason=allowed.reason, normal=lambda body: allowed.normal(body) if "messages" in body else body)


def _of_responses(allowed: Allowed) -> Allowed:
    return Allowed(reason=allowed.reason, normal=lambda body: body if "messages" in body else allowed.normal(body))


async def _mantle_open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    api = _mantle_api(exchange)
    base = exchange.path.partition("/chat/completions" if api == "chat" else "/responses")[0]
    environment = {
        "AWS_BEARER_TOKEN_BEDROCK": "not-a-key",
        "AWS_REGION": "us-east-1",
        "AWS_BEDROCK_BASE_URL": url + base,
    }
    return await open_runner(f"{api}/{exchange.body['model']}", replace(settings, environment=environment))


REPLAYS = (
    Replay(
        provider="bedrock",
        recordings=("bedrock/converse", "bedrock/converse_stream"),
        read=read,
        write=_write,
        parse=_parse,
        oracle=_oracle,
        restored=_restored,
        allowed=ALLOWED,
        schema_errors=_schema,
        open=_open,
        path=_path,
        streams=_streams,
    ),
    Replay(
        provider="bedrock (invoke)",
        recordings=("bedrock/invoke", "bedrock/invoke_stream"),
        read=_invoke_read,
        write=_invoke_write,
        parse=_invoke_parse,
        oracle=_invoke_oracle,
        restored=_invoke_restored,
        allowed=(
            Allowed(
                reason="fields that hold nothing and `stream: false` are left out, and Nova's form is named",
                normal=_invoke_plain,
            ),
        ),
        open=_invoke_open,
        path=_path,
        streams=_streams,
        mostly_skipped="many are vectors, rerankings and forms of retired models",
    ),
    Replay(
        provider="bedrock (vectors)",
        recordings=("bedrock/invoke",),
        read=_vector_read,
        write=_vector_write,
        parse=_vector_parse,
        oracle=_vector_oracle,
        restored=_vector_restored,
        open=_vector_open,
        ask=_embed,
        path=_path,
        mostly_skipped="most bodies of InvokeModel ask for an answer",
    ),
    Replay(
        provider="bedrock (mantle)",
        recordings=("bedrock/openai_compatible",),
        read=_mantle_read,
        write=_mantle_write,
        parse=_mantle_parse,
        oracle=_mantle_oracle,
        restored=_mantle_restored,
        allowed=(
            *(_of_chat(each) for each in _openai_chat.ALLOWED),
            *(_of_responses(each) for each in _openai_responses.ALLOWED),
        ),
        schema_errors=_mantle_schema,
        open=_mantle_open,
    ),
)
