"""Our answers as chat completions, whole and as chunks, in OpenAI's words."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

from fieldguide.app.gateway import Open
from fieldguide.domain import (
    Audio,
    Block,
    BlockEnd,
    BlockStart,
    Completion,
    FinishReason,
    Image,
    JsonValue,
    Message,
    Reasoning,
    Refusal,
    StreamPiece,
    Text,
    TextDelta,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    Usage,
    provider_fields,
)
from fieldguide.server._citations import sources_of
from fieldguide.server._seal import FIELD, named, sealed_of

OF_A_CALL = ("extra_content", "thought_signature", "item_id")
"""What servers of this protocol want back with a call beside its name and arguments."""
REASONS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.CONTENT_FILTER: "content_filter",
    FinishReason.TOOL_CALL: "tool_calls",
    FinishReason.PAUSE: "stop",
    FinishReason.UNKNOWN: "stop",
}


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def dumped(value: object) -> bytes:
    """Return JSON as it goes over the wire."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


def call_id() -> str:
    """Return an id for a tool call whose provider gives it none."""
    return f"call_{secrets.token_hex(12)}"


def write_chat(completion: Completion, model: Open, request_id: str) -> bytes:
    """Return a whole answer. One of a server that speaks this protocol goes out as it came."""
    if model.takes_chat_fields and completion.raw is not None and all(call.call_id for call in completion.tool_calls):
        return completion.raw.encode("utf-8", "replace")
    choice: dict[str, Any] = {
        "index": 0,
        "message": message_of(completion, model),
        "logprobs": logprobs_of(completion.logprobs),
        "finish_reason": REASONS[completion.finish_reason],
    }
    return dumped(
        {
            "id": completion.response_id or f"chatcmpl-{request_id}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": completion.model or model.config.alias,
            "choices": [choice],
            "usage": usage_of(completion.usage),
        }
    )


def message_of(completion: Completion, model: Open) -> dict[str, Any]:
    """Return what was said, with thoughts and calls in a field each."""
    turn = with_ids(completion.reply)
    blocks = turn.blocks
    message: dict[str, Any] = {"role": "assistant", "content": completion.text or None, "refusal": None}
    calls = [call_of(block) for block in blocks if isinstance(block, ToolCall)]
    if refusal := "".join(block.text for block in blocks if isinstance(block, Refusal)):
        message["refusal"] = refusal
    if thoughts := _thoughts(completion):
        message["reasoning_content"] = thoughts
    if calls:
        message["tool_calls"] = calls
    if message["content"] is None and not calls and not refusal:
        message["content"] = ""
    if found := annotations_of(completion):
        message["annotations"] = found
    message |= _media(blocks, model)
    if model.takes_chat_fields:
        for call, block in zip(calls, (block for block in blocks if isinstance(block, ToolCall))):
            call |= _beside(block, model.provider)
        message |= provider_fields(turn.provider_data, model.provider)
    if sealed := sealed_of(turn, known=model.provider if model.takes_chat_fields else None):
        message[FIELD] = sealed
    return message


def with_ids(turn: Message) -> Message:
    """Return a turn in which every call has an id: clients cannot do without, and it has to come back in the seal."""
    calls = [block for block in turn.blocks if isinstance(block, ToolCall)]
    return named(turn, [call.call_id or call_id() for call in calls]) if calls else turn


def annotations_of(completion: Completion) -> list[dict[str, Any]]:
    """Return the pages that an answer rests on."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": source.start,
                "end_index": source.end,
                "url": source.url,
                "title": source.title or "",
            },
        }
        for source in sources_of(completion)
    ]


def _media(blocks: Sequence[Block], model: Open) -> dict[str, Any]:
    """Return sound, and pictures in the form that OpenRouter has given them: OpenAI's own has none."""
    said: dict[str, Any] = {}
    for block in blocks:
        if isinstance(block, Audio) and block.data is not None:
            said["audio"] = audio_of(block, model)
    pictures = [block for block in blocks if isinstance(block, Image) and block.data is not None]
    if pictures:
        said["images"] = [
            {"index": place, "type": "image_url", "image_url": {"url": _data_url(each)}}
            for place, each in enumerate(pictures)
        ]
    return said


def _data_url(picture: Image) -> str:
    data = base64.b64encode(picture.data or b"").decode("ascii")
    return f"data:{picture.media_type or 'image/png'};base64,{data}"


def _thoughts(completion: Completion) -> str | None:
    if completion.reasoning:
        return completion.reasoning
    blocks = completion.reply.blocks
    return "\n\n".join(block.text for block in blocks if isinstance(block, Reasoning) and block.text) or None


def audio_of(block: Audio, model: Open) -> dict[str, JsonValue]:
    """Return sound that was said, with its transcript."""
    data = base64.b64encode(block.data or b"").decode("ascii")
    return {
        "id": "audio",
        "expires_at": 0,
        "transcript": "",
        **provider_fields(block.provider_data, model.provider),
        "data": data,
    }


def call_of(call: ToolCall) -> dict[str, Any]:
    """Return a tool call."""
    arguments = raw_arguments(call)
    given = call.call_id or call_id()
    kinds = [data.fields.get("type") for data in call.provider_data]
    if "custom" in kinds:
        return {"id": given, "type": "custom", "custom": {"name": call.name, "input": arguments}}
    return {"id": given, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def raw_arguments(call: ToolCall) -> str:
    """Return the arguments of a call as the text that the model wrote, or as JSON."""
    if call.raw_arguments is not None:
        return call.raw_arguments
    return json.dumps(call.arguments or {}, ensure_ascii=False)


def logprobs_of(tokens: Sequence[TokenLogprob] | None) -> dict[str, Any] | None:
    """Return log probabilities."""
    return None if tokens is None else {"content": [_token(token) for token in tokens], "refusal": None}


def _token(token: TokenLogprob) -> dict[str, Any]:
    return _plain_token(token) | {"top_logprobs": [_plain_token(each) for each in token.alternatives]}


def _plain_token(token: TokenLogprob) -> dict[str, Any]:
    given = None if token.token_bytes is None else list(token.token_bytes)
    known = token.logprob == token.logprob and abs(token.logprob) != float("inf")  # JSON has neither
    return {"token": token.token, "logprob": token.logprob if known else -9999.0, "bytes": given}


def _beside(call: ToolCall, provider: str) -> dict[str, JsonValue]:
    """Return what stands beside a call's usual fields at a server of this protocol, such as its maker's signature."""
    own = provider_fields(call.provider_data, provider)
    return {name: value for name, value in own.items() if name in OF_A_CALL}


def _in_parts(thoughts: Reasoning) -> bool:
    """Whether thoughts came as a part of the content, which has to go back as one."""
    return any("part" in data.fields for data in thoughts.provider_data)


def usage_of(usage: Usage) -> dict[str, Any] | None:
    """Return the counts; None where none are known."""
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    value: dict[str, Any] = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    inner = {"cached_tokens": usage.cached_input_tokens, "audio_tokens": usage.input_audio_tokens}
    inner["cache_write_tokens"] = usage.cache_write_tokens
    outer = {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": usage.output_audio_tokens}
    for name, details in (("prompt_tokens_details", inner), ("completion_tokens_details", outer)):
        if known := {key: count for key, count in details.items() if count is not None}:
            value[name] = known
    return value


class ChatChunks:
    """Writes the pieces of one answer as chunks."""

    heartbeat = b": still here\n\n"

    def __init__(self, model: Open, request_id: str, *, with_usage: bool) -> None:
        """`with_usage` is whether the client has asked for counts at the end."""
        self._model, self._with_usage = model, with_usage
        head = {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model.config.alias,
        }
        self._head = b"data: " + dumped(head)[:-1]
        self._before = self._head + b',"choices":[{"index":0,"delta":'
        self._after = b',"logprobs":null,"finish_reason":null}]}\n\n'
        self._text = self._before + b'{"content":'
        self._thought = self._before + b'{"reasoning_content":'
        self._calls: dict[int, int] = {}
        self._ids: list[str] = []
        self._with_arguments: set[int] = set()
        self._said = False

    def begin(self) -> bytes:
        """Return the first chunk."""
        return self._before + b'{"role":"assistant","content":""}' + self._after

    def piece(self, piece: StreamPiece) -> bytes:
        """Return what a piece is as chunks; empty where it is nothing that the protocol tells."""
        if isinstance(piece, TextDelta):
            self._said = self._said or not piece.reasoning
            return b"%b%b}%b" % (
                self._thought if piece.reasoning else self._text,
                encode_basestring_ascii(piece.text).encode("ascii"),
                self._after,
            )
        if isinstance(piece, ToolCallDelta):
            self._with_arguments.add(piece.index)
            return self._arguments(piece.index, piece.arguments)
        if isinstance(piece, BlockStart):
            return self._call_begins(piece) if piece.kind == "tool_call" else b""
        return self._block_ends(piece)

    def _call_begins(self, start: BlockStart) -> bytes:
        place = self._calls.setdefault(start.index, len(self._calls))
        function = {"name": start.name or "", "arguments": ""}
        self._ids.append(start.call_id or call_id())
        call = {"index": place, "id": self._ids[-1], "type": "function", "function": function}
        return self._delta({"tool_calls": [call]})

    def _arguments(self, index: int, arguments: str) -> bytes:
        place = self._calls.get(index, 0)
        return self._delta({"tool_calls": [{"index": place, "function": {"arguments": arguments}}]})

    def _block_ends(self, end: BlockEnd) -> bytes:
        block = end.block
        if isinstance(block, Refusal):
            return self._delta({"refusal": block.text})
        if isinstance(block, ToolCall) and end.index not in self._with_arguments and end.index in self._calls:
            self._with_arguments.add(end.index)
            return self._arguments(end.index, raw_arguments(block))
        return b""

    def _delta(self, delta: Mapping[str, Any]) -> bytes:
        return self._before + dumped(delta) + self._after

    def end(self, completion: Completion) -> bytes:
        """Return the last chunks: what has not been told yet, why it ended, the counts."""
        delta = self._untold(completion)
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": logprobs_of(completion.logprobs),
            "finish_reason": REASONS[completion.finish_reason],
        }
        last = [self._head, b',"choices":', dumped([choice]), b"}\n\n"]
        if self._with_usage:
            last += [self._head, b',"choices":[],"usage":', dumped(self._usage(completion)), b"}\n\n"]
        return b"".join([*last, b"data: [DONE]\n\n"])

    def _usage(self, completion: Completion) -> JsonValue:
        raw = completion.raw_usage
        return raw if self._model.takes_chat_fields and isinstance(raw, dict) else usage_of(completion.usage)

    def _untold(self, completion: Completion) -> dict[str, Any]:
        delta: dict[str, Any] = {}
        turn = named(completion.reply, self._ids) if self._ids else with_ids(completion.reply)
        blocks: tuple[Block, ...] = turn.blocks
        calls = [block for block in blocks if isinstance(block, ToolCall)]
        if calls and not self._calls:
            delta["tool_calls"] = [{"index": place, **call_of(call)} for place, call in enumerate(calls)]
        if not self._said and any(isinstance(block, Text) for block in blocks) and completion.text:
            delta["content"] = completion.text
        delta |= _media(blocks, self._model)
        if not self._model.takes_chat_fields:
            if found := annotations_of(completion):
                delta["annotations"] = found
            if sealed := sealed_of(turn, known=None):
                delta[FIELD] = sealed
            return delta
        provider = self._model.provider
        if own := [(place, _beside(call, provider)) for place, call in enumerate(calls) if _beside(call, provider)]:
            told = delta.setdefault("tool_calls", [{"index": place} for place, _ in own])
            for call, (_, fields) in zip(told, own):
                call |= fields
        if any(isinstance(block, Reasoning) and _in_parts(block) for block in blocks):
            delta[FIELD] = sealed_of(turn, known=None)
        return delta | provider_fields(turn.provider_data, provider)

    def error(self, value: Mapping[str, object]) -> bytes:
        """Return the event that tells of an error in the middle; the stream ends with it."""
        return b"data: " + dumped(value) + b"\n\n"
