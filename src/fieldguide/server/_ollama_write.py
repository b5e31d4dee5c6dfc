"""Our answers in Ollama's words: one JSON value, or a line for each piece."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fieldguide.app.gateway import Open
from fieldguide.domain import (
    BlockEnd,
    Completion,
    FinishReason,
    Image,
    Message,
    Reasoning,
    Refusal,
    StreamPiece,
    TextDelta,
    TokenLogprob,
    ToolCall,
)
from fieldguide.server._chat_write import call_id, dumped, with_ids
from fieldguide.server._seal import FIELD, named, sealed_of

_REASONS = {FinishReason.LENGTH: "length"}


def write_chat(completion: Completion, model: Open, name: str, *, began: float) -> bytes:
    """Return a whole answer of /api/chat. `began` is the time of the request (seconds since 1970)."""
    message: dict[str, Any] = {"role": "assistant", "content": _words(completion)}
    if thinking := _thoughts(completion):
        message["thinking"] = thinking
    turn = with_ids(completion.reply)
    if calls := _calls(turn):
        message["tool_calls"] = calls
    if pictures := _pictures(turn):
        message["images"] = pictures
    if sealed := sealed_of(turn, known="ollama"):
        message[FIELD] = sealed
    return dumped({"model": name, "created_at": _now(), "message": message, **_end(completion, model, began)})


def write_generate(completion: Completion, model: Open, name: str, *, began: float) -> bytes:
    """Return a whole answer of /api/generate."""
    value: dict[str, Any] = {"model": name, "created_at": _now(), "response": _words(completion)}
    if thinking := _thoughts(completion):
        value["thinking"] = thinking
    return dumped({**value, **_end(completion, model, began)})


def _words(completion: Completion) -> str:
    return completion.text or "".join(each.text for each in completion.reply.blocks if isinstance(each, Refusal))


def _thoughts(completion: Completion) -> str | None:
    if completion.reasoning:
        return completion.reasoning
    blocks = completion.reply.blocks
    return "\n\n".join(each.text for each in blocks if isinstance(each, Reasoning) and each.text) or None


def _calls(turn: Message) -> list[dict[str, Any]]:
    calls = [block for block in turn.blocks if isinstance(block, ToolCall)]
    return [_call(call, place) for place, call in enumerate(calls)]


def _pictures(turn: Message) -> list[str]:
    blocks = [block for block in turn.blocks if isinstance(block, Image) and block.data is not None]
    return [base64.b64encode(block.data or b"").decode("ascii") for block in blocks]


def _call(call: ToolCall, place: int) -> dict[str, Any]:
    """Return a call; arguments that are no JSON object are kept under one name, for the protocol wants an object."""
    arguments = call.arguments if call.arguments is not None else {"raw_arguments": call.raw_arguments or ""}
    function = {"index": place, "name": call.name, "arguments": arguments}
    return {"id": call.call_id or call_id(), "function": function}


def _end(completion: Completion, model: Open, began: float) -> dict[str, Any]:
    """Return why an answer ended, its counts and its times (nanoseconds)."""
    usage, latency = completion.usage, completion.latency
    total = int(1e9 * max(datetime.now(UTC).timestamp() - began, 0))
    first = int(1e9 * latency.ttft_s) if latency.ttft_s is not None else 0
    value: dict[str, Any] = {
        "done": True,
        "done_reason": _REASONS.get(completion.finish_reason, "stop"),
        "total_duration": total,
        "load_duration": 0,
        "prompt_eval_count": usage.input_tokens,
        "prompt_eval_duration": first,
        "eval_count": usage.output_tokens,
        "eval_duration": max(total - first, 0),
    }
    if model.provider == "ollama":
        value |= {name: each for name, each in completion.metadata.items() if name in value and each is not None}
    if completion.logprobs is not None:
        value["logprobs"] = [_token(each) for each in completion.logprobs]
    return {name: each for name, each in value.items() if each is not None}


def _token(token: TokenLogprob) -> dict[str, Any]:
    return _plain(token) | {"top_logprobs": [_plain(each) for each in token.alternatives]}


def _plain(token: TokenLogprob) -> dict[str, Any]:
    given = None if token.token_bytes is None else list(token.token_bytes)
    return {
        "token": token.token,
        "logprob": token.logprob if token.logprob == token.logprob else -9999.0,
        "bytes": given,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Lines:
    """Writes the pieces of one answer, each as a line. The protocol has nothing that says nothing: no heartbeat."""

    heartbeat = None

    def __init__(self, model: Open, name: str, *, began: float, of_chat: bool) -> None:
        """`of_chat` is whether pieces are messages or, as of /api/generate, responses."""
        self._model, self._name, self._began, self._of_chat = model, name, began, of_chat
        self._said = False
        self._ids: list[str] = []
        """Of the calls that were told."""

    def begin(self) -> bytes:
        """Return nothing: the first piece begins."""
        return b""

    def piece(self, piece: StreamPiece) -> bytes:
        """Return what a piece is as a line; a tool call is told when it is whole."""
        if isinstance(piece, TextDelta):
            self._said = self._said or not piece.reasoning
            return self._line("" if piece.reasoning else piece.text, thinking=piece.text if piece.reasoning else None)
        if isinstance(piece, BlockEnd) and isinstance(piece.block, Refusal):
            return self._line(piece.block.text)
        if isinstance(piece, BlockEnd) and isinstance(piece.block, ToolCall) and self._of_chat:
            call = _call(piece.block, len(self._ids))
            self._ids.append(call["id"])
            return self._line("", tool_calls=[call])
        return b""

    def _line(self, text: str, **more: Any) -> bytes:
        further = {name: each for name, each in more.items() if each is not None}
        said: dict[str, Any] = (
            {"message": {"role": "assistant", "content": text, **further}}
            if self._of_chat
            else {"response": text, **further}
        )
        return dumped({"model": self._name, "created_at": _now(), **said, "done": False}) + b"\n"

    def end(self, completion: Completion) -> bytes:
        """Return the last lines: what has not been told yet, and the end."""
        told = b""
        if completion.text and not self._said:
            told += self._line(completion.text)
        turn = named(completion.reply, self._ids) if self._ids else with_ids(completion.reply)
        if self._of_chat and completion.tool_calls and not self._ids:
            told += self._line("", tool_calls=_calls(turn))
        end = _end(completion, self._model, self._began)
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        if pictures := _pictures(turn):
            message["images"] = pictures
        if sealed := sealed_of(turn, known="ollama"):
            message[FIELD] = sealed
        said = {"message": message} if self._of_chat else {"response": ""}
        return told + dumped({"model": self._name, "created_at": _now(), **said, **end}) + b"\n"

    def error(self, value: Mapping[str, object]) -> bytes:
        """Return the line that tells of an error in the middle; the stream ends with it."""
        return dumped(value) + b"\n"
