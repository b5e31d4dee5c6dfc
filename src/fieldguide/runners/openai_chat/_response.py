"""Bodies of chat completions and text completions to completions."""

from __future__ import annotations

from typing import Any

from fieldguide.domain import (
    Audio,
    Block,
    Completion,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    ProviderBlock,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Usage,
    kept_for,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import parsed_arguments, refusal_in, thoughts, words
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, list_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners._media import from_base64
from fieldguide.runners.openai_chat._logprobs import parse_logprobs

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
    "tool_calls": FinishReason.TOOL_CALL,
    "tool_call": FinishReason.TOOL_CALL,
    "function_call": FinishReason.TOOL_CALL,
}
ANY = "openai-compatible"
REASONING_FIELDS = ("reasoning_content", "reasoning")
_MESSAGE_FIELDS = ("role", "content", "refusal", "tool_calls", "function_call", "audio", *REASONING_FIELDS)
_CHOICE_FIELDS = ("index", "message", "delta", "text", "finish_reason", "logprobs")
_BODY_FIELDS = ("choices", "usage", "model", "object", "service_tier", "error")


def finish_reason(raw: str | None) -> FinishReason:
    """Return our word for the provider's."""
    return _FINISH_REASONS.get(raw or "", FinishReason.UNKNOWN)


def parse_json(text: str) -> dict[str, Any]:
    """Return the JSON object of a response body.

    Raises:
        ResponseFormatError: The body is not a JSON object.
        RunnerError: It is an error object, whatever the status said.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    return body


def parse_completion(text: str, *, e2e_latency_s: float, provider: str = ANY) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It has no choice, or the choice has neither content nor a reason for having none.
        RunnerError: It is an error in disguise.
    """
    body = parse_json(text)
    choices = objects_of(body.get("choices"))
    if not choices:
        raise ResponseFormatError("The endpoint answered without any choice.")
    choice = choices[0]
    message = choice.get("message")
    blocks = _blocks(message, provider) if isinstance(message, dict) else _plain(choice.get("text"))
    said = object_of(message).get("content", choice.get("text"))
    metadata = metadata_of(body, choice)
    if len(choices) > 1:
        metadata["other_choices"] = choices[1:]
    return completion_of(
        blocks,
        raw_reason=text_of(choice.get("finish_reason")),
        empty=said is None,
        provider=provider,
        message_fields=further(object_of(message), *_MESSAGE_FIELDS),
        logprobs=parse_logprobs(choice.get("logprobs")),
        body=body,
        metadata=metadata,
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw=text,
    )


def completion_of(
    blocks: tuple[Block, ...],
    *,
    raw_reason: str | None,
    empty: bool,
    provider: str,
    message_fields: dict[str, JsonValue],
    body: dict[str, Any],
    metadata: dict[str, JsonValue],
    raw: str,
    **known: Any,
) -> Completion:
    """Return the completion of an answer's blocks; `body` is the response or the sum of its chunks.

    Raises:
        ResponseFormatError: It is empty without a reason, or ended with an error.
    """
    check_ended(raw_reason)
    reason = finish_reason(raw_reason)
    refused = refusal_in(blocks)
    if any(isinstance(block, ToolCall) for block in blocks) and reason in {FinishReason.STOP, FinishReason.UNKNOWN}:
        reason = FinishReason.TOOL_CALL  # some servers say `stop` even then
    if refused is not None:
        metadata = {**metadata, "withheld": refused}
        reason = reason if words(blocks) else FinishReason.CONTENT_FILTER
    if empty and not blocks and reason in {FinishReason.STOP, FinishReason.UNKNOWN}:
        raise ResponseFormatError("The endpoint answered without any content.")
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=reason,
        raw_finish_reason=raw_reason,
        usage=parse_usage(body.get("usage")),
        model=text_of(body.get("model")),
        message=Message(role="assistant", content=blocks, provider_data=kept_for(provider, message_fields)),
        response_id=text_of(body.get("id")),
        service_tier=text_of(body.get("service_tier")),
        raw_usage=body.get("usage"),
        metadata=metadata,
        raw=raw,
        **known,
    )


def check_ended(raw_reason: str | None) -> None:
    """Refuse an answer that its provider ended with an error.

    Raises:
        ResponseFormatError: It did.
    """
    if raw_reason == "error":
        raise ResponseFormatError("The provider ended the answer with an error.")


def _plain(text: object) -> tuple[Block, ...]:
    return (Text(text=text),) if isinstance(text, str) and text else ()


def _blocks(message: dict[str, Any], provider: str) -> tuple[Block, ...]:
    """Return thoughts, words, refusal and calls of a message, in this order."""
    blocks: list[Block] = []
    for name in REASONING_FIELDS:
        if isinstance(message.get(name), str) and message[name]:
            blocks.append(thought(message[name], name, provider))
    content = message.get("content")
    if isinstance(content, list):  # some servers send a list of parts
        blocks += [block for part in objects_of(content) for block in _of_part(part, provider)]
    else:
        blocks += _plain(content)
    if text_of(message.get("refusal")):
        blocks.append(Refusal(text=message["refusal"]))
    if audio := object_of(message.get("audio")):
        blocks += _audio(audio, provider)
    blocks += [call_of(call, provider) for call in objects_of(message.get("tool_calls"))]
    if old := object_of(message.get("function_call")):
        blocks.append(call_of({"type": "function", "function": old}, provider))
    return tuple(blocks)


def thought(text: str, name: str, provider: str) -> Reasoning:
    """Return the reasoning that stood in a message's field `name`, to be sent back in the same."""
    return Reasoning(text=text, provider=provider, provider_data=kept_for(provider, {"field": name}))


def _of_part(part: dict[str, Any], provider: str) -> list[Block]:
    """Return the block of a part of the content; one kind of part holds thoughts, as text or as parts again.

    A part of a kind that is not known (a reference, a file that a tool made) is kept whole.
    """
    if part.get("type") == "thinking":
        inner = part.get("thinking")
        text = inner if isinstance(inner, str) else "".join(str(each.get("text", "")) for each in objects_of(inner))
        return [Reasoning(text=text or None, provider=provider, provider_data=kept_for(provider, {"part": part}))]
    text_part = text_of(part.get("text"))
    if text_part is None:
        return [ProviderBlock(provider=provider, value=part)]
    return [Text(text=text_part, provider_data=kept_for(provider, further(part, "type", "text")))]


def _audio(audio: dict[str, Any], provider: str) -> list[Block]:
    data = from_base64(str(audio.get("data", "")))
    return [] if not data else [Audio(data=data, provider_data=kept_for(provider, further(audio, "data")))]


def call_of(call: dict[str, Any], provider: str) -> ToolCall:
    """Return a tool call; one of a form of its own keeps that under `type`."""
    custom = object_of(call.get("custom"))
    function = custom or object_of(call.get("function"))
    raw = function.get("input") if custom else function.get("arguments")
    fields = further(call, "id", "function", "custom", "index", "type") | of_function(call)
    if call.get("type") not in (None, "function"):
        fields["type"] = call["type"]
    return ToolCall(
        name=text_of(function.get("name")) or "",
        call_id=text_of(call.get("id")),
        arguments=raw if isinstance(raw, dict) else None if custom else parsed_arguments(text_of(raw) or ""),
        raw_arguments=text_of(raw),
        provider_data=kept_for(provider, fields),
    )


def of_function(call: dict[str, Any]) -> dict[str, JsonValue]:
    """Return what stands beside name and arguments of a call, under `function` or `custom`, as it is sent back."""
    return {
        name: inner
        for name in ("function", "custom")
        if (inner := further(object_of(call.get(name)), "name", "arguments", "input"))
    }


def parse_usage(usage: object) -> Usage:
    """Return the token counts; what is missing or malformed is unknown."""
    given = object_of(usage)
    read, written = object_of(given.get("prompt_tokens_details")), object_of(given.get("completion_tokens_details"))
    return Usage(
        input_tokens=count_of(given.get("prompt_tokens")),
        output_tokens=count_of(given.get("completion_tokens")),
        cached_input_tokens=count_of(read.get("cached_tokens")),
        cache_write_tokens=count_of(read.get("cache_write_tokens")),
        reasoning_tokens=count_of(written.get("reasoning_tokens")),
        input_audio_tokens=count_of(read.get("audio_tokens")),
        output_audio_tokens=count_of(written.get("audio_tokens")),
    )


def metadata_of(body: dict[str, Any], choice: dict[str, Any]) -> dict[str, JsonValue]:
    """Return what a response tells beyond an answer: its id, fingerprint, time, and what only this server says."""
    metadata: dict[str, JsonValue] = dict(further(body, *_BODY_FIELDS))
    if own := further(choice, *_CHOICE_FIELDS):
        metadata["choice"] = own
    return metadata


def gathered(parts: dict[str, Any], new: dict[str, Any]) -> None:
    """Add the fields of a chunk to those before: lists and objects grow, of others the last holds, of times the first.

    Elements of a list that have an `index` come in pieces too: those of one `type` under one index are one.
    """
    for name, value in new.items():
        known = parts.get(name)
        if name == "created" and known:  # Azure's filter goes before the answer, at time 0
            continue
        if isinstance(value, list) and (known is None or isinstance(known, list)):
            parts[name] = _joined([*list_of(known), *value])
        elif isinstance(value, dict) and isinstance(known, dict):
            parts[name] = known | value
        else:
            parts[name] = value


_GROWING = ("text", "summary", "data")


def _joined(elements: list[Any]) -> list[Any]:
    found: dict[object, Any] = {}
    for place, element in enumerate(elements):
        named = isinstance(element, dict) and count_of(element.get("index")) is not None and "type" in element
        key = (element["type"], element["index"]) if named else place
        known = found.get(key)
        found[key] = element if known is None else known | {name: _added(known, element, name) for name in element}
    return list(found.values())


def _added(known: dict[str, Any], new: dict[str, Any], name: str) -> Any:
    """Return a field of two pieces: words grow, and of others the last that says something holds."""
    before, after = known.get(name), new[name]
    if name in _GROWING and isinstance(before, str) and isinstance(after, str):
        return before + after
    return before if after in (None, "") else after
