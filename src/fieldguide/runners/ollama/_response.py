"""Bodies and lines of Ollama's own API to completions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fieldguide.domain import (
    Block,
    Completion,
    CompletionRequest,
    EmbeddingResult,
    FinishReason,
    Image,
    JsonValue,
    Latency,
    Message,
    Reasoning,
    StreamPiece,
    Text,
    TokenLogprob,
    ToolCall,
    Usage,
    kept_for,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import Blocks, thoughts, words
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, list_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners._media import from_base64
from fieldguide.runners.ollama._messages import PROVIDER
from fieldguide.runners.openai_chat import token_of

_FINISH_REASONS = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
_COUNTS = (
    "prompt_eval_count", "eval_count", "total_duration", "load_duration", "prompt_eval_duration", "eval_duration",
)  # fmt: skip
_MESSAGE_FIELDS = ("role", "content", "thinking", "tool_calls", "images")
_BODY_FIELDS = ("model", "message", "response", "thinking", "images", "done", "done_reason", "logprobs", *_COUNTS)
_MOST_BYTES_A_TOKEN = 12
"""Ordinary prose has 3 to 6 bytes to a token in every vocabulary in use, and long runs of spaces a few more."""


def parse_json(text: str) -> dict[str, Any]:
    """Return the JSON object of a body or line.

    Raises:
        ResponseFormatError: It is none.
        RunnerError: It is an error, which may also come in the middle of a stream.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    return body


def parse_completion(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole body of /api/chat or /api/generate.

    Raises:
        ResponseFormatError: It does not say that the answer is complete.
        RunnerError: It is an error in disguise.
    """
    body = parse_json(text)
    if body.get("done") is not True:
        raise ResponseFormatError("The endpoint answered with something that is not an answer of Ollama's.")
    blocks, own = _blocks(_turn(body))
    logprobs = _logprobs(body) if isinstance(body.get("logprobs"), list) else None
    latency = Latency(e2e_latency_s=e2e_latency_s)
    return _completion(blocks, own, body, text, latency=latency, logprobs=logprobs)


def _turn(body: dict[str, Any]) -> dict[str, Any]:
    """Return the turn in a body, whichever of the two endpoints it is of."""
    if "message" in body:
        return object_of(body["message"])
    return {"content": body.get("response"), "thinking": body.get("thinking"), "images": body.get("images")}


def _blocks(turn: dict[str, Any]) -> tuple[tuple[Block, ...], dict[str, JsonValue]]:
    """Return the blocks of a turn, thoughts first, and what else its fields hold."""
    blocks: list[Block] = []
    if thinking := text_of(turn.get("thinking")):
        blocks.append(Reasoning(text=thinking, provider=PROVIDER))
    if content := text_of(turn.get("content")):
        blocks.append(Text(text=content))
    blocks += [Image(data=data) for each in list_of(turn.get("images")) if (data := from_base64(str(each)))]
    blocks += [_call(call) for call in objects_of(turn.get("tool_calls"))]
    return tuple(blocks), dict(further(turn, *_MESSAGE_FIELDS))


def _call(call: dict[str, Any]) -> ToolCall:
    function = object_of(call.get("function"))
    arguments = function.get("arguments")
    own = further(call, "id", "function")
    if inner := further(function, "name", "arguments"):
        own["function"] = inner
    return ToolCall(
        name=text_of(function.get("name")) or "",
        call_id=text_of(call.get("id")) or None,
        arguments=arguments if isinstance(arguments, dict) else None,
        provider_data=kept_for(PROVIDER, own),
    )


def _logprobs(body: dict[str, Any]) -> tuple[TokenLogprob, ...]:
    return tuple(token_of(token) for token in objects_of(body.get("logprobs")))


def _completion(
    blocks: tuple[Block, ...],
    own: dict[str, JsonValue],
    body: dict[str, Any],
    raw: str,
    *,
    latency: Latency,
    logprobs: tuple[TokenLogprob, ...] | None,
) -> Completion:
    """Return the completion of an answer's blocks; `body` is the response or its last line."""
    raw_reason = text_of(body.get("done_reason"))
    reason = _FINISH_REASONS.get(raw_reason or "stop", FinishReason.UNKNOWN)  # older servers give none
    if reason is FinishReason.STOP and any(isinstance(block, ToolCall) for block in blocks):
        reason = FinishReason.TOOL_CALL
    usage = Usage(input_tokens=count_of(body.get("prompt_eval_count")), output_tokens=count_of(body.get("eval_count")))
    return Completion(
        text=words(blocks),
        reasoning=thoughts(blocks),
        finish_reason=reason,
        raw_finish_reason=raw_reason,
        usage=usage,
        latency=latency,
        model=text_of(body.get("model")),
        raw=raw,
        metadata=dict(further(body, *_BODY_FIELDS)),
        message=Message(role="assistant", content=blocks, provider_data=kept_for(PROVIDER, own)),
        logprobs=logprobs,
        raw_usage={name: body[name] for name in _COUNTS if name in body},
    )


def warned(completion: Completion, request: CompletionRequest) -> Completion:
    """Return an answer with a `warning` in its metadata where the server read far less than was sent.

    Ollama serves models with a small context unless told otherwise, and servers that do not know `truncate` cut what
    does not fit without a word. Such servers also leave out of the count what they had cached: a warning, no error.
    """
    read_tokens, sent_bytes = completion.usage.input_tokens, _words_bytes(request)
    if read_tokens is None or sent_bytes <= read_tokens * _MOST_BYTES_A_TOKEN:
        return completion
    warning = (
        f"Ollama read {read_tokens} tokens of a prompt of {sent_bytes} bytes: it may have been cut to the context "
        "that the server gives the model. Set a larger one with the option context_tokens."
    )
    return replace(completion, metadata={**completion.metadata, "warning": warning})


def _words_bytes(request: CompletionRequest) -> int:
    said = [request.prompt or "", *(message.text for message in request.messages or ())]
    return sum(len(text.encode("utf-8", "replace")) for text in said)


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream whose last line says `done` gives a completion."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._blocks = Blocks(PROVIDER, began_s=began_s)
        self._raw: list[str] = []
        self._own: dict[str, JsonValue] = {}
        self._logprobs: list[TokenLogprob] | None = None
        self._last: dict[str, Any] | None = None

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take one line and return the pieces in it.

        Raises:
            RunnerError: It is an error, or no JSON object.
        """
        self._raw.append(data)
        line = parse_json(data)
        blocks, own = _blocks(_turn(line))
        self._own |= own
        if isinstance(line.get("logprobs"), list):
            self._logprobs = [*(self._logprobs or ()), *_logprobs(line)]
        pieces = [piece for block in blocks for piece in self._piece(block, now_s)]
        if line.get("done") is True:
            self._last = line
            pieces += self._blocks.end_all()
        return pieces

    def _piece(self, block: Block, now_s: float) -> list[StreamPiece]:
        if isinstance(block, Reasoning):
            return self._blocks.add("thinking", "reasoning", block.text or "", now_s=now_s)
        if isinstance(block, Text):
            ended = self._blocks.end("thinking")
            return [*ended, *self._blocks.add("content", "text", block.text, now_s=now_s)]
        kind = "tool_call" if isinstance(block, ToolCall) else "image"
        return self._blocks.whole(block, kind, now_s=now_s)

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream was cut.
        """
        if self._last is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        return _completion(
            self._blocks.made,
            self._own,
            self._last,
            "\n".join(self._raw),
            latency=self._blocks.latency(now_s=now_s),
            logprobs=None if self._logprobs is None else tuple(self._logprobs),
        )


def parse_embeddings(text: str, *, e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors of a body of /api/embed, or of the older /api/embeddings.

    Raises:
        ResponseFormatError: There is none, or one that cannot be read.
        RunnerError: It is an error in disguise.
    """
    body = parse_json(text)
    vectors = [body["embedding"]] if body.get("embedding") else list_of(body.get("embeddings"))
    read = tuple(_vector(vector) for vector in vectors)
    if not read:
        raise ResponseFormatError("The endpoint answered without any vector.")
    return EmbeddingResult(
        vectors=read,
        usage=Usage(input_tokens=count_of(body.get("prompt_eval_count"))),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        model=text_of(body.get("model")),
        raw_usage={name: body[name] for name in _COUNTS if name in body} or None,
    )


def _vector(value: object) -> tuple[float, ...]:
    numbers = list_of(value)
    if not numbers or not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        raise ResponseFormatError("The endpoint answered with a vector that cannot be read.")
    return tuple(float(each) for each in numbers)
