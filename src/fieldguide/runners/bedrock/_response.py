"""Answers of Converse to completions."""

from __future__ import annotations

from typing import Any

from fieldguide.domain import (
    Completion,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    ToolCall,
    Usage,
    kept_for,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import thoughts, words
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, object_of, objects_of, parse_object, text_of, total
from fieldguide.runners.bedrock._content import PROVIDER, block_of

_FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALL,
    "pause_turn": FinishReason.PAUSE,
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
    "content_filtered": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
}
_KNOWN = ("output", "stopReason", "usage", "p")


def parse_completion(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It holds no message.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    message = object_of(object_of(body.get("output")).get("message"))
    if not isinstance(message.get("content"), list):
        if body.get("message"):
            raise error_in_body(body, status=200)
        raise ResponseFormatError("The endpoint answered without any content.")
    return completion_of(body, latency=Latency(e2e_latency_s=e2e_latency_s), raw=text)


def completion_of(body: dict[str, Any], *, latency: Latency, raw: str) -> Completion:
    """Return the completion of a response, come whole or put together."""
    message = object_of(object_of(body.get("output")).get("message"))
    blocks = tuple(block_of(part) for part in objects_of(message.get("content")))
    reason = text_of(body.get("stopReason"))
    finish = _FINISH_REASONS.get(reason or "", FinishReason.UNKNOWN)
    if finish is FinishReason.STOP and any(isinstance(block, ToolCall) for block in blocks):
        finish = FinishReason.TOOL_CALL
    metadata: dict[str, JsonValue] = dict(further(body, *_KNOWN))
    tier = object_of(body.get("serviceTier"))
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=finish,
        raw_finish_reason=reason,
        usage=parse_usage(body.get("usage")),
        latency=latency,
        raw=raw,
        metadata=metadata,
        message=Message(
            role="assistant",
            content=blocks,
            provider_data=kept_for(PROVIDER, further(message, "role", "content")),
        ),
        service_tier=text_of(tier.get("type")),
        raw_usage=body.get("usage"),
    )


def parse_usage(usage: object) -> Usage:
    """Return the token counts. Bedrock leaves what is read from and written to its cache out of `inputTokens`.

    Nova's own form has the same names with `Count` behind them.
    """
    given = object_of(usage)
    cached, kept = (
        next((found for name in names if (found := count_of(given.get(name))) is not None), None)
        for names in (
            ("cacheReadInputTokens", "cacheReadInputTokenCount"),
            ("cacheWriteInputTokens", "cacheWriteInputTokenCount"),
        )
    )
    by_time = {each.get("ttl"): count_of(each.get("inputTokens")) for each in objects_of(given.get("cacheDetails"))}
    return Usage(
        input_tokens=total(count_of(given.get("inputTokens")), cached, kept),
        output_tokens=count_of(given.get("outputTokens")),
        cached_input_tokens=cached,
        cache_write_tokens=kept,
        cache_write_5m_tokens=by_time.get("5m"),
        cache_write_1h_tokens=by_time.get("1h"),
    )
