"""llama.cpp's own `/completion`: a text goes in as it stands, and the reason for stopping comes out exactly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fieldguide.domain import (
    Completion,
    CompletionRequest,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    StreamPiece,
    TextDelta,
    Usage,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._http_errors import error_in_body

_FINISH_REASONS = {"eos": FinishReason.STOP, "word": FinishReason.STOP, "limit": FinishReason.LENGTH}
_FIELDS: list[JsonValue] = [
    "content",
    "model",
    "stop",
    "stop_type",
    "stopping_word",
    "truncated",
    "tokens_evaluated",
    "tokens_predicted",
    "timings",
]
_NAMES = {"user": "User", "assistant": "Assistant"}
PLAIN_CHAT_STOP = "\nUser:"


def request_body(
    request: CompletionRequest, *, prompt: str, stop: Sequence[str], cache_prompt: bool, stream: bool
) -> dict[str, JsonValue]:
    """Return the JSON body that continues `prompt`; what the request leaves open is left to the engine."""
    body: dict[str, JsonValue] = {
        "prompt": prompt,
        "cache_prompt": cache_prompt,
        "stream": stream,
        "response_fields": _FIELDS,
        **sampling(request),
    }
    if request.max_output_tokens is not None:
        body["n_predict"] = request.max_output_tokens
    if stop:
        body["stop"] = list(stop)
    return body


def sampling(request: CompletionRequest) -> dict[str, JsonValue]:
    """Return how tokens are chosen.

    A request that states its temperature is sampled by what it states alone: the engine's own filters (top-k 40,
    min-p 0.05, top-p 0.95) are off, so that the same exam means the same on every engine. Otherwise they stay.
    At temperature 0 only the likeliest token is looked at, which spares sorting a large vocabulary.
    """
    if request.temperature == 0:
        return {"temperature": 0.0, "top_k": 1}
    body: dict[str, JsonValue] = {}
    if request.temperature is not None:
        body |= {"temperature": request.temperature, "top_k": 0, "min_p": 0.0, "top_p": 1.0}
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.seed is not None:
        body["seed"] = request.seed
    return body


def plain_chat(messages: Sequence[Message]) -> str:
    """Return a conversation as plain text that ends where the assistant is to speak, for models without a template."""
    turns = [
        message.text if message.role == "system" else f"{_NAMES[message.role]}: {message.text}" for message in messages
    ]
    return "\n\n".join([*turns, "Assistant:"])


def parse_completion(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It is not what `/completion` answers.
    """
    body = _parse_json(text)
    content = body.get("content")
    if not isinstance(content, str):
        raise ResponseFormatError("The engine answered without any content.")
    return _completion(body, content, raw=text, latency=Latency(e2e_latency_s=e2e_latency_s))


class StreamedText:
    """Puts a streamed text together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._began_s = began_s
        self._first_s: float | None = None
        self._text: list[str] = []
        self._raw: list[str] = []
        self._last: dict[str, Any] | None = None

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces of text in it.

        Raises:
            RunnerError: The event is an error, or not a JSON object.
        """
        self._raw.append(data)
        chunk = _parse_json(data)
        if chunk.get("stop") is True:
            self._last = chunk
        content = chunk.get("content")
        if not isinstance(content, str) or not content:
            return []
        if self._first_s is None:
            self._first_s = now_s
        self._text.append(content)
        return [TextDelta(text=content)]

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without its last event, as one does that was cut.
        """
        if self._last is None:
            raise ResponseFormatError("The engine's stream broke off before the answer was complete.")
        ttft_s = None if self._first_s is None else self._first_s - self._began_s
        latency = Latency(ttft_s=ttft_s, e2e_latency_s=now_s - self._began_s)
        return _completion(self._last, "".join(self._text), raw="\n".join(self._raw), latency=latency)


def _completion(body: dict[str, Any], text: str, *, raw: str, latency: Latency) -> Completion:
    stop_type = body.get("stop_type")
    timings = body.get("timings")
    return Completion(
        text=text,
        finish_reason=_FINISH_REASONS.get(str(stop_type), FinishReason.UNKNOWN),
        raw_finish_reason=stop_type if isinstance(stop_type, str) else None,
        usage=Usage(
            input_tokens=_count(body.get("tokens_evaluated")),
            output_tokens=_count(body.get("tokens_predicted")),
            cached_input_tokens=_count(timings.get("cache_n")) if isinstance(timings, dict) else None,
        ),
        latency=latency,
        model=body.get("model"),
        raw=raw,
    )


def _parse_json(text: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResponseFormatError("The engine answered with something that is not JSON.") from error
    if not isinstance(body, dict):
        raise ResponseFormatError("The engine answered with JSON that is not an object.")
    if body.get("error"):
        raise error_in_body(body, status=500)
    return body


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
