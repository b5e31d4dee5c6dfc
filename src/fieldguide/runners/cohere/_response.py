"""Cohere's answers, whole or as a stream of events, to completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldguide.domain import (
    Block,
    Completion,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    ProviderBlock,
    Reasoning,
    StreamPiece,
    Text,
    TokenLogprob,
    ToolCall,
    Usage,
    kept_for,
)
from fieldguide.errors import ProviderFaultError, ResponseFormatError, RunnerError, RunnerTimeoutError
from fieldguide.runners._blocks import Blocks, parsed_arguments, thoughts, words
from fieldguide.runners._json import count_of, further, list_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners.cohere._errors import error_in
from fieldguide.runners.cohere._request import PLAN, PROVIDER

_FINISH_REASONS = {
    "COMPLETE": FinishReason.STOP,
    "STOP_SEQUENCE": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "TOOL_CALL": FinishReason.TOOL_CALL,
}
_OF_MODEL = "INVALID_TOOL_GENERATION"
"""The one kind of ERROR that is the model's doing: it wrote a call that is none."""


def parse_completion(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It holds no message.
        RunnerError: It is an error in disguise, or the provider failed while it answered.
    """
    body = parse_object(text)
    message = body.get("message")
    if not isinstance(message, dict):
        if isinstance(message, str):
            raise error_in(body)
        raise ResponseFormatError("The endpoint answered without any message.")
    plan = text_of(message.get(PLAN))
    blocks = (
        *((_plan(plan),) if plan else ()),
        *(_block(part) for part in objects_of(message.get("content"))),
        *(_call(call) for call in objects_of(message.get("tool_calls"))),
    )
    return _completion(body, message, blocks, latency=Latency(e2e_latency_s=e2e_latency_s), raw=text)


def _plan(text: str) -> Reasoning:
    return Reasoning(text=text, provider=PROVIDER, provider_data=kept_for(PROVIDER, {"field": PLAN}))


def _block(part: dict[str, Any]) -> Block:
    if part.get("type") == "text" and isinstance(part.get("text"), str):
        return Text(text=part["text"], provider_data=kept_for(PROVIDER, further(part, "type", "text")))
    if part.get("type") == "thinking" and isinstance(part.get("thinking"), str):
        own = kept_for(PROVIDER, further(part, "type", "thinking"))
        return Reasoning(text=part["thinking"], provider=PROVIDER, provider_data=own)
    return ProviderBlock(provider=PROVIDER, value=part)


def _call(call: dict[str, Any]) -> ToolCall:
    function = object_of(call.get("function"))
    arguments = text_of(function.get("arguments")) or ""
    return ToolCall(
        name=text_of(function.get("name")) or "",
        call_id=text_of(call.get("id")),
        arguments=parsed_arguments(arguments),
        raw_arguments=arguments,
        provider_data=kept_for(PROVIDER, further(call, "id", "type", "function")),
    )


def _completion(
    body: dict[str, Any], message: dict[str, Any], blocks: tuple[Block, ...], *, latency: Latency, raw: str
) -> Completion:
    reason = text_of(body.get("finish_reason"))
    if failure := _failure(reason, body):
        raise failure
    usage = object_of(body.get("usage"))
    metadata: dict[str, JsonValue] = dict(further(body, "id", "message", "finish_reason", "usage"))
    own = further(message, "role", "content", "tool_calls", PLAN)
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=_FINISH_REASONS.get(reason or "", FinishReason.UNKNOWN),
        raw_finish_reason=reason,
        usage=parse_usage(usage),
        latency=latency,
        raw=raw,
        metadata=metadata,
        message=Message(role="assistant", content=blocks, provider_data=kept_for(PROVIDER, own)),
        logprobs=_logprobs(body.get("logprobs")),
        response_id=text_of(body.get("id")),
        raw_usage=body.get("usage"),
    )


def _failure(reason: str | None, body: Mapping[str, Any]) -> RunnerError | None:
    """Return the error that an answer ended with: what failed there is no answer of the model's."""
    said = text_of(body.get("error"))
    told = f"The provider says: {said}" if said else f"The provider failed while it answered ({reason})."
    if reason == "ERROR" and body.get("error_type") != _OF_MODEL:
        return ProviderFaultError(told)
    return RunnerTimeoutError(told) if reason == "TIMEOUT" else None


def parse_usage(usage: Mapping[str, Any]) -> Usage:
    """Return the token counts: those that were read and written, else those that are billed, which are fewer."""
    tokens, billed = object_of(usage.get("tokens")), object_of(usage.get("billed_units"))
    return Usage(
        input_tokens=_counted(tokens.get("input_tokens"), billed.get("input_tokens")),
        output_tokens=_counted(tokens.get("output_tokens"), billed.get("output_tokens")),
        cached_input_tokens=_counted(usage.get("cached_tokens")),
        reasoning_tokens=_counted(tokens.get("reasoning_tokens")),
    )


def _counted(*values: object) -> int | None:
    """Return the first that is a count; Cohere's schema has them as numbers with a fraction."""
    for value in values:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        if (count := count_of(whole)) is not None:
            return count
    return None


def _logprobs(given: object) -> tuple[TokenLogprob, ...] | None:
    """Return tokens with their probabilities; several that share a text count as one."""
    items = objects_of(given)
    if not items:
        return None
    sums = [sum(each for each in list_of(item.get("logprobs")) if isinstance(each, int | float)) for item in items]
    return tuple(
        TokenLogprob(token=text_of(item.get("text")) or "", logprob=float(value)) for item, value in zip(items, sums)
    )


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._blocks = Blocks(PROVIDER, began_s=began_s)
        self._raw: list[str] = []
        self._body: dict[str, Any] = {}
        self._message: dict[str, Any] = {}
        self._logprobs: list[Any] = []

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces in it.

        Raises:
            RunnerError: The event is an error.
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        event = parse_object(data)
        kind, place, delta = text_of(event.get("type")), count_of(event.get("index")), object_of(event.get("delta"))
        message = object_of(delta.get("message"))
        if kind is None and isinstance(event.get("message"), str):
            raise error_in(event)
        self._logprobs += objects_of(event.get("logprobs") or [])
        if isinstance(event.get("logprobs"), dict):
            self._logprobs.append(event["logprobs"])
        if kind == "message-start":
            self._body["id"] = event.get("id")
        elif kind in {"content-start", "content-delta"}:
            return self._content(place, object_of(message.get("content")), now_s)
        elif kind == "tool-plan-delta":
            return self._planned(text_of(message.get(PLAN)) or "", now_s)
        elif kind == "tool-call-start":
            return self._called(place, object_of(message.get("tool_calls")), now_s)
        elif kind == "tool-call-delta":
            function = object_of(object_of(message.get("tool_calls")).get("function"))
            return self._argued(place, text_of(function.get("arguments")) or "", now_s)
        elif kind in {"content-end", "tool-call-end"}:
            return self._blocks.end((kind.removesuffix("-end"), place))
        elif kind == "citation-start":
            cited = message.get("citations")
            self._message.setdefault("citations", []).extend(cited if isinstance(cited, list) else [cited])
        elif kind == "message-end":
            self._body |= delta
            return self._blocks.end_all()
        return []

    def _content(self, place: int | None, content: dict[str, Any], now_s: float) -> list[StreamPiece]:
        if text := text_of(content.get("thinking")):
            return self._blocks.add(("content", place), "reasoning", text, now_s=now_s)
        if text := text_of(content.get("text")):
            return self._blocks.add(("content", place), "text", text, now_s=now_s)
        return []

    def _planned(self, text: str, now_s: float) -> list[StreamPiece]:
        if not text:
            return []
        pieces = self._blocks.add(PLAN, "reasoning", text, now_s=now_s)
        if opened := self._blocks.open(PLAN):
            opened.fields["field"] = PLAN
        return pieces

    def _called(self, place: int | None, call: dict[str, Any], now_s: float) -> list[StreamPiece]:
        key, function = ("tool-call", place), object_of(call.get("function"))
        name, call_id = text_of(function.get("name")) or "", text_of(call.get("id"))
        pieces = self._blocks.start(key, "tool_call", call_id=call_id, name=name, now_s=now_s)
        if opened := self._blocks.open(key):
            opened.fields.update(further(call, "id", "type", "function"))
        return pieces + self._argued(place, text_of(function.get("arguments")) or "", now_s)

    def _argued(self, place: int | None, text: str, now_s: float) -> list[StreamPiece]:
        return self._blocks.add(("tool-call", place), "tool_call", text, now_s=now_s)

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
            RunnerError: The provider failed while it answered.
        """
        if text_of(self._body.get("finish_reason")) is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        body = self._body | ({"logprobs": self._logprobs} if self._logprobs else {})
        latency, blocks = self._blocks.latency(now_s=now_s), self._blocks.made
        return _completion(body, self._message, blocks, latency=latency, raw="\n".join(self._raw))
