"""Requests for messages, in Anthropic's words, to ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from fieldguide.domain import (
    Block,
    CompletionRequest,
    Document,
    Image,
    JsonValue,
    Message,
    ProviderBlock,
    ProviderData,
    ProviderTool,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    kept_for,
)
from fieldguide.server._errors import RequestError
from fieldguide.server._reading import MOST_MESSAGES, Fields, checked_foreign, checked_schema, from_address, from_base64
from fieldguide.server._seal import unseal, unseal_turn, with_data

PROVIDER = "anthropic"
_FORWARDED = ("metadata", "service_tier", "container", "context_management", "inference_geo", "speed")
_NEUTRAL = {"metadata", "service_tier"}
_OWN = ("cache_control", "citations", "caller")
"""Fields of blocks that only Anthropic knows; they go back to it and to nobody else."""
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def read_messages(
    body: dict[str, Any], *, speaks: bool, media_hosts: Collection[str], notes: list[str], betas: Collection[str] = ()
) -> CompletionRequest:
    """Return what a client asks.

    Args:
        body: The request.
        speaks: Whether the model that is to answer takes all parameters of this protocol.
        media_hosts: Hosts from which a provider may fetch what is given by address.
        notes: Gets the names of fields that are not passed on.
        betas: Beta features that the client has named in a header.

    Raises:
        RequestError: It cannot be read.
    """
    fields = Fields(body, "", notes)
    for name in ("model", "stream"):
        fields.get(name)
    messages = fields.items("messages")
    if not messages:
        raise RequestError("messages is missing or empty.", param="messages")
    if len(messages) > MOST_MESSAGES:
        raise RequestError(f"There are more than {MOST_MESSAGES} messages.", param="messages")
    reader = _Reader(media_hosts, notes)
    choice, parallel = _choice(fields.inner("tool_choice"))
    reasoning, schema = _thinking(fields)
    request = CompletionRequest(
        messages=(*reader.system(fields.get("system")), *_turns(reader, messages)),
        max_output_tokens=fields.count("max_tokens", least=0),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.count("top_k"),
        stop=fields.texts("stop_sequences"),
        tools=tuple(_tool(each, place, notes) for place, each in enumerate(fields.items("tools") or ())),
        tool_choice=choice,
        parallel_tool_calls=parallel,
        response_schema=schema,
        reasoning=reasoning,
        extra=_extra(fields, betas, speaks=speaks),
    )
    fields.end()
    return request


def _extra(fields: Fields, betas: Collection[str], *, speaks: bool) -> dict[str, dict[str, JsonValue]]:
    given = fields.own(_FORWARDED)
    if speaks:
        return {PROVIDER: {**given, **({"betas": list(betas)} if betas else {})}} if given or betas else {}
    for name in given:
        if name not in _NEUTRAL:
            raise RequestError(f"The model behind this name does not take {name}.", param=name)
        fields.note(name)
    return {}


def _choice(fields: Fields | None) -> tuple[ToolChoice | None, bool | None]:
    if fields is None:
        return None, None
    kind = fields.needed_text("type")
    disabled = fields.flag("disable_parallel_tool_use")
    if kind == "tool":
        choice = ToolChoice(mode="tool", name=fields.needed_text("name"))
    elif kind in _CHOICES:
        choice = ToolChoice(mode=_CHOICES[kind])  # type: ignore[arg-type]
    else:
        raise RequestError(f"The tool_choice {kind!r} is not known.", param="tool_choice")
    fields.end()
    return choice, None if disabled is None else not disabled


def _thinking(fields: Fields) -> tuple[ReasoningOptions | None, ResponseSchema | None]:
    """Return how much to think, and the form of the answer: they share a field."""
    thinking, output = fields.inner("thinking"), fields.inner("output_config")
    enabled = budget = effort = schema = None
    if thinking is not None:
        kind = thinking.needed_text("type")
        budget = thinking.count("budget_tokens")
        enabled = {"adaptive": True, "disabled": False}.get(kind)
        if kind == "enabled" and budget is None:
            enabled = True
        thinking.end()
    if output is not None:
        effort = output.text("effort")
        schema = _form(output.inner("format"))
        output.end()
    schema = schema or _form(fields.inner("output_format"))
    if enabled is None and budget is None and effort is None:
        return None, schema
    return ReasoningOptions(enabled=enabled, budget_tokens=budget, effort=effort), schema


def _form(fields: Fields | None) -> ResponseSchema | None:
    if fields is None:
        return None
    if fields.needed_text("type") != "json_schema":
        raise RequestError(f"{fields.where} is not known.", param=fields.where)
    schema = checked_schema(fields.object("schema"), fields.name("schema"))
    name = fields.text("name")
    fields.end()
    return ResponseSchema(schema=schema, name=name)


def _tool(value: Any, place: int, notes: list[str]) -> Tool | ProviderTool:
    fields = Fields(value, f"tools[{place}]", notes)
    kind = fields.text("type")
    if kind not in {None, "custom"}:
        return ProviderTool(provider=PROVIDER, value=checked_foreign(fields.value, fields.where))
    own = fields.own(("cache_control", "defer_loading", "allowed_callers", "input_examples", "eager_input_streaming"))
    made = Tool(
        name=fields.needed_text("name"),
        description=fields.text("description"),
        parameters=checked_schema(fields.object("input_schema"), fields.name("input_schema")),
        strict=fields.flag("strict"),
        provider_data=kept_for(PROVIDER, {**own, **({"type": kind} if kind else {})}),
    )
    fields.end()
    return made


def _turns(reader: _Reader, messages: Iterable[Any]) -> Iterable[Message]:
    for place, each in enumerate(messages):
        yield from reader.turn(each, place)


class _Reader:
    def __init__(self, media_hosts: Collection[str], notes: list[str]) -> None:
        self._media_hosts, self._notes = media_hosts, notes

    def system(self, value: Any) -> list[Message]:
        if value is None or value == "":
            return []
        if isinstance(value, str):
            return [Message(role="system", content=value)]
        return [Message(role="system", content=self.blocks(value, "system"))]

    def turn(self, value: Any, place: int) -> list[Message]:
        """Return a turn; results of tools that fill one alone are the tools' own."""
        fields = Fields(value, f"messages[{place}]", self._notes)
        role = fields.needed_text("role")
        if role not in {"user", "assistant", "system"}:
            raise RequestError(f"{fields.name('role')} {role!r} is not known.", param=fields.name("role"))
        content = fields.get("content")
        fields.end()
        if isinstance(content, str):
            return [Message(role=role, content=content)]  # type: ignore[arg-type]
        blocks = self.blocks(content, fields.name("content"))
        if role == "user" and blocks and all(isinstance(block, ToolResult) for block in blocks):
            return [Message(role="tool", content=blocks)]
        data: tuple[ProviderData, ...] = ()
        for block in blocks if role == "assistant" else ():
            kept = unseal_turn(block.encrypted or "") if isinstance(block, Reasoning) else None
            if kept is not None:
                data = (*data, *kept.provider_data)
                blocks = tuple(each for each in blocks if each is not block)
        return [Message(role=role, content=blocks, provider_data=data)]  # type: ignore[arg-type]

    def blocks(self, value: Any, where: str) -> tuple[Block, ...]:
        if not isinstance(value, list):
            raise RequestError(f"{where} is neither a text nor a list of blocks.", param=where)
        blocks: list[Block] = []
        for place, each in enumerate(value):
            block = self._block(each, f"{where}[{place}]")
            kept = unseal(block.encrypted or "") if isinstance(block, Reasoning) else None
            blocks = [*blocks, block] if kept is None else with_data(blocks, kept)
        return tuple(blocks)

    def _block(self, value: Any, where: str) -> Block:
        fields = Fields(value, where, self._notes)
        kind = fields.needed_text("type")
        read = getattr(self, f"_{kind}", None) if kind in _KINDS else None
        if read is None:
            return ProviderBlock(provider=PROVIDER, value=checked_foreign(fields.value, where))
        block: Block = read(fields)
        fields.end()
        return block

    def _text(self, fields: Fields) -> Text:
        text = fields.text("text")
        if text is None:
            raise RequestError(f"{fields.name('text')} is missing.", param=fields.name("text"))
        return Text(text=text, provider_data=_own(fields))

    def _image(self, fields: Fields) -> Image:
        data, media_type, url, file_id = self._source(fields)
        return Image(data=data, url=url, file_id=file_id, media_type=media_type, provider_data=_own(fields))

    def _document(self, fields: Fields) -> Block:
        source = fields.object("source") or {}
        if source.get("type") == "content":
            fields.known.update(fields.value)
            return ProviderBlock(provider=PROVIDER, value=checked_foreign(fields.value, fields.where))
        name = fields.text("title")
        data, media_type, url, file_id = self._source(fields)
        own = kept_for(PROVIDER, fields.own((*_OWN, "context")))
        return Document(data=data, url=url, file_id=file_id, media_type=media_type, name=name, provider_data=own)

    def _source(self, fields: Fields) -> tuple[bytes | None, str | None, str | None, str | None]:
        source = fields.inner("source")
        if source is None:
            raise RequestError(f"{fields.name('source')} is missing.", param=fields.name("source"))
        kind = source.needed_text("type")
        if kind == "file":
            found = None, None, None, source.needed_text("file_id")
        elif kind == "url":
            data, media_type, url = from_address(source.needed_text("url"), source.name("url"), self._media_hosts)
            found = data, media_type, url, None  # type: ignore[assignment]
        elif kind in {"base64", "text"}:
            given = source.text("data") or ""
            plain = given.encode() if kind == "text" else from_base64(given, source.name("data"))
            found = plain, source.text("media_type"), None, None  # type: ignore[assignment]
        else:
            raise RequestError(f"The source {kind!r} is not known.", param=source.name("type"))
        source.end()
        return found

    def _thinking(self, fields: Fields) -> Reasoning:
        signature, text = fields.text("signature"), fields.text("thinking")
        kept = unseal(signature or "")
        if isinstance(kept, Reasoning):
            return kept
        return Reasoning(text=text, signature=signature, provider=PROVIDER, provider_data=_own(fields))

    def _redacted_thinking(self, fields: Fields) -> Reasoning:
        return Reasoning(encrypted=fields.text("data") or "", provider=PROVIDER, provider_data=_own(fields))

    def _tool_use(self, fields: Fields) -> ToolCall:
        call_id = fields.needed_text("id")
        given = fields.get("input")
        arguments = given if isinstance(given, dict) else None
        name = fields.needed_text("name")
        return ToolCall(name=name, call_id=call_id, arguments=arguments, provider_data=_own(fields))

    def _tool_result(self, fields: Fields) -> ToolResult:
        content = fields.get("content")
        where = fields.name("content")
        return ToolResult(
            call_id=fields.needed_text("tool_use_id"),
            content=content or "" if content is None or isinstance(content, str) else self.blocks(content, where),  # type: ignore[arg-type]
            is_error=fields.flag("is_error"),
            provider_data=_own(fields),
        )


_KINDS = {"text", "image", "document", "thinking", "redacted_thinking", "tool_use", "tool_result"}


def _own(fields: Fields) -> Any:
    return kept_for(PROVIDER, fields.own(_OWN))
