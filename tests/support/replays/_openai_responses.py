"""What all recordings of the Responses API have in common, with OpenAI's own library as the judge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from openai._models import construct_type
from openai.types.responses import Response

from fieldguide.domain import (
    Block,
    Completion,
    CompletionRequest,
    Document,
    Image,
    Message,
    ProviderBlock,
    ProviderTool,
    ReasoningOptions,
    ResponseSchema,
    ResultBlock,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    kept_for,
)
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._media import from_data_url
from fieldguide.runners.openai_responses import StreamedAnswer, parse_completion, request_body
from fieldguide.runners.openai_responses._items import blocks_of, said_items
from tests.support.replay import Allowed, Exchange, SkippedError, sse_data, without_nulls

_KNOWN = {
    "model", "input", "instructions", "stream", "max_output_tokens", "temperature", "top_p", "tools", "tool_choice",
    "parallel_tool_calls", "text", "reasoning",
}  # fmt: skip
_SAID = {"reasoning", "function_call", "custom_tool_call", "message"}


class Reader:
    """Reads recorded requests and responses under one provider's name."""

    def __init__(self, provider: str) -> None:
        self.provider = provider

    def request(self, exchange: Exchange) -> CompletionRequest:
        body = exchange.body
        path = exchange.path.partition("?")[0]
        if exchange.method != "POST" or not path.endswith("/responses") or not isinstance(body, dict):
            raise SkippedError("another operation than to answer")
        if "model" not in body:
            raise SkippedError("a request without a model")
        extra = {name: value for name, value in body.items() if name not in _KNOWN}
        choice, extra = self._choice(body.get("tool_choice"), extra)
        schema, extra = self._format(body.get("text"), extra)
        options, extra = self._reasoning(body.get("reasoning"), extra)
        given = body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given or []
        first: tuple[Message, ...] = ()
        if isinstance(body.get("instructions"), str):
            first = (Message(role="system", content=body["instructions"]),)
        return CompletionRequest(
            messages=(*first, *(self.message(item) for item in items)),
            max_output_tokens=body.get("max_output_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            tools=tuple(self.tool(tool) for tool in body.get("tools") or ()),
            tool_choice=choice,
            parallel_tool_calls=body.get("parallel_tool_calls"),
            response_schema=schema,
            reasoning=options,
            extra={self.provider: extra} if extra else {},
        )

    def _choice(self, choice: Any, extra: dict[str, Any]) -> tuple[ToolChoice | None, dict[str, Any]]:
        if isinstance(choice, str):
            return ToolChoice(mode=cast(Any, choice)), extra
        if isinstance(choice, dict) and set(choice) == {"type", "name"} and choice["type"] == "function":
            return ToolChoice(mode="tool", name=choice["name"]), extra
        return None, extra if choice is None else {**extra, "tool_choice": choice}

    def _format(self, text: Any, extra: dict[str, Any]) -> tuple[ResponseSchema | None, dict[str, Any]]:
        given = text.get("format", {}) if isinstance(text, dict) and set(text) == {"format"} else {}
        if given.get("type") == "json_object":
            return ResponseSchema(), extra
        if given.get("type") == "json_schema" and not set(given) - {"type", "name", "schema", "strict", "description"}:
            return ResponseSchema(**{name: value for name, value in given.items() if name != "type"}), extra
        return None, extra if text is None else {**extra, "text": text}

    def _reasoning(self, given: Any, extra: dict[str, Any]) -> tuple[ReasoningOptions | None, dict[str, Any]]:
        if isinstance(given, dict) and not set(given) - {"effort", "summary"}:
            return ReasoningOptions(**given), extra
        return None, extra if given is None else {**extra, "reasoning": given}

    def tool(self, tool: Mapping[str, Any]) -> Tool | ProviderTool:
        if tool["type"] != "function":
            return ProviderTool(provider=self.provider, value=tool)
        known = {"type", "name", "description", "parameters", "strict"}
        return Tool(
            name=tool["name"],
            description=tool.get("description"),
            parameters=tool.get("parameters"),
            strict=tool.get("strict"),
            provider_data=kept_for(self.provider, {name: each for name, each in tool.items() if name not in known}),
        )

    def message(self, item: Any) -> Message:
        if not isinstance(item, dict):
            raise SkippedError("an item of the input that is no object")
        kind, role = item.get("type", "message"), item.get("role")
        if kind in {"function_call_output", "custom_tool_call_output"}:
            return Message(role="tool", content=(self._result(item, kind),))
        if kind != "message":
            return Message(
                role="assistant",
                content=tuple(blocks_of(item, self.provider))
                if kind in _SAID
                else (ProviderBlock(provider=self.provider, value=item),),
            )
        own = {name: value for name, value in item.items() if name not in {"type", "role", "content"}}
        content = item["content"]
        if role == "assistant" and not isinstance(content, str):
            if not own and [set(part) for part in content] == [{"type", "text"}]:
                return Message(role="assistant", content=(Text(text=content[0]["text"]),))
            return Message(role="assistant", content=tuple(blocks_of({**item, "type": "message"}, self.provider)))
        return Message(
            role=cast(Any, role),
            content=content if isinstance(content, str) else tuple(self._part(part) for part in content),
            provider_data=kept_for(self.provider, own),
        )

    def _result(self, item: Mapping[str, Any], kind: str) -> ToolResult:
        own = {name: value for name, value in item.items() if name not in {"type", "call_id", "output"}}
        if kind != "function_call_output":
            own["type"] = kind
        output = item["output"]
        return ToolResult(
            call_id=item["call_id"],
            content=output
            if isinstance(output, str)
            else tuple(cast(ResultBlock, self._part(part)) for part in output),
            provider_data=kept_for(self.provider, own),
        )

    def _part(self, part: Mapping[str, Any]) -> Block:
        kind, rest = part["type"], {name: value for name, value in part.items() if name != "type"}
        if kind == "input_text":
            text = rest.pop("text")
            return Text(text=text, provider_data=kept_for(self.provider, rest))
        if kind == "input_image" and not set(rest) - {"image_url", "file_id", "detail"}:
            return Image(**_given(rest.get("image_url"), rest.get("file_id")), detail=rest.get("detail"))
        if kind == "input_file" and "file_data" in rest and from_data_url(rest["file_data"]) is not None:
            return Document(**_given(rest["file_data"], None), name=rest.get("filename"))
        if kind == "input_file" and "file_data" not in rest:
            return Document(**_given(rest.get("file_url"), rest.get("file_id")), name=rest.get("filename"))
        return ProviderBlock(provider=self.provider, value=part)

    # -- the other direction ------------------------------------------------------------------------------------

    def write(self, request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
        stream = bool(exchange.body.get("stream"))
        return request_body(request, model=exchange.body["model"], stream=stream, provider=self.provider)

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
        """Return the response that ours stands for."""
        return {
            **completion.metadata,
            "object": "response",
            "id": completion.response_id,
            "model": completion.model,
            "service_tier": completion.service_tier,
            "usage": completion.raw_usage,
            "output": said_items(completion.reply.blocks, self.provider),
        }


def _given(url: str | None, file_id: str | None) -> dict[str, Any]:
    if file_id is not None:
        return {"file_id": file_id}
    found = from_data_url(url or "")
    return {"url": url} if found is None else {"data": found[0], "media_type": found[1]}


def oracle(exchange: Exchange) -> Any:
    """Return what OpenAI's library exposes of a response; of a stream, what its last event holds."""
    body = sse_data(exchange.text)[-1]["response"] if exchange.streamed else json.loads(exchange.text)
    response = cast(Response, construct_type(type_=Response, value=body))
    return without_nulls(response.model_dump(mode="json", warnings=False, by_alias=True))


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    body = without_nulls(body)
    if not body.get("stream"):
        body.pop("stream", None)
    if isinstance(body.get("input"), str):
        body["input"] = [{"role": "user", "content": body["input"]}]
    for item in body.get("input", ()):
        if item.get("type") == "message":
            del item["type"]
    return body


def _first_words(body: dict[str, Any]) -> dict[str, Any]:
    first = (body.get("input") or [{}])[0]
    if "instructions" not in body and first.get("role") == "system" and isinstance(first.get("content"), str):
        body["instructions"] = body["input"].pop(0)["content"]
    return body


def _one_text(body: dict[str, Any]) -> dict[str, Any]:
    for item in body.get("input", ()):
        parts = item.get("content")
        if item.get("role") == "assistant" and isinstance(parts, list):
            for part in parts:
                for name in ("annotations", "logprobs"):
                    if part.get(name) == []:
                        del part[name]
            if set(item) == {"role", "content"} and [set(part) for part in parts] == [{"type", "text"}]:
                item["content"] = parts[0]["text"]
        if item.get("type") in {None, "function_call_output"} and isinstance(item.get("content"), list):
            for part in item["content"]:
                if part.get("type") == "input_image":
                    part.setdefault("detail", "auto")
    return body


def _tools(body: dict[str, Any]) -> dict[str, Any]:
    if body.get("tools") == []:
        del body["tools"]
    for tool in body.get("tools", ()):
        if tool["type"] == "function":
            tool.setdefault("strict", False)
            tool.setdefault("parameters", {"type": "object", "properties": {}})
    return body


ALLOWED = (
    Allowed(
        reason="nulls, `stream: false` and the type `message` of an item are left out; an input that is a text is one "
        "item of the user's",
        normal=_plain,
    ),
    Allowed(reason="the system's first words go as `instructions`", normal=_first_words),
    Allowed(
        reason="empty lists of annotations and probabilities are left out, an assistant's single plain part is its "
        "text, and the `detail` of a picture is written out as `auto`",
        normal=_one_text,
    ),
    Allowed(
        reason="a tool says whether it is strict and what its parameters are; an empty list of tools is left out",
        normal=_tools,
    ),
)
