"""Requests for responses, in OpenAI's newer words, to ours."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from fieldguide.app.gateway import Open
from fieldguide.domain import (
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
from fieldguide.server._chat_read import NEUTRAL, forwarded
from fieldguide.server._errors import RequestError
from fieldguide.server._reading import MOST_MESSAGES, Fields, checked_foreign, checked_schema, from_address, from_base64
from fieldguide.server._responses_write import OWN_ID
from fieldguide.server._seal import FIELD, unseal, unseal_turn

PROVIDER = "openai-responses"
_FORWARDED = (*NEUTRAL, "include", "truncation", "max_tool_calls", "stream_options")
_ELSEWHERE = {"include", "truncation", "stream_options"}
"""What other providers need not be told: it asks for details of this protocol's own answers."""
_STATEFUL = ("previous_response_id", "conversation", "prompt", "background")
"""What would reach into the state that all keys share at the provider."""
_SAID = {"message", "reasoning", "function_call", "custom_tool_call"}


def read_response(
    body: dict[str, Any], model: Open, media_hosts: Collection[str], notes: list[str]
) -> CompletionRequest:
    """Return what a client asks.

    Args:
        body: The request.
        model: Who is to answer: a server that speaks this protocol gets all parameters of it.
        media_hosts: Hosts from which a provider may fetch what is given by address.
        notes: Gets the names of fields that are not passed on.

    Raises:
        RequestError: It cannot be read.
    """
    fields = Fields(body, "", notes)
    for name in ("model", "stream"):
        fields.get(name)
    for name in _STATEFUL:
        if fields.get(name):
            raise RequestError(f"{name} is not taken: this gateway keeps no conversations. Send all turns.", param=name)
    speaks = model.takes_response_fields
    reader = _Reader(model.provider if speaks else PROVIDER, media_hosts, notes, speaks=speaks)
    instructions = fields.text("instructions")
    given = instructions is not None if speaks else bool(instructions)
    before = (Message(role="system", content=instructions or ""),) if given else ()
    schema, verbosity = _text(fields.inner("text"))
    reasoning, own_reasoning = _reasoning(fields.inner("reasoning"), speaks)
    extra = _extra(fields, speaks) | (verbosity if speaks else {}) | own_reasoning
    include = body.get("include")
    wants_logprobs = isinstance(include, list) and "message.output_text.logprobs" in include
    top = fields.count("top_logprobs")
    request = CompletionRequest(
        messages=(*before, *reader.turns(fields.get("input"))),
        max_output_tokens=fields.count("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        tools=tuple(
            _tool(each, place, notes, reader.provider) for place, each in enumerate(fields.items("tools") or ())
        ),
        tool_choice=_choice(fields.get("tool_choice"), notes),
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        response_schema=schema,
        reasoning=reasoning,
        logprobs=(top or 0) if top or wants_logprobs else None,
        extra={reader.provider: extra} if extra and speaks else {},
    )
    fields.end()
    return request


def _extra(fields: Fields, speaks: bool) -> dict[str, JsonValue]:
    if speaks:
        return forwarded(fields, True, _FORWARDED)
    for name in fields.own(tuple(_ELSEWHERE)):
        fields.note(name)
    return forwarded(fields, False, tuple(name for name in _FORWARDED if name not in _ELSEWHERE))


def _text(fields: Fields | None) -> tuple[ResponseSchema | None, dict[str, JsonValue]]:
    """Return the form of the answer; how long-winded it is to be, only this protocol can say."""
    if fields is None:
        return None, {}
    inner = fields.inner("format")
    own = fields.own(("verbosity",))
    fields.end()
    schema = _form(inner)
    if not own:
        return schema, {}
    form: dict[str, JsonValue] = {"format": inner.value} if inner is not None else {}
    return None, {"text": {**form, **own}}


def _form(inner: Fields | None) -> ResponseSchema | None:
    kind = None if inner is None else inner.text("type")
    if inner is None or kind in {None, "text"}:
        return None
    if kind == "json_object":
        return ResponseSchema()
    if kind != "json_schema":
        raise RequestError(f"The form {kind!r} of an answer is not known.", param="text.format")
    schema = checked_schema(inner.object("schema"), inner.name("schema"))
    form = ResponseSchema(
        schema=schema, name=inner.text("name"), description=inner.text("description"), strict=inner.flag("strict")
    )
    inner.end()
    return form


def _reasoning(fields: Fields | None, speaks: bool) -> tuple[ReasoningOptions | None, dict[str, JsonValue]]:
    """Return how much to think; where more is said than all providers know, it goes as it stands to who knows it."""
    if fields is None:
        return None, {}
    effort, summary = fields.text("effort"), fields.text("summary")
    own = fields.own(("context", "generate_summary", "mode"))
    fields.end()
    if own and speaks:
        known = {"effort": effort, "summary": summary}
        return None, {"reasoning": {**{name: each for name, each in known.items() if each is not None}, **own}}
    for name in own:
        fields.note(name)
    return None if effort is None and summary is None else ReasoningOptions(effort=effort, summary=summary), {}


def _choice(given: Any, notes: list[str]) -> ToolChoice | None:
    if given is None:
        return None
    if given in ("auto", "none", "required"):
        return ToolChoice(mode=given)
    fields = Fields(given, "tool_choice", notes)
    if fields.text("type") == "function":
        return ToolChoice(mode="tool", name=fields.needed_text("name"))
    raise RequestError("This tool_choice is not known.", param="tool_choice")


def _tool(value: Any, place: int, notes: list[str], provider: str) -> Tool | ProviderTool:
    fields = Fields(value, f"tools[{place}]", notes)
    if fields.text("type") != "function":
        return ProviderTool(provider=provider, value=checked_foreign(fields.value, fields.where))
    made = Tool(
        name=fields.needed_text("name"),
        description=fields.text("description"),
        parameters=checked_schema(fields.object("parameters"), fields.name("parameters")),
        strict=fields.flag("strict"),
        provider_data=kept_for(provider, fields.own(("defer_loading",))),
    )
    fields.end()
    return made


class _Reader:
    """Reads items: those that a model said one after another are one turn."""

    def __init__(self, provider: str, media_hosts: Collection[str], notes: list[str], *, speaks: bool) -> None:
        self.provider, self._media_hosts, self._notes, self._speaks = provider, media_hosts, notes, speaks

    def turns(self, given: Any) -> list[Message]:
        if isinstance(given, str) and given:
            return [Message(role="user", content=given)]
        if not isinstance(given, list) or not given:
            raise RequestError("input is missing or empty.", param="input")
        if len(given) > MOST_MESSAGES:
            raise RequestError(f"There are more than {MOST_MESSAGES} items.", param="input")
        turns: list[Message] = []
        for place, each in enumerate(given):
            self._add(turns, Fields(each, f"input[{place}]", self._notes))
        return turns

    def _add(self, turns: list[Message], fields: Fields) -> None:
        kind = fields.text("type") or "message"
        role = fields.text("role")
        if kind == "message" and role != "assistant":
            turns.append(self._heard(fields, role))
            return
        if kind in {"function_call_output", "custom_tool_call_output"}:
            _join(turns, "tool", (self._result(fields),))
            return
        of_turn = unseal_turn(fields.text("encrypted_content") or "") if kind == "reasoning" else None
        if of_turn is not None and turns and turns[-1].role == "assistant":
            turns[-1] = replace(turns[-1], provider_data=(*turns[-1].provider_data, *of_turn.provider_data))
            return
        said = self._said(fields, kind)
        plain_before = bool(turns) and isinstance(turns[-1].content, str)
        if isinstance(said, str) or (self._speaks and plain_before):
            turns.append(Message(role="assistant", content=said))
        else:
            _join(turns, "assistant", said)

    def _heard(self, fields: Fields, role: str | None) -> Message:
        if role not in {"user", "system", "developer"}:
            raise RequestError(f"{fields.name('role')} {role!r} is not known.", param=fields.name("role"))
        content = fields.get("content")
        fields.own(("id", "status"))
        fields.end()
        said = content if isinstance(content, str) else self._parts(content, fields.name("content"))
        return Message(role=role, content=said)  # type: ignore[arg-type]

    def _said(self, fields: Fields, kind: str) -> str | tuple[Block, ...]:
        if kind == "message":
            return self._words(fields)
        if kind == "reasoning":
            return (self._thought(fields),)
        if kind in {"function_call", "custom_tool_call"}:
            return (self._call(fields, kind),)
        if kind == "image_generation_call" and isinstance(kept := unseal(fields.text(FIELD) or ""), Image):
            return (replace(kept, data=from_base64(fields.text("result") or "", fields.name("result"))),)
        if kind == "item_reference":
            raise RequestError("Items kept at the provider are not taken: this gateway keeps none. Send them whole.")
        return (ProviderBlock(provider=self.provider, value=checked_foreign(fields.value, fields.where)),)

    def _words(self, fields: Fields) -> str | tuple[Block, ...]:
        content = fields.get("content")
        item = _own(fields, "id", "status", "phase")
        kept = unseal(fields.text(FIELD) or "")
        sealed = kept.provider_data if isinstance(kept, Text) else ()
        fields.end()
        if isinstance(content, str):
            return content
        blocks: list[Block] = []
        for place, each in enumerate(content if isinstance(content, list) else []):
            part = Fields(each, f"{fields.where}.content[{place}]", self._notes)
            own: dict[str, JsonValue] = {"item": item} if item else {}
            if part.text("type") == "refusal":
                block: Block = Refusal(text=part.text("refusal") or "", provider_data=kept_for(self.provider, own))
            else:
                own |= part.own(("annotations", "logprobs"))
                own.pop("logprobs", None)
                data = (*kept_for(self.provider, own), *sealed)
                block = Text(text=part.text("text") or "", provider_data=data)
            part.end()
            blocks.append(block)
        return tuple(blocks)

    def _thought(self, fields: Fields) -> Reasoning | ProviderBlock:
        sealed = fields.text("encrypted_content")
        kept = unseal(sealed or "")
        own = _own(fields, "id", "summary", "content", "status")
        fields.end()
        if isinstance(kept, Reasoning | ProviderBlock):
            return kept
        texts = [part.get("text") for name in ("summary", "content") for part in _objects(own.get(name))]
        own.setdefault("summary", [])
        return Reasoning(
            text="\n\n".join(str(text) for text in texts if text) or None,
            encrypted=sealed,
            provider=self.provider,
            provider_data=kept_for(self.provider, own),
        )

    def _call(self, fields: Fields, kind: str) -> ToolCall:
        raw = fields.text("arguments" if kind == "function_call" else "input") or ""
        own = _own(fields, "id", "status", "namespace", "item_id", "output_index")
        kept = unseal(fields.text(FIELD) or "")
        if kind == "custom_tool_call":
            own["type"] = kind
        data = kept_for(self.provider, own)
        if isinstance(kept, ToolCall):
            data = (*data, *kept.provider_data)
        call = ToolCall(
            name=fields.needed_text("name"),
            call_id=fields.needed_text("call_id"),
            arguments=_parsed(raw) if kind == "function_call" else None,
            raw_arguments=raw,
            provider_data=data,
        )
        fields.end()
        return call

    def _result(self, fields: Fields) -> ToolResult:
        output = fields.get("output")
        own = fields.own(("id", "status"))
        if fields.text("type") == "custom_tool_call_output":
            own["type"] = "custom_tool_call_output"
        result = ToolResult(
            call_id=fields.needed_text("call_id"),
            content=output if isinstance(output, str) else self._parts(output, fields.name("output")),  # type: ignore[arg-type]
            provider_data=kept_for(self.provider, own),
        )
        fields.end()
        return result

    def _parts(self, content: Any, where: str) -> tuple[Block, ...]:
        if not isinstance(content, list):
            raise RequestError(f"{where} is neither a text nor a list of parts.", param=where)
        return tuple(self._part(Fields(each, f"{where}[{n}]", self._notes)) for n, each in enumerate(content))

    def _part(self, fields: Fields) -> Block:
        kind = fields.text("type")
        block: Block
        if kind in {"input_text", "output_text", "text"}:
            block = Text(text=fields.text("text") or "")
        elif kind == "input_image":
            block = self._image(fields)
        elif kind == "input_file":
            block = self._file(fields)
        else:
            raise RequestError(f"A part of the type {kind!r} is not known.", param=fields.name("type"))
        fields.end()
        return block

    def _image(self, fields: Fields) -> Image:
        file_id, detail = fields.text("file_id"), fields.text("detail")
        if file_id is not None:
            return Image(file_id=file_id, detail=detail)
        url = fields.needed_text("image_url")
        data, media_type, address = from_address(url, fields.name("image_url"), self._media_hosts)
        return Image(data=data, url=address, media_type=media_type, detail=detail)

    def _file(self, fields: Fields) -> Document:
        name, file_id = fields.text("filename"), fields.text("file_id")
        if file_id is not None:
            return Document(file_id=file_id, name=name)
        field = "file_url" if fields.get("file_url") else "file_data"
        data, media_type, url = from_address(fields.needed_text(field), fields.name(field), self._media_hosts)
        return Document(data=data, url=url, media_type=media_type, name=name)


def _own(fields: Fields, *names: str) -> dict[str, JsonValue]:
    """Return what a provider wants back of an item, under the id that it gave itself."""
    own = fields.own(names)
    given = fields.text(OWN_ID)
    return own if given is None else {**own, "id": given}


def _join(turns: list[Message], role: str, blocks: tuple[Block, ...]) -> None:
    last = turns[-1] if turns else None
    if last is not None and last.role == role:
        turns[-1] = replace(last, content=(*last.blocks, *blocks))
    else:
        turns.append(Message(role=role, content=blocks))  # type: ignore[arg-type]


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _parsed(raw: str) -> dict[str, JsonValue] | None:
    try:
        value = json.loads(raw) if raw.strip() else {}
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
