"""What all recordings of chat completions have in common: a reader of requests, and OpenAI's library as the judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from openai._models import construct_type
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types import Completion as TextCompletion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from fieldguide.domain import (
    Audio,
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
    Refusal,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    kept_for,
)
from fieldguide.runners._blocks import parsed_arguments
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._media import from_base64, from_data_url
from fieldguide.runners.openai_chat import Dialect, StreamedAnswer, parse_completion, request_body
from fieldguide.runners.openai_chat._messages import wire_messages
from tests.support.replay import Allowed, Exchange, SkippedError, sse_data, without_nulls

_KNOWN = {
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p",
    "stop", "seed", "top_k", "frequency_penalty", "presence_penalty", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "logprobs", "top_logprobs", "reasoning_effort",
}  # fmt: skip


_T = TypeVar("_T")


class Reader:
    """Reads recorded requests of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.provider = dialect.provider
        self.dialect = dialect

    def request(self, exchange: Exchange) -> CompletionRequest:
        body = exchange.body
        if isinstance(body, dict) and "prompt" in body:
            return self._text(body)
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            raise SkippedError("no conversation in the request")
        if "model" not in body:
            raise SkippedError("a request without a model")
        if body.get("stream") and (body.get("n") or 1) > 1:
            raise SkippedError("several answers in one stream")
        extra = {name: value for name, value in body.items() if name not in _KNOWN}
        tool_choice, extra = self._choice(body.get("tool_choice"), extra)
        schema, extra = self._format(body.get("response_format"), extra)
        effort = body.get("reasoning_effort")
        return CompletionRequest(
            messages=tuple(self.message(message) for message in body["messages"]),
            max_output_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            stop=(body["stop"],) if isinstance(body.get("stop"), str) else tuple(body.get("stop") or ()),
            seed=body.get("seed"),
            top_k=body.get("top_k"),
            frequency_penalty=body.get("frequency_penalty"),
            presence_penalty=body.get("presence_penalty"),
            tools=tuple(self.tool(tool) for tool in body.get("tools") or ()),
            tool_choice=tool_choice,
            parallel_tool_calls=body.get("parallel_tool_calls"),
            response_schema=schema,
            reasoning=None if effort is None else ReasoningOptions(effort=effort),
            logprobs=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
            extra={self.provider: extra} if extra else {},
        )

    def _text(self, body: dict[str, Any]) -> CompletionRequest:
        """Read a request that continues a text."""
        prompt = body["prompt"][0] if isinstance(body["prompt"], list) and len(body["prompt"]) == 1 else body["prompt"]
        if not isinstance(prompt, str):
            raise SkippedError("several prompts, or tokens, in one request")
        if "model" not in body:
            raise SkippedError("a request without a model")
        known = _KNOWN | {"prompt"}
        extra = {name: value for name, value in body.items() if name not in known and value is not None}
        return CompletionRequest(
            prompt=prompt,
            max_output_tokens=body.get("max_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            stop=(body["stop"],) if isinstance(body.get("stop"), str) else tuple(body.get("stop") or ()),
            seed=body.get("seed"),
            frequency_penalty=body.get("frequency_penalty"),
            presence_penalty=body.get("presence_penalty"),
            logprobs=body.get("logprobs"),
            extra={self.provider: extra} if extra else {},
        )

    def _choice(self, choice: Any, extra: dict[str, Any]) -> tuple[ToolChoice | None, dict[str, Any]]:
        if choice in {None, "auto", "none", "required"} if not isinstance(choice, dict) else False:
            return (None if choice is None else ToolChoice(mode=choice)), extra
        if isinstance(choice, dict) and choice.get("type") == "function":
            return ToolChoice(mode="tool", name=choice["function"]["name"]), extra
        return None, {**extra, "tool_choice": choice}

    def _format(self, wanted: Any, extra: dict[str, Any]) -> tuple[ResponseSchema | None, dict[str, Any]]:
        kind = wanted.get("type") if isinstance(wanted, dict) else None
        if kind == "json_object":
            return ResponseSchema(), extra
        if kind == "json_schema" and "schema" in wanted["json_schema"]:
            inner = wanted["json_schema"]
            return ResponseSchema(
                schema=inner["schema"],
                name=inner.get("name"),
                description=inner.get("description"),
                strict=inner.get("strict"),
            ), extra
        return None, extra if wanted is None else {**extra, "response_format": wanted}

    def tool(self, tool: Mapping[str, Any]) -> Tool | ProviderTool:
        function = tool.get("function")
        known = {"name", "description", "parameters", "strict"}
        if tool.get("type") != "function" or not isinstance(function, dict) or set(function) - known:
            return ProviderTool(provider=self.provider, value=tool)
        own = {name: value for name, value in tool.items() if name not in {"type", "function"}}
        return Tool(**function, provider_data=kept_for(self.provider, own))

    def message(self, message: Mapping[str, Any]) -> Message:
        role = message["role"]
        if role == "function":
            raise SkippedError("the retired `function` role")
        known = {"role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning_content", "reasoning"}
        own = {name: value for name, value in message.items() if name not in known and value is not None}
        data = kept_for(self.provider, own)
        content = message.get("content")
        if role == "tool":
            result = ToolResult(
                call_id=message.get("tool_call_id"),
                content=content if isinstance(content, str) else self.parts(content),  # type: ignore[arg-type]
                name=message.get("name"),
                provider_data=data,
            )
            return Message(role="tool", content=(result,))
        if role == "assistant":
            return Message(role="assistant", content=self.said(message), name=message.get("name"), provider_data=data)
        return Message(
            role=role,
            content=content if isinstance(content, str) else self.parts(content),
            name=message.get("name"),
            provider_data=data,
        )

    def said(self, message: Mapping[str, Any]) -> str | tuple[Block, ...]:
        content = message.get("content")
        if isinstance(content, str) and not set(message) - {"role", "content", "name"}:
            return content
        blocks: list[Block] = [
            Reasoning(
                text=message[name], provider=self.provider, provider_data=kept_for(self.provider, {"field": name})
            )
            for name in ("reasoning_content", "reasoning")
            if isinstance(message.get(name), str)
        ]
        blocks += ((Text(text=content),) if content else ()) if isinstance(content, str) else self.parts(content)
        if message.get("refusal"):
            blocks.append(Refusal(text=message["refusal"]))
        return (*blocks, *(self.call(call) for call in message.get("tool_calls") or ()))

    def call(self, call: Mapping[str, Any]) -> ToolCall:
        if call.get("type") == "custom":
            inner = call["custom"]
            return ToolCall(
                name=inner["name"],
                call_id=call["id"],
                raw_arguments=inner["input"],
                provider_data=kept_for(self.provider, {"type": "custom"}),
            )
        own = {name: value for name, value in call.items() if name not in {"id", "type", "function"}}
        raw = call["function"]["arguments"]
        return ToolCall(
            name=call["function"]["name"],
            call_id=call.get("id"),
            arguments=raw if isinstance(raw, dict) else parsed_arguments(raw),
            raw_arguments=raw if isinstance(raw, str) else None,
            provider_data=kept_for(self.provider, own),
        )

    def parts(self, content: Any) -> tuple[Block, ...]:
        return tuple(self.part(part) for part in content or ())

    def part(self, part: Mapping[str, Any]) -> Block:
        kind = part.get("type")
        if kind == "text":
            own = {name: value for name, value in part.items() if name not in {"type", "text"}}
            return Text(text=part["text"], provider_data=kept_for(self.provider, own))
        if kind == "image_url" and isinstance(part["image_url"], dict):
            return self._image(part["image_url"])
        if kind == "input_audio" and (data := from_base64(part["input_audio"]["data"])) is not None:
            form = part["input_audio"]["format"]
            return Audio(data=data, media_type={"mp3": "audio/mpeg"}.get(form, f"audio/{form}"))
        if kind == "file" and set(part["file"]) == {"file_id"}:
            return Document(file_id=part["file"]["file_id"])
        if kind == "file" and (found := from_data_url(part["file"].get("file_data", ""))) is not None:
            return Document(data=found[0], media_type=found[1], name=part["file"].get("filename"))
        return ProviderBlock(provider=self.provider, value=part)

    def _image(self, image: Mapping[str, Any]) -> Image:
        found = from_data_url(image["url"])
        if found is None:
            return Image(url=image["url"], detail=image.get("detail"))
        return Image(data=found[0], media_type=found[1], detail=image.get("detail"))

    # -- the other direction ------------------------------------------------------------------------------------

    def write(self, request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
        stream = bool(exchange.body.get("stream"))
        return request_body(request, model=exchange.body["model"], stream=stream, dialect=self.dialect)

    def parse(self, exchange: Exchange) -> Completion:
        if exchange.status != 200:
            raise error_of_status(exchange.status, exchange.text, exchange.response_headers)
        if not exchange.streamed:
            return parse_completion(exchange.text, e2e_latency_s=1.0, provider=self.provider)
        answer = StreamedAnswer(began_s=0.0, provider=self.provider)
        for event in sse_data(exchange.text):
            answer.take(json.dumps(event), now_s=1.0)
        return answer.completion(now_s=2.0)

    def restored(self, completion: Completion) -> Any:
        """Return the chat completion that ours stands for."""
        reply = completion.reply
        message = wire_messages(reply, self.dialect)[0]
        assert isinstance(message, dict)
        for block in reply.blocks:
            if isinstance(block, Audio) and block.data is not None:
                message = {**message, "audio": {**_fields(block), "data": _base64(block.data)}}
        choice = {
            "index": 0,
            "finish_reason": completion.raw_finish_reason,
            "message": message,
            "logprobs": _logprobs(completion),
            **_dict(completion.metadata.get("choice")),
        }
        return {
            **completion.metadata,
            "id": completion.response_id,
            "model": completion.model,
            "service_tier": completion.service_tier,
            "usage": completion.raw_usage,
            "choices": [choice, *_list(completion.metadata.get("other_choices"))],
        }


def oracle(exchange: Exchange) -> Any:
    """Return what OpenAI's library exposes of an answer, a stream put together by its own means."""
    if exchange.streamed:
        return _put_together(sse_data(exchange.text))
    found = _as(ChatCompletion, json.loads(exchange.text)).model_dump(mode="json", warnings=False)
    found.pop("object", None)  # names the type
    for choice in found["choices"]:
        choice["message"] = choice.get("message") or {}
        for call in choice["message"].get("tool_calls") or ():
            call.pop("index", None)  # its place in the list
        if old := choice["message"].pop("function_call", None):
            choice["message"]["tool_calls"] = [{"type": "function", "function": old}]
        if isinstance(choice["message"].get("content"), str) and not choice["message"]["content"]:
            choice["message"]["content"] = None
    return without_nulls(found)


def _as(kind: type[_T], value: Any) -> _T:
    """Return a value as the library makes it of an answer, which it does not validate."""
    return cast(_T, construct_type(type_=kind, value=value))


def _put_together(chunks: list[Any]) -> Any:
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in _unrepeated(chunks):
        state.handle_chunk(_as(ChatCompletionChunk, chunk))
    found = without_nulls(state.current_completion_snapshot.model_dump(mode="json", warnings=False))
    found.pop("object", None)
    for choice in found["choices"]:
        choice["message"].pop("parsed", None)
        choice["message"]["role"] = "assistant"  # the library adds up the role of each chunk
        for call in choice["message"].get("tool_calls", ()):
            call.pop("index", None)
            call.get("function", {}).pop("parsed_arguments", None)
        if not choice["message"].get("content"):
            choice["message"].pop("content", None)
    return found


def text_oracle(exchange: Exchange) -> Any:
    """Return what OpenAI's library exposes of a continued text; the pieces of a stream are joined."""
    chunks = sse_data(exchange.text) if exchange.streamed else [json.loads(exchange.text)]
    read = [_as(TextCompletion, chunk).model_dump(mode="json", warnings=False) for chunk in chunks]
    whole = dict(read[-1])
    choices = [choice for chunk in read for choice in chunk["choices"]]
    whole["usage"] = next((chunk["usage"] for chunk in reversed(read) if chunk.get("usage")), None)
    if exchange.streamed:
        whole["choices"] = [{**choices[-1], "text": "".join(choice["text"] for choice in choices)}]
    return without_nulls(whole)


def text_restored(completion: Completion) -> Any:
    """Return the continued text that ours stands for."""
    choice = {
        "index": 0,
        "finish_reason": completion.raw_finish_reason,
        "text": completion.text,
        **_dict(completion.metadata.get("choice")),
    }
    return {
        **completion.metadata,
        "object": "text_completion",
        "id": completion.response_id,
        "model": completion.model,
        "service_tier": completion.service_tier,
        "usage": completion.raw_usage,
        "choices": [choice, *_list(completion.metadata.get("other_choices"))],
    }


def _unrepeated(chunks: list[Any]) -> list[Any]:
    """Return chunks without what some servers say in each anew: the library would add it up like pieces of a text."""
    said: dict[tuple[Any, ...], Any] = {}
    for chunk in chunks:
        for choice in chunk.get("choices") or ():
            delta = choice["delta"] = choice.get("delta") or {}
            places: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((), delta)]
            for call in delta.get("tool_calls") or ():
                places.append((("call", call.get("index")), call))
                places.append((("function", call.get("index")), call.get("function") or {}))
            for place, fields in places:
                for name in set(fields) - {
                    "content",
                    "reasoning",
                    "reasoning_content",
                    "arguments",
                    "refusal",
                    "index",
                }:
                    key = (choice.get("index"), *place, name)
                    value = fields[name]
                    if isinstance(value, str) and key in said and value in {"", said[key]}:
                        del fields[name]
                    elif isinstance(value, str):
                        said[key] = value
    return chunks


def _logprobs(completion: Completion) -> Any:
    if completion.logprobs is None:
        return None
    return {"content": [_token(token) for token in completion.logprobs]}


def _token(token: Any) -> Any:
    return {
        "token": token.token,
        "logprob": token.logprob,
        "bytes": None if token.token_bytes is None else list(token.token_bytes),
        "top_logprobs": [_token(each) for each in token.alternatives],
    }


def _fields(block: Audio) -> dict[str, Any]:
    return {name: value for data in block.provider_data for name, value in data.fields.items()}


def _base64(data: bytes) -> str:
    import base64

    return base64.b64encode(data).decode()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# -- differences that change nothing ----------------------------------------------------------------------------------


def _one_limit(body: dict[str, Any]) -> dict[str, Any]:
    if "max_completion_tokens" in body:
        body["max_tokens"] = body.pop("max_completion_tokens")
    return body


def _stop_list(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("stop"), str):
        body["stop"] = [body["stop"]]
    return body


def _no_defaults(body: dict[str, Any]) -> dict[str, Any]:
    if not body.get("stream"):
        body.pop("stream", None)
        body.pop("stream_options", None)
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}
    for name in [name for name, value in body.items() if value is None or (name == "tools" and not value)]:
        del body[name]
    for tool in body.get("tools", ()):
        function = tool.get("function")
        for name in [name for name, value in (function or {}).items() if value is None]:
            del function[name]
    return body


def _one_prompt(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("prompt"), list) and len(body["prompt"]) == 1:
        body["prompt"] = body["prompt"][0]
    return body


def _turns(body: dict[str, Any]) -> dict[str, Any]:
    for message in body.get("messages", ()):
        content = message.get("content")
        if message["role"] == "assistant":
            if not content:
                message.pop("content", None)
            elif isinstance(content, list) and len(content) == 1 and set(content[0]) == {"type", "text"}:
                message["content"] = content[0]["text"]
        for name in [name for name, value in message.items() if value is None or (name == "tool_calls" and not value)]:
            del message[name]
    return body


ALLOWED = (
    Allowed(reason="`max_tokens` is the older name of `max_completion_tokens`; one of them is sent", normal=_one_limit),
    Allowed(reason="one stop text stands in a list", normal=_stop_list),
    Allowed(reason="a list of one prompt is that prompt", normal=_one_prompt),
    Allowed(
        reason="a field that is null or an empty list of tools is left out, and so is `stream: false`; "
        "a stream is always asked for its usage",
        normal=_no_defaults,
    ),
    Allowed(
        reason="an assistant's turn without words has no `content` (or null, or an empty text), one part of plain text "
        "is that text, and empty fields of a message are left out",
        normal=_turns,
    ),
)
