"""Requests for chat completions, in OpenAI's words, to ours."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from fieldguide.app.gateway import HOW_MANY, Open
from fieldguide.domain import (
    Audio,
    Block,
    CompletionRequest,
    Document,
    Image,
    JsonValue,
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
from fieldguide.server._chat_write import OF_A_CALL
from fieldguide.server._errors import RequestError
from fieldguide.server._reading import MOST_MESSAGES, Fields, checked_foreign, checked_schema, from_address, from_base64
from fieldguide.server._seal import says, unsealed

NEUTRAL = (
    "user",
    "metadata",
    "store",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
)
"""What asks for nothing that shows in an answer: elsewhere it is listed as not passed on, and the request goes on."""
FORWARDED = (
    *NEUTRAL,
    "n", "logit_bias", "prediction", "modalities", "audio", "verbosity", "web_search_options", "functions",
    "function_call", "min_p", "repetition_penalty", "min_tokens", "ignore_eos", "stop_token_ids",
    "chat_template_kwargs", "enable_thinking", "thinking_budget", "thinking",
)  # fmt: skip
"""Parameters of the protocol, and of servers that speak it, that go to such servers as they stand, and to no other."""
_OF_A_TURN = ("reasoning_details", "thought_signature", "extra_content", "annotations")
"""What servers of this protocol want back of a turn beside what it says."""
_ROLES = {"system", "developer", "user", "assistant", "tool"}
_MEDIA_TYPES = {"mp3": "audio/mpeg"}


def read_chat(body: dict[str, Any], model: Open, media_hosts: Collection[str], notes: list[str]) -> CompletionRequest:
    """Return what a client asks.

    Args:
        body: The request.
        model: Who is to answer: a server that speaks this protocol gets all parameters of it.
        media_hosts: Hosts from which a provider may fetch what is given by address.
        notes: Gets the names of fields that are not passed on.

    Raises:
        RequestError: It cannot be read.
        UnsupportedError: It asks for what only other providers can do.
    """
    fields = Fields(body, "", notes)
    own = model.provider if model.takes_chat_fields else "openai"
    reader = _Reader(own, media_hosts, notes, keeps_own=model.takes_chat_fields)
    for name in ("model", "stream", "stream_options"):
        fields.get(name)
    messages = fields.items("messages")
    if not messages:
        raise RequestError("messages is missing or empty.", param="messages")
    if len(messages) > MOST_MESSAGES:
        raise RequestError(f"There are more than {MOST_MESSAGES} messages.", param="messages")
    bound, older = fields.count("max_completion_tokens"), fields.count("max_tokens")
    schema, odd_format = reader.form(fields.inner("response_format"))
    choice, odd_choice = reader.choice(fields)
    extra = forwarded(fields, model.takes_chat_fields, FORWARDED) | odd_format | odd_choice
    effort = fields.text("reasoning_effort")
    top_logprobs = fields.count("top_logprobs")
    request = CompletionRequest(
        messages=tuple(reader.message(each, place) for place, each in enumerate(messages)),
        max_output_tokens=older if bound is None else bound,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        stop=fields.texts("stop"),
        seed=fields.whole("seed"),
        top_k=fields.whole("top_k"),
        frequency_penalty=fields.number("frequency_penalty") or None,
        presence_penalty=fields.number("presence_penalty") or None,
        tools=tuple(reader.tool(each, place) for place, each in enumerate(fields.items("tools") or ())),
        tool_choice=choice,
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        response_schema=schema,
        reasoning=None if effort is None else ReasoningOptions(effort=effort),
        logprobs=(top_logprobs or 0) if fields.flag("logprobs") else None,
        extra={own: extra} if extra else {},
    )
    fields.end()
    return request


def forwarded(fields: Fields, takes_them: bool, names: tuple[str, ...]) -> dict[str, JsonValue]:
    """Return further parameters for a server that takes them.

    Raises:
        RequestError: It does not, and one of them would change the answer; or a number of answers is none.
    """
    for name in set(HOW_MANY).intersection(names):
        fields.count(name, least=1)  # budgets are held by it
    given = fields.own(names)
    if takes_them or not given:
        return given
    for name in given:
        if name in HOW_MANY and given[name] == 1:
            continue
        if name not in NEUTRAL:
            raise RequestError(f"The model behind this name does not take {fields.name(name)}.", param=name)
        fields.note(name)
    return {}


class _Reader:
    """Reads the parts of a request; what only a server of this protocol knows is kept under its name."""

    def __init__(self, provider: str, media_hosts: Collection[str], notes: list[str], *, keeps_own: bool) -> None:
        self._provider, self._media_hosts, self._notes = provider, media_hosts, notes
        self._keeps_own = keeps_own

    def form(self, fields: Fields | None) -> tuple[ResponseSchema | None, dict[str, JsonValue]]:
        kind = None if fields is None else fields.text("type")
        if fields is None or kind in {None, "text"}:
            return None, {}
        if kind == "json_object":
            return ResponseSchema(), {}
        inner = fields.inner("json_schema")
        if kind == "json_schema" and inner is not None:
            schema = checked_schema(inner.object("schema"), inner.name("schema"))
            form = ResponseSchema(
                schema=schema,
                name=inner.text("name"),
                description=inner.text("description"),
                strict=inner.flag("strict"),
            )
            inner.end()
            return form, {}
        if self._keeps_own:
            return None, {"response_format": fields.value}
        raise RequestError(f"The form {kind!r} of an answer is not known.", param="response_format")

    def choice(self, fields: Fields) -> tuple[ToolChoice | None, dict[str, JsonValue]]:
        given = fields.get("tool_choice")
        if given is None:
            return None, {}
        if given in ("auto", "none", "required"):
            return ToolChoice(mode=given), {}
        inner = Fields(given, "tool_choice", self._notes)
        function = inner.inner("function")
        if inner.text("type") == "function" and function is not None:
            return ToolChoice(mode="tool", name=function.needed_text("name")), {}
        if self._keeps_own:
            return None, {"tool_choice": given}
        raise RequestError("This tool_choice is not known.", param="tool_choice")

    def tool(self, value: Any, place: int) -> Tool | ProviderTool:
        fields = Fields(value, f"tools[{place}]", self._notes)
        function = fields.inner("function")
        if fields.text("type") != "function" or function is None:
            return ProviderTool(provider=self._provider, value=checked_foreign(fields.value, fields.where))
        made = Tool(
            name=function.needed_text("name"),
            description=function.text("description"),
            parameters=checked_schema(function.object("parameters"), function.name("parameters")),
            strict=function.flag("strict"),
            provider_data=kept_for(self._provider, fields.own(("cache_control",))),
        )
        function.end()
        fields.end()
        return made

    def message(self, value: Any, place: int) -> Message:
        fields = Fields(value, f"messages[{place}]", self._notes)
        role = fields.needed_text("role")
        if role not in _ROLES:
            raise RequestError(f"{fields.name('role')} {role!r} is not known.", param=fields.name("role"))
        if role == "tool":
            message = Message(role="tool", content=(self._result(fields),))
        else:
            content, name = fields.get("content"), fields.text("name")
            if role == "assistant":
                message = self._turn(fields, content, name)
            else:
                message = Message(role=role, content=self._content(fields, content), name=name)  # type: ignore[arg-type]
        fields.end()
        return message

    def _result(self, fields: Fields) -> ToolResult:
        content = fields.get("content")
        parts = content if isinstance(content, str) else self._parts(content or [], fields.name("content"))
        return ToolResult(
            call_id=fields.text("tool_call_id"),
            content=parts,  # type: ignore[arg-type]
            name=fields.text("name"),
        )

    def _content(self, fields: Fields, content: Any) -> str | tuple[Block, ...]:
        if isinstance(content, str):
            return content
        if content is None:
            raise RequestError(f"{fields.name('content')} is missing.", param=fields.name("content"))
        return self._parts(content, fields.name("content"))

    def _turn(self, fields: Fields, content: Any, name: str | None) -> Message:
        """Return what a model said: as it was, where the client brings it back unchanged."""
        kept = unsealed(fields)
        if kept is None:
            own = kept_for(self._provider, fields.own(_OF_A_TURN)) if self._keeps_own else ()
            return Message(role="assistant", content=self._said(fields, content, ()), name=name, provider_data=own)
        calls = fields.items("tool_calls") or []
        ids = [call.get("id") if isinstance(call, dict) else None for call in calls]
        if says(kept, content if isinstance(content, str) else "", ids):
            fields.known.update(fields.value)
            return replace(kept, name=name)
        return Message(role="assistant", content=self._said(fields, content, kept.blocks), name=name)

    def _said(self, fields: Fields, content: Any, kept: Sequence[Block]) -> str | tuple[Block, ...]:
        calls = fields.items("tool_calls")
        blocks: list[Block] = [block for block in kept if isinstance(block, Reasoning)]
        thoughts = [self._thought(fields, name) for name in ("reasoning_content", "reasoning")]
        if not blocks:
            blocks += [each for each in thoughts if each is not None]
        fields.own(("annotations",))
        refusal = fields.text("refusal")
        audio = fields.object("audio")
        if isinstance(content, str) and not (blocks or refusal or calls or audio):
            return content
        if isinstance(content, str):
            blocks += [Text(text=content)] if content else []
        elif content is not None:
            blocks += self._parts(content, fields.name("content"))
        if refusal:
            blocks.append(Refusal(text=refusal))
        if audio is not None:
            data = kept_for(self._provider, {"id": audio.get("id")})
            blocks.append(Audio(file_id=str(audio.get("id")), provider_data=data))
        if fields.get("function_call") is not None:
            raise RequestError("The retired `function_call` of a message is not read; use `tool_calls`.")
        sealed = {block.call_id or "": block.provider_data for block in kept if isinstance(block, ToolCall)}
        where = fields.name("tool_calls")
        blocks += [self._call(each, f"{where}[{place}]", sealed) for place, each in enumerate(calls or ())]
        return tuple(blocks)

    def _thought(self, fields: Fields, name: str) -> Reasoning | None:
        text = fields.text(name)
        if text is None:
            return None
        return Reasoning(text=text, provider=self._provider, provider_data=kept_for(self._provider, {"field": name}))

    def _call(self, value: Any, where: str, sealed: dict[str, tuple[Any, ...]]) -> ToolCall:
        fields = Fields(value, where, self._notes)
        call_id = fields.text("id")
        if fields.text("type") == "custom" and (custom := fields.inner("custom")) is not None:
            return ToolCall(
                name=custom.needed_text("name"),
                call_id=call_id,
                raw_arguments=custom.text("input"),
                provider_data=kept_for(self._provider, {"type": "custom"}),
            )
        function = fields.inner("function")
        if function is None:
            raise RequestError(f"{where}.function is missing.", param=where)
        raw = function.text("arguments") or ""
        own = kept_for(self._provider, fields.own(OF_A_CALL))
        call = ToolCall(
            name=function.needed_text("name"),
            call_id=call_id,
            arguments=_parsed(raw),
            raw_arguments=raw,
            provider_data=own or sealed.get(call_id or "", ()),
        )
        fields.get("index")
        fields.end()
        return call

    def _parts(self, content: Any, where: str) -> tuple[Block, ...]:
        if not isinstance(content, list):
            raise RequestError(f"{where} is neither a text nor a list of parts.", param=where)
        return tuple(self._part(each, f"{where}[{place}]") for place, each in enumerate(content))

    def _part(self, value: Any, where: str) -> Block:
        fields = Fields(value, where, self._notes)
        kind = fields.text("type")
        block: Block
        if kind == "text":
            own = fields.own(("cache_control",))
            text = fields.text("text")
            if text is None:
                raise RequestError(f"{where}.text is missing.", param=where)
            block = Text(text=text, provider_data=kept_for(self._provider, own))
        elif kind == "refusal":
            block = Refusal(text=fields.text("refusal") or "")
        elif kind == "image_url":
            block = self._image(fields)
        elif kind == "input_audio" and (audio := fields.inner("input_audio")) is not None:
            form = audio.needed_text("format")
            data = from_base64(audio.needed_text("data"), audio.name("data"))
            block = Audio(data=data, media_type=_MEDIA_TYPES.get(form, f"audio/{form}"))
        elif kind == "file" and (file := fields.inner("file")) is not None:
            block = self._file(file)
        elif kind == "thinking" and self._keeps_own:
            own = {"part": fields.value}
            return Reasoning(provider=self._provider, provider_data=kept_for(self._provider, own))
        else:
            return self._unknown(fields, kind)
        fields.end()
        return block

    def _image(self, fields: Fields) -> Image:
        given = fields.get("image_url")
        inner = Fields({"url": given}, fields.name("image_url"), self._notes) if isinstance(given, str) else None
        inner = inner or fields.inner("image_url")
        if inner is None:
            raise RequestError(f"{fields.name('image_url')} is missing.", param=fields.name("image_url"))
        data, media_type, url = from_address(inner.needed_text("url"), inner.name("url"), self._media_hosts)
        detail = inner.text("detail")
        inner.end()
        return Image(data=data, url=url, media_type=media_type, detail=detail)

    def _file(self, file: Fields) -> Document:
        name, file_id, given = file.text("filename"), file.text("file_id"), file.text("file_data")
        file.end()
        if file_id is not None:
            return Document(file_id=file_id, name=name)
        if given is None:
            raise RequestError(f"{file.where} has neither file_data nor file_id.", param=file.where)
        data, media_type, url = from_address(given, file.name("file_data"), self._media_hosts)
        return Document(data=data, url=url, media_type=media_type, name=name)

    def _unknown(self, fields: Fields, kind: str | None) -> Block:
        if not self._keeps_own or kind not in {"video_url", "audio_url"}:
            raise RequestError(f"A part of the type {kind!r} is not known.", param=fields.name("type"))
        inner = fields.inner(kind)
        if inner is None:
            raise RequestError(f"{fields.name(kind)} is missing.", param=fields.name(kind))
        from_address(inner.needed_text("url"), inner.name("url"), self._media_hosts)
        return ProviderBlock(provider=self._provider, value=fields.value)


def _parsed(raw: str) -> dict[str, JsonValue] | None:
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
