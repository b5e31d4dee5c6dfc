"""Responses, whole or as a stream of events, to completions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fieldguide.domain import (
    Block,
    BlockEnd,
    BlockKind,
    BlockStart,
    Completion,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    StreamPiece,
    TextDelta,
    TokenLogprob,
    ToolCall,
    ToolCallDelta,
    Usage,
    kind_of,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import refusal_in, thoughts, words
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, object_of, objects_of, parse_object, text_of
from fieldguide.runners.openai_chat import token_of
from fieldguide.runners.openai_responses._items import blocks_of

_REASONS = {
    "completed": FinishReason.STOP,
    "max_output_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
_KNOWN = ("object", "id", "model", "output", "usage", "service_tier", "error", "output_text")
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


def parse_completion(text: str, *, e2e_latency_s: float, provider: str) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It is not a response.
        RunnerError: It has failed, or is an error in disguise.
    """
    body = parse_object(text)
    return _completion(body, provider, latency=Latency(e2e_latency_s=e2e_latency_s), raw=text)


def _completion(body: dict[str, Any], provider: str, *, latency: Latency, raw: str) -> Completion:
    status = text_of(body.get("status"))
    if body.get("error") or status in {"failed", "cancelled"}:
        raise error_in_body(body if body.get("error") else {"error": f"The response was {status}."}, status=500)
    if not isinstance(body.get("output"), list):
        raise ResponseFormatError("The endpoint answered without any output.")
    blocks = tuple(block for item in objects_of(body["output"]) for block in blocks_of(item, provider))
    raw_reason = text_of(object_of(body.get("incomplete_details")).get("reason")) or status
    metadata: dict[str, JsonValue] = dict(further(body, *_KNOWN))
    refused = refusal_in(blocks)
    if refused is not None:
        metadata["withheld"] = refused
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=_reason(raw_reason, blocks),
        raw_finish_reason=raw_reason,
        usage=parse_usage(body.get("usage")),
        latency=latency,
        model=text_of(body.get("model")),
        raw=raw,
        metadata=metadata,
        message=Message(role="assistant", content=blocks),
        logprobs=_logprobs(body["output"]),
        response_id=text_of(body.get("id")),
        service_tier=text_of(body.get("service_tier")),
        raw_usage=body.get("usage"),
    )


def _reason(raw: str | None, blocks: tuple[Block, ...]) -> FinishReason:
    reason = _REASONS.get(raw or "", FinishReason.UNKNOWN)
    if reason is not FinishReason.STOP:
        return reason
    if any(isinstance(block, ToolCall) for block in blocks):
        return FinishReason.TOOL_CALL
    return FinishReason.CONTENT_FILTER if refusal_in(blocks) and not words(blocks) else reason


def parse_usage(usage: object) -> Usage:
    """Return the token counts; what is missing or malformed is unknown."""
    given = object_of(usage)
    read, written = object_of(given.get("input_tokens_details")), object_of(given.get("output_tokens_details"))
    return Usage(
        input_tokens=count_of(given.get("input_tokens")),
        output_tokens=count_of(given.get("output_tokens")),
        cached_input_tokens=count_of(read.get("cached_tokens")),
        cache_write_tokens=count_of(read.get("cache_write_tokens")),
        reasoning_tokens=count_of(written.get("reasoning_tokens")),
    )


def _logprobs(output: object) -> tuple[TokenLogprob, ...] | None:
    parts = [part for item in objects_of(output) for part in objects_of(item.get("content"))]
    found = [token_of(token) for part in parts for token in objects_of(part.get("logprobs"))]
    return tuple(found) or None


@dataclass(slots=True)
class _Open:
    """A block that is arriving."""

    index: int
    place: int
    """Of its item in the output."""
    parts: int = 0
    """Parts of a summary that have begun."""
    ended: bool = False


@dataclass(slots=True)
class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says how the response ended gives a completion."""

    began_s: float
    provider: str
    _first_s: float | None = None
    _raw: list[str] = field(default_factory=list)
    _open: dict[tuple[int, int], _Open] = field(default_factory=dict)
    _next: int = 0
    _done: dict[int, dict[str, Any]] = field(default_factory=dict)
    _response: dict[str, Any] | None = None

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces in it.

        Raises:
            RunnerError: The event is an error, or the response has failed.
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        event = parse_object(data)
        kind = str(event.get("type"))
        if kind == "error" or (event.get("error") and "response" not in event):
            raise error_in_body(event if event.get("error") else {"error": event}, status=200)
        if kind in _ENDS:
            self._response = object_of(event.get("response"))
        pieces = self._pieces(kind, event, count_of(event.get("output_index")) or 0)
        if pieces and self._first_s is None:
            self._first_s = now_s
        return pieces

    def _pieces(self, kind: str, event: dict[str, Any], place: int) -> list[StreamPiece]:
        delta = text_of(event.get("delta")) or ""
        part = count_of(event.get("content_index")) or 0
        if kind == "response.output_item.added":
            return self._added(object_of(event.get("item")), place)
        if kind == "response.output_item.done":
            return self._item_done(object_of(event.get("item")), place)
        if kind == "response.content_part.added" and object_of(event.get("part")).get("type") == "output_text":
            return self._begin((place, part), "text")
        if kind == "response.output_text.delta":
            begun = self._begin((place, part), "text")
            return [*begun, TextDelta(text=delta, index=self._open[place, part].index)] if delta else begun
        if kind == "response.refusal.delta":
            return self._begin((place, part), "refusal")
        if kind in {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}:
            return self._thought(place, delta)
        if kind == "response.reasoning_summary_part.added":
            return self._thought_part(place)
        if kind in {"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}:
            found = self._open.get((place, 0))
            return [ToolCallDelta(index=found.index, arguments=delta)] if found and delta else []
        return []

    def _begin(self, key: tuple[int, int], kind: BlockKind, **call: str | None) -> list[StreamPiece]:
        if key in self._open:
            return []
        self._open[key] = _Open(self._next, key[0])
        self._next += 1
        return [BlockStart(index=self._open[key].index, kind=kind, **call)]

    def _added(self, item: dict[str, Any], place: int) -> list[StreamPiece]:
        if item.get("type") == "message":
            return []
        kind = kind_of(blocks_of(item, self.provider)[0])
        call = {"call_id": text_of(item.get("call_id")), "name": text_of(item.get("name"))}
        return self._begin((place, 0), kind, **(call if kind == "tool_call" else {}))

    def _thought(self, place: int, text: str) -> list[StreamPiece]:
        begun = self._begin((place, 0), "reasoning")
        return [*begun, TextDelta(text=text, reasoning=True, index=self._open[place, 0].index)] if text else begun

    def _thought_part(self, place: int) -> list[StreamPiece]:
        begun = self._begin((place, 0), "reasoning")
        block = self._open[place, 0]
        block.parts += 1
        return [*begun, *(self._thought(place, "\n\n") if block.parts > 1 else [])]

    def _item_done(self, item: dict[str, Any], place: int) -> list[StreamPiece]:
        self._done[place] = item
        pieces: list[StreamPiece] = []
        for part, block in enumerate(blocks_of(item, self.provider)):
            pieces += self._begin((place, part), kind_of(block))
            found = self._open[place, part]
            if not found.ended:
                found.ended = True
                pieces.append(BlockEnd(index=found.index, block=block))
        return pieces

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying how, as one does that was cut.
            RunnerError: The response has failed.
        """
        if self._response is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        body = self._response
        if not body.get("output"):
            body = body | {"output": [self._done[place] for place in sorted(self._done)]}
        ttft_s = None if self._first_s is None else self._first_s - self.began_s
        latency = Latency(ttft_s=ttft_s, e2e_latency_s=now_s - self.began_s)
        return _completion(body, self.provider, latency=latency, raw="\n".join(self._raw))
