"""Alibaba Cloud's Model Studio: DashScope's own API, and its compatible mode."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dashscope.api_entities.dashscope_response import (
    DashScopeAPIResponse,
    GenerationResponse,
    ImageSynthesisResponse,
    MultiModalConversationResponse,
)

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    Image,
    ImageRequest,
    Message,
    ProviderBlock,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    Text,
    Tool,
    ToolResult,
    Video,
    kept_for,
)
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners._media import from_data_url
from fieldguide.runners.model_studio import (
    PROVIDER,
    DashScopeRunner,
    StreamedAnswer,
    Task,
    embedding_body,
    error_of,
    image_body,
    open_runner,
    parse_completion,
    parse_embeddings,
    parse_task,
    request_body,
)
from fieldguide.runners.model_studio._messages import PART_KINDS, wire_turn
from fieldguide.runners.model_studio._response import call_of
from fieldguide.runners.model_studio.compatible import MODEL_STUDIO_COMPATIBLE
from fieldguide.runners.model_studio.compatible import open_runner as open_compatible
from tests.support.replay import Allowed, Exchange, Replay, SkippedError, sse_data, without_nulls
from tests.support.replays._hosted_chat import hosted
from tests.support.replays._openai_media import (
    EMBEDDING_ALLOWED,
    MediaReader,
    embedding_oracle,
    embedding_restored,
)

_PARAMETERS = {
    "max_tokens": "max_output_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    "seed": "seed", "parallel_tool_calls": "parallel_tool_calls",
}  # fmt: skip
_ASIDE = {*_PARAMETERS, "stop", "tools", "enable_thinking", "thinking_budget", "result_format", "incremental_output"}


def _in_parts(exchange: Exchange) -> bool:
    return "/multimodal-generation/" in exchange.path


def read(exchange: Exchange) -> CompletionRequest:
    """Read a request for an answer in a conversation, or to the older single prompt, which is one turn of one."""
    body = exchange.body
    inputs = body.get("input") if isinstance(body, dict) else None
    if not exchange.path.endswith("/generation") or not inputs or set(inputs) - {"messages", "prompt"}:
        raise SkippedError("neither a conversation nor a prompt")
    given = body.get("parameters") or {}
    if exchange.streamed and not given.get("incremental_output"):
        raise SkippedError("a stream that repeats itself, which is never asked for")
    turns = body["input"].get("messages") or [{"role": "user", "content": body["input"]["prompt"]}]
    stop = given.get("stop") or ()
    extra = {name: value for name, value in given.items() if name not in _ASIDE}
    thinks = {"enabled": given.get("enable_thinking"), "budget_tokens": given.get("thinking_budget")}
    return CompletionRequest(
        messages=tuple(_message(turn) for turn in turns),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        tools=tuple(_tool(tool) for tool in given.get("tools") or ()),
        reasoning=ReasoningOptions(**thinks) if any(value is not None for value in thinks.values()) else None,
        extra={PROVIDER: extra} if extra else {},
        **{ours: given[theirs] for theirs, ours in _PARAMETERS.items() if theirs in given},
    )


def _tool(tool: Mapping[str, Any]) -> Tool | ProviderTool:
    function = tool.get("function") or {}
    whole = set(tool) == {"type", "function"} and not set(function) - {"name", "description", "parameters", "strict"}
    return Tool(**function) if whole else ProviderTool(provider=PROVIDER, value=tool)


def _message(turn: Mapping[str, Any]) -> Message:
    known = {"role", "content", "reasoning_content", "tool_calls", "tool_call_id", "name"}
    data = kept_for(PROVIDER, {name: value for name, value in turn.items() if name not in known and value})
    blocks = _content(turn.get("content"))
    if turn["role"] == "tool":
        result = ToolResult(
            call_id=turn.get("tool_call_id"), name=turn.get("name"), content=tuple(blocks), provider_data=data
        )
        return Message(role="tool", content=(result,))
    if turn.get("reasoning_content"):
        blocks.insert(0, Reasoning(text=turn["reasoning_content"], provider=PROVIDER))
    blocks += [call_of(call) for call in turn.get("tool_calls") or ()]
    return Message(role=turn["role"], content=tuple(blocks), name=turn.get("name"), provider_data=data)


def _content(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [Text(text=content)]
    return [_part(part) for part in content or ()]


def _part(part: Mapping[str, Any]) -> Block:
    if set(part) == {"text"}:
        return Text(text=part["text"])
    for name, kind in PART_KINDS.items():
        if set(part) == {name} and isinstance(part[name], str):
            found = from_data_url(part[name])
            return kind(url=part[name]) if found is None else kind(data=found[0], media_type=found[1])
    return ProviderBlock(provider=PROVIDER, value=part)


def write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    """Return our body."""
    return request_body(request, model=exchange.body["model"], stream=_streams(exchange), in_parts=_in_parts(exchange))


def _streams(exchange: Exchange) -> bool:
    return exchange.request_headers.get("x-dashscope-sse") == "enable" and exchange.status == 200


def parse(exchange: Exchange) -> Completion:
    """Parse the recorded response."""
    _raise(exchange)
    if not exchange.streamed:
        return parse_completion(exchange.text, e2e_latency_s=1.0)
    answer = StreamedAnswer(began_s=0.0)
    for event in sse_data(exchange.text):
        answer.take(json.dumps(event), now_s=1.0)
    return answer.completion(now_s=2.0)


def _raise(exchange: Exchange) -> None:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)


def oracle(exchange: Exchange) -> Any:
    """Return what DashScope's library exposes of an answer; the pieces of a stream are joined."""
    kind = MultiModalConversationResponse if _in_parts(exchange) else GenerationResponse
    events = sse_data(exchange.text) if exchange.streamed else [json.loads(exchange.text)]
    read = [_exposed(kind.from_api_response(_response(event))) for event in events]
    whole: dict[str, Any] = {**read[-1], "output": _joined([each["output"] for each in read])}
    whole["usage"] = {
        name: value for name, value in (whole["usage"] or {}).items() if name in (events[-1].get("usage") or {})
    }
    return _plain_output(without_nulls({name: whole.get(name) for name in ("output", "usage", "request_id")}))


def _response(body: Mapping[str, Any]) -> DashScopeAPIResponse:
    known: dict[str, Any] = {name: body.get(name) for name in ("output", "usage", "request_id")}
    return DashScopeAPIResponse(status_code=200, **known)


def _exposed(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(value, default=lambda each: each.__dict__))
    return found


def _joined(outputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    last = outputs[-1]
    if not last.get("choices"):
        return {**last, "text": "".join(output.get("text") or "" for output in outputs)}
    messages = [output["choices"][0]["message"] for output in outputs]
    calls: dict[int, dict[str, Any]] = {}
    for call in [call for message in messages for call in message.get("tool_calls") or ()]:
        known = calls.setdefault(call.get("index", 0), {**call, "function": {**call["function"], "arguments": ""}})
        known["function"]["arguments"] += call["function"].get("arguments", "")
    joined = {**messages[-1], "content": _sum([message.get("content") for message in messages])}
    joined["reasoning_content"] = "".join(message.get("reasoning_content") or "" for message in messages)
    return {**last, "choices": [{**last["choices"][0], "message": {**joined, "tool_calls": list(calls.values())}}]}


def _sum(contents: list[Any]) -> Any:
    if all(isinstance(content, str | None) for content in contents):
        return "".join(content or "" for content in contents)
    parts = [part for content in contents for part in content or ()]
    if all(set(part) == {"text"} for part in parts):
        return [{"text": "".join(part["text"] for part in parts)}]
    return parts


def _plain_output(whole: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without words that are empty, and with the text of parts that are text."""
    for choice in whole["output"].get("choices") or ():
        message = choice.get("message", {})
        parts = message.get("content")
        if isinstance(parts, list) and all(set(part) == {"text"} for part in parts):
            message["content"] = "".join(part["text"] for part in parts)
        for name in ("content", "reasoning_content"):
            if not message.get(name):
                message.pop(name, None)
    return whole


def restored(completion: Completion) -> Any:
    """Return the body that ours stands for, in both forms: with choices, and with a text."""
    blocks = completion.reply.blocks
    message: dict[str, Any] = {"role": "assistant", **wire_turn(_with_words(blocks), in_parts=False)}
    if any(not isinstance(block, Text | Reasoning) for block in blocks) and not completion.tool_calls:
        message["content"] = wire_turn(blocks, in_parts=True)["content"]
    for place, call in enumerate(message.get("tool_calls", ())):
        call["index"] = place
    own = completion.metadata.get("choice")
    choice = {
        "index": 0,
        "finish_reason": completion.raw_finish_reason,
        "message": message,
        **(own if isinstance(own, dict) else {}),
    }
    output, others = completion.metadata.get("output"), completion.metadata.get("other_choices")
    return {
        "output": {
            "text": completion.text,
            "finish_reason": completion.raw_finish_reason,
            "choices": [choice, *(others if isinstance(others, list) else [])],
            **(output if isinstance(output, dict) else {}),
        },
        "usage": completion.raw_usage,
        "request_id": completion.response_id,
    }


def _with_words(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    return tuple(block for block in blocks if not isinstance(block, Image | Audio | Video | ProviderBlock))


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body of one form: messages, no empty fields, the parameters that we always send."""
    inputs = body["input"]
    if "prompt" in inputs:
        inputs["messages"] = [{"role": "user", "content": inputs.pop("prompt")}]
    for message in inputs["messages"]:
        content = message.get("content")
        if isinstance(content, list) and len(content) == 1 and set(content[0]) == {"text"}:
            message["content"] = content[0]["text"]
        for name in [name for name, value in message.items() if value in ("", [], None)]:
            del message[name]
    parameters = {name: value for name, value in body.get("parameters", {}).items() if value not in (None, [])}
    parameters["result_format"] = "message"
    return {**body, "parameters": parameters}


def _no_stream_words(body: dict[str, Any]) -> dict[str, Any]:
    if not body["parameters"].get("stream"):
        body["parameters"].pop("stream", None)
        body["parameters"].pop("incremental_output", None)
    return body


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> DashScopeRunner:
    environment = {"DASHSCOPE_API_KEY": "not-a-key", "DASHSCOPE_HTTP_BASE_URL": f"{url}/api/v1"}
    options = {"endpoint": "multimodal" if _in_parts(exchange) else "text"}
    return await open_runner(exchange.body["model"], replace(settings, environment=environment, options=options))


# -- vectors and pictures ---------------------------------------------------------------------------------------------


def read_embedding(exchange: Exchange) -> EmbeddingRequest:
    """Read a request for vectors."""
    body = exchange.body
    texts = body["input"].get("texts") if isinstance(body["input"], dict) else None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise SkippedError("vectors of other things than texts")
    given = body.get("parameters") or {}
    own = {name: value for name, value in given.items() if name not in {"dimension", "text_type"}}
    return EmbeddingRequest(
        texts=tuple(texts),
        dimensions=given.get("dimension"),
        purpose=given.get("text_type"),
        extra={PROVIDER: own} if own else {},
    )


def _write_embedding(request: EmbeddingRequest, exchange: Exchange) -> Mapping[str, Any]:
    return embedding_body(request, model=exchange.body["model"])


def _parse_embedding(exchange: Exchange) -> EmbeddingResult:
    _raise(exchange)
    return parse_embeddings(exchange.text, e2e_latency_s=1.0)


def _embedding_oracle(exchange: Exchange) -> Any:
    read = _response(json.loads(exchange.text))
    return _exposed({"output": read.output, "usage": read.usage, "request_id": read.request_id})


def _embedding_restored(result: EmbeddingResult) -> Any:
    vectors = [{"text_index": place, "embedding": list(vector)} for place, vector in enumerate(result.vectors)]
    return {"output": {"embeddings": vectors}, "usage": result.raw_usage, "request_id": result.response_id}


async def _embed(runner: DashScopeRunner, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


def read_image(exchange: Exchange) -> ImageRequest:
    """Read the handing in of a task to make pictures."""
    body = exchange.body
    if not exchange.path.endswith("/text2image/image-synthesis"):
        raise SkippedError("a task to make moving pictures")
    given = dict(body.get("parameters") or {})
    inputs = {name: value for name, value in body["input"].items() if name != "prompt"}
    size = given.pop("size", None)
    return ImageRequest(
        prompt=body["input"]["prompt"],
        count=given.pop("n", None),
        size=None if size is None else size.replace("*", "x"),
        extra={PROVIDER: {**inputs, **given}},
    )


def _write_image(request: ImageRequest, exchange: Exchange) -> Mapping[str, Any]:
    return image_body(request, model=exchange.body["model"])


def _parse_task(exchange: Exchange) -> Task:
    _raise(exchange)
    return parse_task(exchange.text)


def _task_oracle(exchange: Exchange) -> Any:
    read = ImageSynthesisResponse.from_api_response(_response(json.loads(exchange.text)))
    return without_nulls(_exposed({"output": read.output, "request_id": read.request_id}))


def _task_restored(task: Task) -> Any:
    return {"output": task.output, "request_id": task.request_id}


async def _open_media(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    environment = {"DASHSCOPE_API_KEY": "not-a-key", "DASHSCOPE_BASE_URL": f"{url}/compatible-mode/v1"}
    return await open_compatible(exchange.body["model"], replace(settings, environment=environment))


_MEDIA = MediaReader(MODEL_STUDIO_COMPATIBLE.provider)

REPLAYS = (
    Replay(
        provider=PROVIDER,
        recordings=("dashscope/native_chat",),
        read=read,
        write=write,
        parse=parse,
        oracle=oracle,
        restored=restored,
        allowed=(
            Allowed(
                reason="a single prompt is a conversation of one turn, one part of text is that text, empty fields are "
                "left out, and answers come as messages, which `result_format` says in words",
                normal=_plain,
            ),
            Allowed(reason="what is not streamed says nothing about streams", normal=_no_stream_words),
        ),
        open=_open,
        streams=_streams,
    ),
    Replay(
        provider=PROVIDER,
        recordings=("dashscope/native_embeddings",),
        read=read_embedding,
        write=_write_embedding,
        parse=_parse_embedding,
        oracle=_embedding_oracle,
        restored=_embedding_restored,
        open=_open,
        ask=_embed,
    ),
    Replay(
        provider=PROVIDER,
        recordings=("dashscope/native_images_video_tasks",),
        read=read_image,
        write=_write_image,
        parse=_parse_task,
        oracle=_task_oracle,
        restored=_task_restored,
        mostly_skipped="most are questions after a task, which have no body; a unit test goes through whole tasks",
    ),
    hosted(
        MODEL_STUDIO_COMPATIBLE,
        ("dashscope/compatible_chat",),
        open_compatible,
        key="DASHSCOPE_API_KEY",
        address="DASHSCOPE_BASE_URL",
    ),
    Replay(
        provider=MODEL_STUDIO_COMPATIBLE.provider,
        recordings=("dashscope/compatible_embeddings",),
        read=_MEDIA.embedding,
        write=_MEDIA.write_embedding,
        parse=_MEDIA.parse_embedding,
        oracle=embedding_oracle,
        restored=embedding_restored,
        allowed=EMBEDDING_ALLOWED,
        open=_open_media,
        ask=_embed,
    ),
)
