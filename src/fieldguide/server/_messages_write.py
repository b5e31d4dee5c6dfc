"""Our answers as messages, whole and as events, in Anthropic's words."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fieldguide.app.gateway import Open
from fieldguide.domain import (
    Block,
    BlockEnd,
    BlockStart,
    Completion,
    FinishReason,
    Image,
    ProviderBlock,
    Reasoning,
    Refusal,
    StreamPiece,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
    provider_fields,
)
from fieldguide.server._chat_write import call_id, dumped, raw_arguments, with_ids
from fieldguide.server._citations import Source, sources_in, sources_of_the_whole
from fieldguide.server._seal import data_sealed, foreign, seal, without_words

_PROVIDER = "anthropic"
_REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.TOOL_CALL: "tool_use",
    FinishReason.PAUSE: "pause_turn",
    FinishReason.UNKNOWN: "end_turn",
}


def write_message(completion: Completion, model: Open, request_id: str) -> bytes:
    """Return a whole answer. One of a server that speaks this protocol goes out as it came."""
    if speaks(model) and completion.raw is not None:
        return completion.raw.encode("utf-8", "replace")
    blocks = with_ids(completion.reply).blocks
    of_the_whole = _citations(sources_of_the_whole(completion))
    last = max((place for place, block in enumerate(blocks) if isinstance(block, Text)), default=None)
    content = [
        value
        for place, block in enumerate(blocks)
        for value in _with_seal(block, of_the_whole if place == last else [])
    ]
    content += _of_the_turn(completion)
    return dumped(
        {
            "id": completion.response_id or f"msg_{request_id}",
            "type": "message",
            "role": "assistant",
            "model": completion.model or model.config.alias,
            "content": content,
            "stop_reason": reason_of(completion, model),
            "stop_sequence": completion.metadata.get("stop_sequence") if speaks(model) else None,
            "usage": usage_of(completion.usage),
        }
    )


def speaks(model: Open) -> bool:
    """Whether a model's provider speaks this protocol."""
    return model.provider == _PROVIDER


def reason_of(completion: Completion, model: Open) -> str:
    """Return why an answer ended; of one in this protocol, in its own word."""
    if speaks(model) and completion.raw_finish_reason is not None:
        return completion.raw_finish_reason
    return _REASONS[completion.finish_reason]


def block_of(block: Block) -> dict[str, Any] | None:
    """Return a block of an answer; None where the protocol has no such thing in answers."""
    if isinstance(block, Text):
        value = {"type": "text", "text": block.text, **provider_fields(block.provider_data, _PROVIDER)}
        found = _citations(sources_in(block))
        return {**value, "citations": found} if found else value
    if isinstance(block, Refusal):
        return {"type": "text", "text": block.text}
    if isinstance(block, Reasoning):
        return _thought(block)
    if isinstance(block, ToolCall):
        value = {"type": "tool_use", "id": block.call_id or call_id(), "name": block.name, "input": _input(block)}
        return value | provider_fields(block.provider_data, _PROVIDER)
    if isinstance(block, ProviderBlock):
        return dict(block.value) if block.provider == _PROVIDER else _sealed(block)
    if isinstance(block, Image) and block.data is not None:
        data = base64.b64encode(block.data).decode("ascii")
        source = {"type": "base64", "media_type": block.media_type or "image/png", "data": data}
        return {"type": "image", "source": source}
    return None


def _with_seal(block: Block, of_the_whole: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a block as it stands in a message, and what its maker wants back beside it.

    `of_the_whole` are pages that the whole answer rests on: they stand with its last words.
    """
    value = block_of(block)
    if value is None:
        return []
    if of_the_whole:
        value = {**value, "citations": [*value.get("citations", []), *of_the_whole]}
    return [value, *_beside(block)]


def _beside(block: Block) -> list[dict[str, Any]]:
    """Return the block that carries what the maker of words or of a call wants back with them."""
    if isinstance(block, Text | ToolCall | Image) and foreign(block, _PROVIDER):
        return [_sealed(without_words(block))]
    return []


def _of_the_turn(completion: Completion) -> list[dict[str, Any]]:
    """Return the block that carries what its maker wants back with a turn as a whole."""
    sealed = data_sealed(completion.reply, known=_PROVIDER)
    return [] if sealed is None else [{"type": "redacted_thinking", "data": sealed}]


def _sealed(block: Block) -> dict[str, Any]:
    """Return something that only its maker reads: clients keep thoughts that are withheld, and bring them back."""
    return {"type": "redacted_thinking", "data": seal(block)}


def _citations(sources: list[Source]) -> list[dict[str, Any]]:
    """Return the pages that words of another provider rest on."""
    return [
        {
            "type": "web_search_result_location",
            "url": source.url,
            "title": source.title,
            "cited_text": source.quoted or "",
            "encrypted_index": "",
        }
        for source in sources
        if source.provider != _PROVIDER
    ]


def _thought(block: Reasoning) -> dict[str, Any]:
    """Return thoughts. Those of another provider carry what it wants back in place of Anthropic's signature."""
    own = provider_fields(block.provider_data, _PROVIDER)
    if block.provider != _PROVIDER:
        return {"type": "thinking", "thinking": block.text or "", "signature": seal(block)}
    if block.encrypted is not None and block.text is None:
        return {"type": "redacted_thinking", "data": block.encrypted, **own}
    return {"type": "thinking", "thinking": block.text or "", "signature": block.signature or "", **own}


def _input(call: ToolCall) -> Any:
    """Return the arguments; text that is no JSON object is kept under one name, for the protocol wants an object."""
    return call.arguments if call.arguments is not None else {"raw_arguments": call.raw_arguments or ""}


def usage_of(usage: Usage) -> dict[str, Any]:
    """Return the counts: here what was cached is not part of the input."""
    cached, written = usage.cached_input_tokens or 0, usage.cache_write_tokens or 0
    value: dict[str, Any] = {
        "input_tokens": max((usage.input_tokens or 0) - cached - written, 0),
        "output_tokens": usage.output_tokens or 0,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
    }
    if usage.cache_write_5m_tokens is not None or usage.cache_write_1h_tokens is not None:
        value["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens or 0,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens or 0,
        }
    if usage.reasoning_tokens is not None:
        value["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return value


class MessageEvents:
    """Writes the pieces of one answer as events. Blocks follow one another here, so that one ends before the next."""

    heartbeat = b'event: ping\ndata: {"type":"ping"}\n\n'

    def __init__(self, model: Open, request_id: str) -> None:
        self._model, self._request_id = model, request_id
        self._next = 0
        self._open: tuple[int | None, str] | None = None
        """(place in the answer, kind) of the block that is open on the wire."""
        self._waiting: dict[int, list[StreamPiece]] = {}
        """Pieces of blocks that have begun while another was open."""
        self._written: set[int] = set()
        self._with_pieces = False
        self._ids: dict[int | None, str] = {}
        """Ids of calls that were told, by place in the answer."""

    def begin(self) -> bytes:
        """Return the first event."""
        message: dict[str, Any] = {
            "id": f"msg_{self._request_id}",
            "type": "message",
            "role": "assistant",
            "model": self._model.config.alias,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return _event("message_start", {"message": message})

    def piece(self, piece: StreamPiece) -> bytes:
        """Return what a piece is as events."""
        self._with_pieces = True
        index = piece.index
        if self._open is not None and index is not None and self._open[0] not in {None, index}:
            self._waiting.setdefault(index, []).append(piece)
            return b""
        return self._take(piece)

    def _take(self, piece: StreamPiece) -> bytes:
        if isinstance(piece, BlockStart):
            return self._start(piece)
        if isinstance(piece, TextDelta):
            return self._words(piece)
        if isinstance(piece, ToolCallDelta):
            self._written.add(piece.index)
            return self._delta({"type": "input_json_delta", "partial_json": piece.arguments})
        return self._end(piece)

    def _start(self, start: BlockStart) -> bytes:
        if start.kind == "text":
            return self._opened(start.index, "text", {"type": "text", "text": ""})
        if start.kind == "reasoning":
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            return self._opened(start.index, "reasoning", empty)
        if start.kind == "tool_call":
            given = self._ids[start.index] = start.call_id or call_id()
            empty = {"type": "tool_use", "id": given, "name": start.name or "", "input": {}}  # type: ignore[dict-item]
            return self._opened(start.index, "tool_call", empty)
        return b""

    def _opened(self, index: int | None, kind: str, block: dict[str, Any]) -> bytes:
        closed = self._closed()
        self._open = (index, kind)
        return closed + _event("content_block_start", {"index": self._next, "content_block": block})

    def _closed(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        self._next += 1
        return _event("content_block_stop", {"index": self._next - 1})

    def _words(self, piece: TextDelta) -> bytes:
        kind = "reasoning" if piece.reasoning else "text"
        begun = b""
        if self._open is None or self._open[1] != kind:
            empty: dict[str, Any] = {"type": "text", "text": ""}
            if piece.reasoning:
                empty = {"type": "thinking", "thinking": "", "signature": ""}
            begun = self._opened(piece.index, kind, empty)
        if piece.index is not None:
            self._written.add(piece.index)
        if piece.reasoning:
            return begun + self._delta({"type": "thinking_delta", "thinking": piece.text})
        return begun + self._delta({"type": "text_delta", "text": piece.text})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._next, "delta": delta})

    def _end(self, end: BlockEnd) -> bytes:
        """End a block; what only its end tells (a signature, citations, a block that came whole) goes out with it."""
        block, told = end.block, b""
        value = block_of(block)
        if value is None:
            return self._following()
        if self._open is None:
            return self._block(value) + self._sealed_beside(block, end.index) + self._following()
        if end.index not in self._written and isinstance(block, ToolCall):
            told += self._delta({"type": "input_json_delta", "partial_json": raw_arguments(block)})
        if isinstance(block, Reasoning) and value.get("signature"):
            told += self._delta({"type": "signature_delta", "signature": value["signature"]})
        for citation in value.get("citations") or ():
            told += self._delta({"type": "citations_delta", "citation": citation})
        return told + self._closed() + self._sealed_beside(block, end.index) + self._following()

    def _sealed_beside(self, block: Block, index: int) -> bytes:
        if isinstance(block, ToolCall):
            block = replace(block, call_id=self._ids.get(index, block.call_id))
        return b"".join(self._block(value) for value in _beside(block))

    def _block(self, value: dict[str, Any]) -> bytes:
        """Return the events of a block that comes whole."""
        place = self._next
        self._next += 1
        begun = _event("content_block_start", {"index": place, "content_block": value})
        return begun + _event("content_block_stop", {"index": place})

    def _following(self) -> bytes:
        """Return the events of the next block that has waited, as far as it came."""
        if self._open is not None or not self._waiting:
            return b""
        index = min(self._waiting)
        return b"".join(self._take(piece) for piece in self._waiting.pop(index))

    def end(self, completion: Completion) -> bytes:
        """Return the last events."""
        told = self._closed() + self._following() + self._closed()
        if not self._with_pieces or (completion.tool_calls and not self._next):
            told += self._whole(completion)
        told += b"".join(self._block(value) for value in _of_the_turn(completion))
        delta = {
            "stop_reason": reason_of(completion, self._model),
            "stop_sequence": completion.metadata.get("stop_sequence") if speaks(self._model) else None,
        }
        usage = completion.raw_usage if speaks(self._model) and completion.raw_usage else usage_of(completion.usage)
        return told + _event("message_delta", {"delta": delta, "usage": usage}) + _event("message_stop", {})

    def _whole(self, completion: Completion) -> bytes:
        told = b""
        for block in with_ids(completion.reply).blocks:
            told += b"".join(self._block(value) for value in _with_seal(block, []))
        return told

    def error(self, value: Mapping[str, object]) -> bytes:
        """Return the event that tells of an error in the middle; the stream ends with it."""
        return b"event: error\ndata: " + dumped(value) + b"\n\n"


def _event(kind: str, value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), dumped({"type": kind, **value}))
