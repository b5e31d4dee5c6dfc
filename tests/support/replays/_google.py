"""What `generateContent` has in common at the Gemini API and at Vertex AI: requests read, answers by Google's types."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, cast

from google.genai import types
from pydantic import ValidationError

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    CompletionRequest,
    Document,
    Image,
    Media,
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
)
from fieldguide.runners._media import from_base64
from fieldguide.runners.gemini._content import wire_parts
from fieldguide.runners.gemini._errors import error_of
from fieldguide.runners.gemini._request import request_body
from fieldguide.runners.gemini._response import StreamedAnswer, parse_completion
from tests.support.replay import Allowed, Exchange, SkippedError, sse_data, without_nulls

_OPAQUE = {
    "args", "response", "parameters", "parametersJsonSchema", "responseSchema", "responseJsonSchema", "labels",
    "partMetadata",
}  # fmt: skip
_SAMPLED = {
    "maxOutputTokens": "max_output_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "seed": "seed",
    "frequencyPenalty": "frequency_penalty",
    "presencePenalty": "presence_penalty",
}
_MODES = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
_KINDS: Mapping[str, type[Media]] = {"image": Image, "audio": Audio, "video": Video}


def camel(value: Any, name: str = "") -> Any:
    """Return JSON with the names of fields as Google writes them: it takes `inline_data` for `inlineData`.

    What the user named (schemas, arguments, results) stays, and base64 for addresses becomes the usual one.
    """
    if isinstance(value, list):
        return [camel(each, name) for each in value]
    if name in {"data", "thoughtSignature"} and isinstance(value, str):
        return value.replace("-", "+").replace("_", "/")
    if not isinstance(value, dict) or (name in _OPAQUE):
        return value
    written = {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): each for key, each in value.items()}
    return {key: camel(each, key) for key, each in written.items()}


class Reader:
    """Reads and writes what one of the two providers recorded."""

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def request(self, exchange: Exchange) -> CompletionRequest:
        """Read a recorded request."""
        body = camel(exchange.body)
        if not isinstance(body, dict) or "contents" not in body:
            raise SkippedError("no conversation in the request")
        if ":stream" in exchange.url and "alt=sse" not in exchange.url:
            raise SkippedError("a stream as one JSON array, where ours asks for events")
        if "enum-encoding" in exchange.url:
            raise SkippedError("words of enumerations as numbers, which a client asked for")
        extra = {name: each for name, each in body.items() if name not in {"contents", "systemInstruction", "tools"}}
        given, extra = self._configured(extra)
        choice, extra = _choice(extra)
        contents = body["contents"] if isinstance(body["contents"], list) else [body["contents"]]
        system = body.get("systemInstruction")
        first = () if not system else (Message(role="system", content=self._blocks(system)),)
        return CompletionRequest(
            messages=(*first, *(self._message(each) for each in contents)),
            tools=tuple(tool for each in _as_list(body.get("tools")) for tool in self._tools(each)),
            tool_choice=choice,
            extra={self._provider: extra} if extra else {},
            **given,
        )

    def _configured(self, extra: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        config = dict(extra.pop("generationConfig", None) or {})
        given: dict[str, Any] = {ours: config.pop(name) for name, ours in _SAMPLED.items() if name in config}
        if stop := config.pop("stopSequences", None):
            given["stop"] = tuple(stop)
        if config.get("responseLogprobs"):
            del config["responseLogprobs"]
            given["logprobs"] = config.pop("logprobs", 0)
        if config.get("responseMimeType") == "application/json":
            del config["responseMimeType"]
            given["response_schema"] = ResponseSchema(schema=config.pop("responseJsonSchema", None))
        thinking = dict(config.pop("thinkingConfig", None) or {})
        options: dict[str, Any] = {}
        for name, ours in (("thinkingBudget", "budget_tokens"), ("thinkingLevel", "effort")):
            if name in thinking:
                options[ours] = thinking.pop(name)
        if thinking.get("includeThoughts") is True:
            del thinking["includeThoughts"]
            options["summary"] = "auto"
        if options:
            given["reasoning"] = ReasoningOptions(**options)
        if thinking:
            config["thinkingConfig"] = thinking
        return given, {**extra, "generationConfig": config} if config else extra

    def _tools(self, entry: Mapping[str, Any]) -> list[Tool | ProviderTool]:
        rest = {name: each for name, each in entry.items() if name != "functionDeclarations"}
        own: list[Tool | ProviderTool] = [ProviderTool(provider=self._provider, value=rest)] if rest else []
        return [*(self._tool(each) for each in entry.get("functionDeclarations") or ()), *own]

    def _tool(self, tool: Mapping[str, Any]) -> Tool:
        known = {"name", "description", "parametersJsonSchema"}
        own = {name: each for name, each in tool.items() if name not in known}
        return Tool(
            name=tool["name"],
            description=tool.get("description"),
            parameters=tool.get("parametersJsonSchema"),
            provider_data=kept_for(self._provider, own),
        )

    def _message(self, content: Mapping[str, Any]) -> Message:
        role: Any = "assistant" if content.get("role") == "model" else "user"
        return Message(role=role, content=self._blocks(content))

    def _blocks(self, content: Mapping[str, Any]) -> tuple[Block, ...]:
        return tuple(self._block(part) for part in _as_list(content.get("parts")))

    def _block(self, part: Mapping[str, Any]) -> Block:
        for name, read in (("functionCall", self._call), ("functionResponse", self._result)):
            if name in part:
                rest = {key: each for key, each in part.items() if key != name}
                return read(part[name], rest)
        if part.get("thought") and set(part) <= {"text", "thought", "thoughtSignature"}:
            signature = part.get("thoughtSignature")
            return Reasoning(text=part.get("text"), signature=signature, provider=self._provider)
        if "text" in part and "thought" not in part:
            rest = {key: each for key, each in part.items() if key != "text"}
            return Text(text=part["text"], provider_data=kept_for(self._provider, rest))
        return self._media(part) or ProviderBlock(provider=self._provider, value=part)

    def _call(self, call: Mapping[str, Any], rest: dict[str, Any]) -> ToolCall:
        return ToolCall(
            name=call["name"],
            call_id=call.get("id"),
            arguments=call.get("args") or {},
            provider_data=kept_for(self._provider, rest),
        )

    def _result(self, result: Mapping[str, Any], rest: dict[str, Any]) -> ToolResult:
        response = result["response"]
        told = set(response) == {"output"} and isinstance(response["output"], str)
        said = response["output"] if told and not _is_object(response["output"]) else json.dumps(response)
        parts = tuple(self._block(part) for part in result.get("parts") or ())
        known = {"name", "id", "response", "parts"}
        if more := {name: each for name, each in result.items() if name not in known}:
            rest = {**rest, "functionResponse": more}
        return ToolResult(
            call_id=result.get("id"),
            name=result["name"],
            content=(Text(text=said), *cast("tuple[ResultBlock, ...]", parts)) if parts else said,
            provider_data=kept_for(self._provider, rest),
        )

    def _media(self, part: Mapping[str, Any]) -> Media | None:
        (name, inner), *_ = part.items() if part else (("", None),)
        if name not in {"inlineData", "fileData"} or not isinstance(inner, dict) or not inner.get("mimeType"):
            return None
        given: dict[str, Any] = {"media_type": inner["mimeType"]}
        rest = {key: each for key, each in part.items() if key != name}
        known = {"mimeType", "data", "fileUri"}
        if more := {key: each for key, each in inner.items() if key not in known}:
            rest[name] = more
        if name == "inlineData":
            given["data"] = from_base64(inner["data"])
            if given["data"] is None:
                return None
        else:
            given["url"] = inner["fileUri"]
        kind = _KINDS.get(inner["mimeType"].partition("/")[0], Document)
        return kind(**given, provider_data=kept_for(self._provider, rest))

    def write(self, request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
        """Return our body."""
        return request_body(request, model=model_of(exchange), provider=self._provider)

    def parse(self, exchange: Exchange) -> Completion:
        """Parse the recorded response."""
        if exchange.status != 200:
            raise error_of(exchange.status, exchange.text, exchange.response_headers)
        if not exchange.streamed:
            return parse_completion(exchange.text, e2e_latency_s=1.0, provider=self._provider)
        answer = StreamedAnswer(began_s=0.0, provider=self._provider)
        for event in sse_data(exchange.text):
            answer.take(json.dumps(event), now_s=1.0)
        return answer.completion(now_s=2.0)

    def restored(self, completion: Completion) -> Any:
        """Return the response that our value stands for."""
        metadata = dict(completion.metadata)
        candidate = dict(cast("Mapping[str, Any]", metadata.pop("candidate", {})))
        others = cast("list[Any]", metadata.pop("other_choices", []))
        candidate["content"] = {"role": "model", "parts": wire_parts(completion.reply.blocks, self._provider, {})}
        if "promptFeedback" not in metadata:
            candidate["finishReason"] = completion.raw_finish_reason
        whole = {
            **metadata,
            "candidates": [candidate, *others],
            "usageMetadata": completion.raw_usage,
            "modelVersion": completion.model,
            "responseId": completion.response_id,
        }
        return exposed(whole)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _choice(extra: dict[str, Any]) -> tuple[ToolChoice | None, dict[str, Any]]:
    config = extra.get("toolConfig") or {}
    calling = config.get("functionCallingConfig")
    if not calling or set(calling) - {"mode", "allowedFunctionNames"}:
        return None, extra
    names = calling.get("allowedFunctionNames") or []
    mode = _MODES.get(str(calling.get("mode")).upper())
    if mode is None or len(names) > 1 or (names and mode != "required"):
        return None, extra
    rest = {name: each for name, each in config.items() if name != "functionCallingConfig"}
    extra = {name: each for name, each in extra.items() if name != "toolConfig"}
    choice = ToolChoice(mode="tool", name=names[0]) if names else ToolChoice(mode=cast(Any, mode))
    return choice, {**extra, "toolConfig": rest} if rest else extra


def exposed(response: Mapping[str, Any]) -> Any:
    """Return what Google's library exposes of a response."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # words of its enumerations that it does not know
        found = types.GenerateContentResponse._from_response(response=dict(response), kwargs={})
        return without_nulls(found.model_dump(mode="json", warnings=False))


def oracle(exchange: Exchange) -> Any:
    """Return what Google's library exposes of an answer; pieces of a stream are put together in the plainest way."""
    if not exchange.streamed:
        body = json.loads(exchange.text)
        if "error" in body:
            raise ValueError(body["error"])
        return exposed(body)
    whole: dict[str, Any] = {}
    parts: list[dict[str, Any]] = []
    about: dict[str, Any] = {}
    events = sse_data(exchange.text)
    if failed := [event for event in events if "error" in event]:  # which the library raises
        raise ValueError(failed[0])
    for piece in map(exposed, events):
        (candidate, *_) = piece.pop("candidates", None) or [{}]
        whole |= piece
        for part in (candidate.pop("content", None) or {}).get("parts", []):
            _add_part(parts, part)
        about |= candidate
    return {**whole, "candidates": [{**about, "content": {"role": "model", "parts": parts}}]}


def _add_part(parts: list[dict[str, Any]], part: dict[str, Any]) -> None:
    """Add a part; plain words continue plain words of the same kind, and words without a word are nothing."""
    plain = set(part) <= {"text", "thought"} and "text" in part
    if plain and not part["text"]:
        return
    if plain and parts and set(parts[-1]) == set(part) and parts[-1].get("thought") == part.get("thought"):
        parts[-1] = {**part, "text": parts[-1]["text"] + part["text"]}
    else:
        parts.append(part)


def path_of(exchange: Exchange, version: str) -> str:
    """Return the path that we ask for: of our version of the API, and with no key in it."""
    path, _, query = exchange.path.partition("?")
    streamed = "?alt=sse" if "alt=sse" in query else ""
    return re.sub(r"^/v1\w*/", f"/{version}/", path) + streamed


def model_of(exchange: Exchange) -> str:
    """Return the model that an address names."""
    found = re.search(r"/models/([^:?]+)", exchange.url)
    assert found is not None
    return found[1]


def schema_errors(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    """Return what the types of Google's library, which allow no other fields, have against a body."""
    body = camel(body)
    checks: list[tuple[Any, Any]] = [(types.Content, each) for each in body.get("contents", [])]
    checks += [(types.Tool, each) for each in _as_list(body.get("tools"))]
    checks += [(types.Content, body.get("systemInstruction") or {}), (types.ToolConfig, body.get("toolConfig") or {})]
    config = {name: each for name, each in body.get("generationConfig", {}).items() if name != "imageConfig"}
    checks.append((types.GenerationConfig, config))
    faults = []
    for kind, value in checks:
        try:
            kind.model_validate(value)
        except ValidationError as error:
            faults.append(f"{kind.__name__}: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}")
    return faults


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    body = camel(body)
    body.pop("model", None)
    config = {name: each for name, each in body.get("generationConfig", {}).items() if each not in (None, {}, [])}
    body = {name: each for name, each in (body | {"generationConfig": config}).items() if each not in (None, {}, [])}
    if "systemInstruction" in body:
        body["systemInstruction"] = {"parts": _as_list(body["systemInstruction"].get("parts"))}
    body["contents"] = _as_list(body["contents"])
    for turn in body["contents"]:
        turn["role"] = "model" if turn.get("role") == "model" else "user"
        turn["parts"] = _as_list(turn.get("parts"))
        for part in turn["parts"]:
            if "functionCall" in part:
                part["functionCall"].setdefault("args", {})
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    if "mode" in calling:
        calling["mode"] = calling["mode"].upper()
    return body


def _one_list(body: dict[str, Any]) -> dict[str, Any]:
    entries = [dict(each) for each in _as_list(body.get("tools"))]
    declared = [tool for each in entries for tool in each.pop("functionDeclarations", None) or ()]
    rest = [{name: value} for each in entries for name, value in each.items()]
    tools = [{"functionDeclarations": declared}] * bool(declared) + rest
    return {name: each for name, each in body.items() if name != "tools"} | ({"tools": tools} if tools else {})


ALLOWED = (
    Allowed(
        reason="names with underscores (`inline_data`) and base64 for addresses are written as Google documents them; "
        "`model`, which the address names, what is empty or null, the role of system instructions, the default role "
        "`user` and empty arguments say nothing; one part or turn stands in a list; modes are written in capitals",
        normal=_plain,
    ),
    Allowed(reason="functions stand in one list, before the tools that Google runs", normal=_one_list),
)
