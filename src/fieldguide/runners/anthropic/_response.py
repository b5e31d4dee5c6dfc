"""Anthropic's answers, whole or as a stream of events, to completions."""

from __future__ import annotations

import json
from typing import Any

from fieldguide.domain import (
    BlockEnd,
    BlockStart,
    Completion,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    StreamPiece,
    TextDelta,
    ToolCallDelta,
    Usage,
    kind_of,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import thoughts, words
from fieldguide.runners._json import count_of, further, object_of, objects_of, parse_object, text_of, total
from fieldguide.runners.anthropic._content import block_of
from fieldguide.runners.anthropic._errors import error_in_event

_FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALL,
    "pause_turn": FinishReason.PAUSE,
    "compaction": FinishReason.PAUSE,
    "refusal": FinishReason.CONTENT_FILTER,
}
_KNOWN = ("type", "role", "content", "model", "stop_reason", "usage")


def parse_completion(text: str, *, e2e_latency_s: float, provider: str) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It is not a message.
        RunnerError: It is an error in disguise.
    """
    message = parse_object(text)
    if message.get("type") == "error" or message.get("error"):
        raise error_in_event(message)
    if not isinstance(message.get("content"), list):
        raise ResponseFormatError("The endpoint answered without any content.")
    return _completion(message, provider, latency=Latency(e2e_latency_s=e2e_latency_s), raw=text)


def _completion(message: dict[str, Any], provider: str, *, latency: Latency, raw: str) -> Completion:
    blocks = tuple(block_of(part, provider) for part in objects_of(message.get("content")))
    reason = text_of(message.get("stop_reason"))
    usage = object_of(message.get("usage"))
    metadata: dict[str, JsonValue] = dict(further(message, *_KNOWN))
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=_FINISH_REASONS.get(reason or "", FinishReason.UNKNOWN),
        raw_finish_reason=reason,
        usage=parse_usage(usage),
        latency=latency,
        model=text_of(message.get("model")),
        raw=raw,
        metadata=metadata,
        message=Message(role="assistant", content=blocks),
        response_id=text_of(message.get("id")),
        service_tier=text_of(usage.get("service_tier")),
        raw_usage=message.get("usage"),
    )


def parse_usage(usage: object) -> Usage:
    """Return the token counts. Anthropic leaves what is read from and written to its cache out of `input_tokens`."""
    given = object_of(usage)
    written = object_of(given.get("cache_creation"))
    details = object_of(given.get("output_tokens_details"))
    cached, kept = count_of(given.get("cache_read_input_tokens")), count_of(given.get("cache_creation_input_tokens"))
    return Usage(
        input_tokens=total(count_of(given.get("input_tokens")), cached, kept),
        output_tokens=count_of(given.get("output_tokens")),
        cached_input_tokens=cached,
        cache_write_tokens=kept,
        cache_write_5m_tokens=count_of(written.get("ephemeral_5m_input_tokens")),
        cache_write_1h_tokens=count_of(written.get("ephemeral_1h_input_tokens")),
        reasoning_tokens=count_of(details.get("thinking_tokens")),
    )


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float, provider: str) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._began_s, self._provider = began_s, provider
        self._first_s: float | None = None
        self._raw: list[str] = []
        self._message: dict[str, Any] = {}
        self._parts: dict[int, dict[str, Any]] = {}
        self._json: dict[int, str] = {}
        self._last = 0

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces in it.

        Raises:
            RunnerError: The event is an error.
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        event = parse_object(data)
        kind = event.get("type")
        if kind == "error" or (kind is None and event.get("error")):
            raise error_in_event(event)
        if kind == "message_start":
            self._message = object_of(event.get("message"))
        elif kind == "content_block_start":
            return self._start(self._place(event), object_of(event.get("content_block")), now_s)
        elif kind == "content_block_delta":
            return self._delta(self._place(event), object_of(event.get("delta")))
        elif kind == "content_block_stop":
            return self._stop(self._place(event))
        elif kind == "message_delta":
            self._message |= object_of(event.get("delta")) | further(event, "type", "delta", "usage")
            counted = {name: each for name, each in object_of(event.get("usage")).items() if each is not None}
            self._message["usage"] = object_of(self._message.get("usage")) | counted
        return []

    def _place(self, event: dict[str, Any]) -> int:
        place = count_of(event.get("index"))
        self._last = self._last if place is None else place
        return self._last

    def _start(self, place: int, part: dict[str, Any], now_s: float) -> list[StreamPiece]:
        if self._first_s is None:
            self._first_s = now_s
        self._parts[place] = dict(part)
        block = block_of(part, self._provider)
        call = part if part.get("type") == "tool_use" else {}
        start = BlockStart(
            index=place, kind=kind_of(block), call_id=text_of(call.get("id")), name=text_of(call.get("name"))
        )
        return [start, *self._words(place, part)]

    def _words(self, place: int, given: dict[str, Any]) -> list[StreamPiece]:
        if text := text_of(given.get("text")):
            return [TextDelta(text=text, index=place)]
        if text := text_of(given.get("thinking")):
            return [TextDelta(text=text, reasoning=True, index=place)]
        return []

    def _delta(self, place: int, delta: dict[str, Any]) -> list[StreamPiece]:
        """Add to a part: texts grow, a citation joins its list, and of anything else the last one holds."""
        part = self._parts.setdefault(place, {"type": "text", "text": ""})
        if delta.get("type") == "input_json_delta":
            piece = text_of(delta.get("partial_json")) or ""
            self._json[place] = self._json.get(place, "") + piece
            is_call = part.get("type") == "tool_use" and piece
            return [ToolCallDelta(index=place, arguments=piece)] if is_call else []
        if delta.get("type") == "citations_delta":
            part["citations"] = [*(part.get("citations") or []), delta.get("citation")]
            return []
        for name, value in delta.items():
            if name != "type":
                known = part.get(name)
                part[name] = known + value if isinstance(known, str) and isinstance(value, str) else value
        return self._words(place, delta)

    def _stop(self, place: int) -> list[StreamPiece]:
        part = self._parts.get(place)
        if part is None:
            return []
        if place in self._json:
            part["input"] = _parsed(self._json.pop(place), part.get("input"))
        return [BlockEnd(index=place, block=block_of(part, self._provider))]

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        if text_of(self._message.get("stop_reason")) is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        message = self._message | {"content": [self._parts[place] for place in sorted(self._parts)]}
        ttft_s = None if self._first_s is None else self._first_s - self._began_s
        latency = Latency(ttft_s=ttft_s, e2e_latency_s=now_s - self._began_s)
        return _completion(message, self._provider, latency=latency, raw="\n".join(self._raw))


def _parsed(text: str, before: Any) -> Any:
    """Return the arguments that were streamed: an object, or the text itself where it is none."""
    if not text.strip():
        return before
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
