"""Bodies and events of DashScope's own API to completions and vectors."""

from __future__ import annotations

from typing import Any

from fieldguide.domain import (
    Block,
    Completion,
    EmbeddingResult,
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
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import Blocks, parsed_arguments, thoughts, words
from fieldguide.runners._json import count_of, further, list_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners.model_studio._errors import error_in
from fieldguide.runners.model_studio._messages import PART_KINDS, PROVIDER
from fieldguide.runners.openai_chat import finish_reason
from fieldguide.runners.openai_chat._logprobs import parse_logprobs

_MESSAGE_FIELDS = ("role", "content", "reasoning_content", "tool_calls")
_CHOICE_FIELDS = ("index", "message", "finish_reason", "logprobs")
_OUTPUT_FIELDS = ("choices", "text", "finish_reason")
_BODY_FIELDS = ("output", "usage", "request_id")


def parse_json(text: str) -> dict[str, Any]:
    """Return the JSON object of a body or event.

    Raises:
        ResponseFormatError: It is none, or has no output.
        RunnerError: It is an error, which in a stream is an event.
    """
    body = parse_object(text)
    if text_of(body.get("code")):
        raise error_in(body, status=count_of(body.get("status_code")) or 200)
    if not isinstance(body.get("output"), dict):
        raise ResponseFormatError("The endpoint answered without any output.")
    return body


def parse_completion(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body, in the form `message` or in the older form `text`.

    Raises:
        ResponseFormatError: It holds no answer.
        RunnerError: It is an error in disguise.
    """
    body = parse_json(text)
    output = body["output"]
    choice, message = _choice(output)
    if not choice and not isinstance(output.get("text"), str):
        raise ResponseFormatError("The endpoint answered without any choice.")
    others = objects_of(output.get("choices"))[1:]
    return _completion(
        _blocks(message),
        raw_reason=_reason(choice),
        own=further(message, *_MESSAGE_FIELDS),
        body=body,
        metadata=_metadata(body, choice) | ({"other_choices": others} if others else {}),
        logprobs=parse_logprobs(choice.get("logprobs")),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw=text,
    )


def _choice(output: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first choice and its message, also of the form without choices."""
    choices = objects_of(output.get("choices"))
    if choices:
        return choices[0], object_of(choices[0].get("message"))
    if "text" in output:
        return {"finish_reason": output.get("finish_reason")}, {"content": output["text"]}
    return {}, {}


def _reason(choice: dict[str, Any]) -> str | None:
    """Return why the answer ended; until it has, DashScope writes the word null."""
    reason = text_of(choice.get("finish_reason"))
    return None if reason == "null" else reason


def _metadata(body: dict[str, Any], choice: dict[str, Any]) -> dict[str, JsonValue]:
    metadata: dict[str, JsonValue] = dict(further(body, *_BODY_FIELDS))
    if output := further(body["output"], *_OUTPUT_FIELDS):
        metadata["output"] = output
    if own := further(choice, *_CHOICE_FIELDS):
        metadata["choice"] = own
    return metadata


def _blocks(message: dict[str, Any]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    if thought := text_of(message.get("reasoning_content")):
        blocks.append(Reasoning(text=thought, provider=PROVIDER))
    blocks += parts_of(message.get("content"))
    return (*blocks, *(call_of(call) for call in objects_of(message.get("tool_calls"))))


def parts_of(content: object) -> list[Block]:
    """Return the blocks of a content: a text, or parts of which each has one field for its kind."""
    if isinstance(content, str):
        return [Text(text=content)] if content else []
    return [_part(part) for part in objects_of(content)]


def _part(part: dict[str, Any]) -> Block:
    if isinstance(part.get("text"), str):
        return Text(text=part["text"], provider_data=kept_for(PROVIDER, further(part, "text")))
    for name, kind in PART_KINDS.items():
        if isinstance(part.get(name), str) and part[name]:
            return kind(url=part[name], provider_data=kept_for(PROVIDER, further(part, name)))
    return ProviderBlock(provider=PROVIDER, value=part)


def call_of(call: dict[str, Any]) -> ToolCall:
    """Return a call of a tool."""
    function = object_of(call.get("function"))
    raw = text_of(function.get("arguments"))
    return ToolCall(
        name=text_of(function.get("name")) or "",
        call_id=text_of(call.get("id")) or None,
        arguments=parsed_arguments(raw or ""),
        raw_arguments=raw,
        provider_data=kept_for(PROVIDER, further(call, "id", "type", "function", "index")),
    )


def parse_usage(given: dict[str, Any]) -> Usage:
    """Return the token counts; cached and thought ones are counted in."""
    read, written = object_of(given.get("input_tokens_details")), object_of(given.get("output_tokens_details"))
    cached = object_of(given.get("prompt_tokens_details"))
    return Usage(
        input_tokens=count_of(given.get("input_tokens")),
        output_tokens=count_of(given.get("output_tokens")),
        cached_input_tokens=count_of(cached.get("cached_tokens", read.get("cached_tokens"))),
        cache_write_tokens=count_of(cached.get("cache_creation_input_tokens")),
        reasoning_tokens=count_of(written.get("reasoning_tokens")),
        input_audio_tokens=count_of(read.get("audio_tokens")),
        output_audio_tokens=count_of(written.get("audio_tokens")),
    )


def _completion(
    blocks: tuple[Block, ...],
    *,
    raw_reason: str | None,
    own: dict[str, JsonValue],
    body: dict[str, Any],
    **known: Any,
) -> Completion:
    reason = finish_reason(raw_reason)
    if any(isinstance(block, ToolCall) for block in blocks) and reason in {FinishReason.STOP, FinishReason.UNKNOWN}:
        reason = FinishReason.TOOL_CALL
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=reason,
        raw_finish_reason=raw_reason,
        usage=parse_usage(object_of(body.get("usage"))),
        message=Message(role="assistant", content=blocks, provider_data=kept_for(PROVIDER, own)),
        response_id=text_of(body.get("request_id")),
        raw_usage=body.get("usage"),
        **known,
    )


class StreamedAnswer:
    """Puts a streamed answer together, of which each event holds what is new."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._blocks = Blocks(PROVIDER, began_s=began_s)
        self._raw: list[str] = []
        self._body: dict[str, Any] = {}
        self._raw_reason: str | None = None
        self._own: dict[str, JsonValue] = {}
        self._metadata: dict[str, JsonValue] = {}
        self._logprobs: list[TokenLogprob] | None = None

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces in it.

        Raises:
            RunnerError: The event is an error, or no JSON object.
        """
        self._raw.append(data)
        body = parse_json(data)
        self._body |= {name: body[name] for name in ("usage", "request_id") if body.get(name)}
        choice, message = _choice(body["output"])
        self._metadata |= _metadata(body, choice)
        self._own |= further(message, *_MESSAGE_FIELDS)
        if (found := parse_logprobs(choice.get("logprobs"))) is not None:
            self._logprobs = [*(self._logprobs or ()), *found]
        pieces = self._pieces(message, now_s)
        self._raw_reason = _reason(choice) or self._raw_reason
        return [*pieces, *self._blocks.end_all()] if _reason(choice) else pieces

    def _pieces(self, message: dict[str, Any], now_s: float) -> list[StreamPiece]:
        pieces: list[StreamPiece] = []
        if thought := text_of(message.get("reasoning_content")):
            pieces += self._blocks.add("thought", "reasoning", thought, now_s=now_s)
        for block in parts_of(message.get("content")):
            pieces += self._said(block, now_s)
        for place, call in enumerate(objects_of(message.get("tool_calls"))):
            index = count_of(call.get("index"))
            pieces += self._call(place if index is None else index, call, now_s)
        return pieces

    def _said(self, block: Block, now_s: float) -> list[StreamPiece]:
        if isinstance(block, Text):
            if not block.text:
                return []
            return [*self._blocks.end("thought"), *self._blocks.add("text", "text", block.text, now_s=now_s)]
        kind = "provider_block" if isinstance(block, ProviderBlock) else type(block).__name__.lower()
        return self._blocks.whole(block, kind, now_s=now_s)

    def _call(self, index: object, call: dict[str, Any], now_s: float) -> list[StreamPiece]:
        function, key = object_of(call.get("function")), ("call", index)
        pieces: list[StreamPiece] = []
        if self._blocks.open(key) is None:
            name, call_id = text_of(function.get("name")) or "", text_of(call.get("id")) or None
            pieces = self._blocks.start(key, "tool_call", call_id=call_id, name=name, now_s=now_s)
        if block := self._blocks.open(key):
            block.call_id = block.call_id or text_of(call.get("id")) or None
            block.name = block.name or text_of(function.get("name")) or ""
            block.fields |= further(call, "id", "type", "function", "index")
        arguments = text_of(function.get("arguments"))
        return [*pieces, *self._blocks.add(key, "tool_call", arguments, now_s=now_s)] if arguments else pieces

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        if self._raw_reason is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        return _completion(
            self._blocks.made,
            raw_reason=self._raw_reason,
            own=self._own,
            body=self._body,
            metadata=self._metadata,
            logprobs=None if self._logprobs is None else tuple(self._logprobs),
            latency=self._blocks.latency(now_s=now_s),
            raw="\n".join(self._raw),
        )


def parse_embeddings(text: str, *, e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors of a response body, in the order of the texts.

    Raises:
        ResponseFormatError: A vector is missing or cannot be read.
        RunnerError: It is an error in disguise.
    """
    body = parse_json(text)
    found = objects_of(body["output"].get("embeddings"))
    if not found:
        raise ResponseFormatError("The endpoint answered without any vector.")
    order = sorted(found, key=lambda each: count_of(each.get("text_index")) or 0)
    return EmbeddingResult(
        vectors=tuple(_vector(each.get("embedding")) for each in order),
        usage=Usage(input_tokens=count_of(object_of(body.get("usage")).get("total_tokens"))),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=body.get("usage"),
        response_id=text_of(body.get("request_id")),
    )


def _vector(value: object) -> tuple[float, ...]:
    numbers = list_of(value)
    if not numbers or not all(isinstance(each, int | float) for each in numbers):
        raise ResponseFormatError("The endpoint answered with a vector that cannot be read.")
    return tuple(float(each) for each in numbers)
