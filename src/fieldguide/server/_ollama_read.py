"""Requests in Ollama's words to ours."""

from __future__ import annotations

from typing import Any

from fieldguide.domain import (
    Block,
    CompletionRequest,
    EmbeddingRequest,
    Image,
    JsonValue,
    Message,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    kept_for,
)
from fieldguide.server._errors import RequestError
from fieldguide.server._reading import MOST_MESSAGES, Fields, checked_schema, from_base64
from fieldguide.server._seal import says, unsealed

PROVIDER = "ollama"
_ENGINE = (
    "num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "use_mmap", "use_mlock", "low_vram",
    "f16_kv", "vocab_only", "numa", "embedding_only", "logits_all",
)  # fmt: skip
"""Options of how Ollama runs a model; elsewhere they are listed as not passed on."""
_SAMPLING = (
    "min_p", "typical_p", "tfs_z", "repeat_penalty", "repeat_last_n", "mirostat", "mirostat_tau", "mirostat_eta",
    "penalize_newline",
)  # fmt: skip
_FORWARDED = ("keep_alive", "truncate", "shift")
_ROLES = {"system", "user", "assistant", "tool"}


def read_chat(body: dict[str, Any], *, speaks: bool, notes: list[str]) -> CompletionRequest:
    """Return what a client asks of /api/chat.

    Args:
        body: The request.
        speaks: Whether the model that is to answer takes all parameters of this protocol.
        notes: Gets the names of fields that are not passed on.

    Raises:
        RequestError: It cannot be read.
    """
    fields = Fields(body, "", notes)
    messages = fields.items("messages") or []
    if len(messages) > MOST_MESSAGES:
        raise RequestError(f"There are more than {MOST_MESSAGES} messages.", param="messages")
    reader = _Reader(notes)
    turns = tuple(reader.message(each, place) for place, each in enumerate(messages))
    tools = tuple(_tool(each, place, notes) for place, each in enumerate(fields.items("tools") or ()))
    request = CompletionRequest(messages=turns, tools=tools, **_parameters(fields, speaks=speaks))
    fields.end()
    return request


def read_generate(body: dict[str, Any], *, speaks: bool, notes: list[str]) -> CompletionRequest:
    """Return what a client asks of /api/generate: one question, or with `raw` a text to continue as it stands.

    Raises:
        RequestError: It cannot be read.
    """
    fields = Fields(body, "", notes)
    prompt, system = fields.text("prompt") or "", fields.text("system")
    for name in ("suffix", "template", "context"):
        if fields.get(name):
            raise RequestError(f"{name} is not taken here.", param=name)
    images = _images(fields)
    parameters = _parameters(fields, speaks=speaks)
    if fields.flag("raw"):
        if images or system:
            raise RequestError("A raw prompt has neither a system message nor images.", param="raw")
        request = CompletionRequest(prompt=prompt, **parameters)
    else:
        said = Message(role="user", content=(Text(text=prompt), *images) if images else prompt)
        before = [Message(role="system", content=system)] if system else []
        request = CompletionRequest(messages=(*before, said), **parameters)
    fields.end()
    return request


def read_embed(body: dict[str, Any], *, speaks: bool, notes: list[str]) -> EmbeddingRequest:
    """Return what a client asks of /api/embed.

    Raises:
        RequestError: It cannot be read.
    """
    fields = Fields(body, "", notes)
    fields.get("model")
    texts = fields.texts("input")
    if not texts:
        raise RequestError("input is missing or empty.", param="input")
    dimensions = fields.count("dimensions", least=1)
    extra = _extra(fields, speaks=speaks)
    fields.end()
    return EmbeddingRequest(texts=texts, dimensions=dimensions, extra=extra)


def _parameters(fields: Fields, *, speaks: bool) -> dict[str, Any]:
    for name in ("model", "stream"):
        fields.get(name)
    options = fields.inner("options") or Fields({}, "options", fields.notes)
    bound = options.whole("num_predict")
    parameters = {
        "max_output_tokens": bound if bound is not None and bound >= 0 else None,  # -1 is no bound
        "temperature": options.number("temperature"),
        "top_p": options.number("top_p"),
        "top_k": options.count("top_k"),
        "seed": options.whole("seed"),
        "stop": options.texts("stop"),
        "frequency_penalty": options.number("frequency_penalty") or None,
        "presence_penalty": options.number("presence_penalty") or None,
        "response_schema": _form(fields),
        "reasoning": _thinking(fields),
        "logprobs": (fields.count("top_logprobs") or 0) if fields.flag("logprobs") else None,
        "extra": _extra(fields, speaks=speaks, options=options),
    }
    fields.get("top_logprobs")
    options.end()
    return parameters


def _extra(fields: Fields, *, speaks: bool, options: Fields | None = None) -> dict[str, dict[str, JsonValue]]:
    if options is None:
        options = fields.inner("options") or Fields({}, "options", fields.notes)
    engine, sampling = options.own(_ENGINE), options.own(_SAMPLING)
    own = fields.own(_FORWARDED)
    if speaks:
        chosen = engine | sampling
        found = {**own, **({"options": chosen} if chosen else {})}
        return {PROVIDER: found} if found else {}
    for name in sampling:
        raise RequestError(f"The model behind this name does not take {options.name(name)}.", param=name)
    for name in engine:
        options.note(name)
    for name in own:
        fields.note(name)
    return {}


def _form(fields: Fields) -> ResponseSchema | None:
    given = fields.get("format")
    if given is None or given == "":
        return None
    if given == "json":
        return ResponseSchema()
    if isinstance(given, dict):
        return ResponseSchema(schema=checked_schema(given, "format"))
    raise RequestError("format is neither `json` nor a JSON schema.", param="format")


def _thinking(fields: Fields) -> ReasoningOptions | None:
    given = fields.get("think")
    if given is None or isinstance(given, bool):
        return None if given is None else ReasoningOptions(enabled=given)
    if isinstance(given, str):
        return ReasoningOptions(effort=given)
    raise RequestError("think is neither true, false nor an effort.", param="think")


def _images(fields: Fields) -> tuple[Image, ...]:
    given = fields.items("images") or []
    where = fields.name("images")
    for each in given:
        if not isinstance(each, str):
            raise RequestError(f"{where} are not texts in base64.", param=where)
    return tuple(Image(data=from_base64(each, f"{where}[{place}]")) for place, each in enumerate(given))


def _tool(value: Any, place: int, notes: list[str]) -> Tool:
    fields = Fields(value, f"tools[{place}]", notes)
    function = fields.inner("function")
    fields.text("type")
    if function is None:
        raise RequestError(f"{fields.name('function')} is missing.", param=fields.name("function"))
    made = Tool(
        name=function.needed_text("name"),
        description=function.text("description"),
        parameters=checked_schema(function.object("parameters"), function.name("parameters")),
    )
    function.end()
    fields.end()
    return made


class _Reader:
    """Reads messages. Ollama's tool calls need no ids, and others cannot do without: they are made up by place."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._unanswered: list[tuple[str, str]] = []
        """(name, id) of calls whose results have not come yet."""

    def message(self, value: Any, place: int) -> Message:
        fields = Fields(value, f"messages[{place}]", self._notes)
        role = fields.needed_text("role")
        if role not in _ROLES:
            raise RequestError(f"{fields.name('role')} {role!r} is not known.", param=fields.name("role"))
        content = fields.text("content") or ""
        if role == "tool":
            name = fields.text("tool_name") or fields.text("name")
            call_id = self._answered(fields.text("tool_call_id"), name)
            message = Message(role="tool", content=(ToolResult(call_id=call_id, content=content, name=name),))
        elif role == "assistant":
            message = Message(role="assistant", content=self._said(fields, content, place))
        else:
            images = _images(fields)
            said = (*((Text(text=content),) if content else ()), *images) if images else content
            message = Message(role=role, content=said)  # type: ignore[arg-type]
        fields.end()
        return message

    def _said(self, fields: Fields, content: str, place: int) -> str | tuple[Block, ...]:
        kept = unsealed(fields)
        kept_blocks = () if kept is None else kept.blocks
        blocks: list[Block] = [block for block in kept_blocks if isinstance(block, Reasoning)]
        thinking = fields.text("thinking")
        if thinking and not blocks:
            blocks.append(Reasoning(text=thinking, provider=PROVIDER))
        calls = fields.items("tool_calls") or []
        if not blocks and not calls and kept is None:
            return content
        blocks += [Text(text=content)] if content else []
        sealed = {block.call_id or "": block.provider_data for block in kept_blocks if isinstance(block, ToolCall)}
        for number, each in enumerate(calls):
            call = Fields(each, f"{fields.where}.tool_calls[{number}]", self._notes)
            function = call.inner("function")
            if function is None:
                raise RequestError(f"{call.where}.function is missing.", param=call.where)
            name = function.needed_text("name")
            call_id = call.text("id") or f"call_{place}_{number}"
            self._unanswered.append((name, call_id))
            arguments = function.object("arguments") or {}
            own = kept_for(PROVIDER, function.own(("index",)))
            data = (*own, *sealed.get(call_id, ()))
            blocks.append(ToolCall(name=name, call_id=call_id, arguments=arguments, provider_data=data))
            call.get("type")
            function.end()
            call.end()
        if kept is not None and says(kept, content, [block.call_id for block in blocks if isinstance(block, ToolCall)]):
            return kept.blocks
        return tuple(blocks)

    def _answered(self, call_id: str | None, name: str | None) -> str | None:
        """Return the id of the call that a result answers: the first of its name that has none yet."""
        if call_id is not None:
            return call_id
        for known, found in self._unanswered:
            if name in (None, known):
                self._unanswered.remove((known, found))
                return found
        return None
