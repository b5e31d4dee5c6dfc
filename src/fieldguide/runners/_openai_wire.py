"""The OpenAI wire format: chat completions and text completions, whole and as a stream."""

from __future__ import annotations

import json
from typing import Any

from fieldguide.domain import Completion, CompletionRequest, FinishReason, JsonValue, Latency, TextDelta, Usage
from fieldguide.errors import ContentFilterError, ResponseFormatError
from fieldguide.runners._http_errors import error_in_body

_FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
    "tool_calls": FinishReason.TOOL_CALL,
    "function_call": FinishReason.TOOL_CALL,
}


def request_body(request: CompletionRequest, *, model: str, stream: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a request; what the request leaves open is left out."""
    body: dict[str, JsonValue] = {"model": model}
    if request.messages is not None:
        body["messages"] = [{"role": message.role, "content": message.content} for message in request.messages]
    else:
        body["prompt"] = request.prompt
    optional: dict[str, JsonValue] = {
        "max_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "stop": list(request.stop) or None,
        "seed": request.seed,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return body


def finish_reason(raw: str | None) -> FinishReason:
    """Return our word for the provider's."""
    return _FINISH_REASONS.get(raw or "", FinishReason.UNKNOWN)


def _text(value: object) -> str | None:
    """Return a text, or None for anything else that stands in its place."""
    return value if isinstance(value, str) else None


def parse_json(text: str) -> dict[str, Any]:
    """Return the JSON object of a response body.

    Raises:
        ResponseFormatError: The body is not a JSON object.
        RunnerError: It is an error object, whatever the status said.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        start = " ".join(text[:80].split())
        raise ResponseFormatError(
            f"The endpoint answered with something that is not JSON: {start!r}." if start else "The answer is empty.",
            hint="Is this the base URL of an OpenAI-compatible API? It usually ends in /v1.",
        ) from error
    if not isinstance(body, dict):
        raise ResponseFormatError("The endpoint answered with JSON that is not an object.")
    if body.get("error"):
        raise error_in_body(body, status=200)
    return body


def parse_completion(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body.

    Raises:
        ResponseFormatError: It has no choice, or the choice has neither text nor a reason for having none.
        RunnerError: It is an error in disguise.
    """
    body = parse_json(text)
    choice = _first_choice(body)
    raw_reason = _text(choice.get("finish_reason"))
    answer, reasoning = _texts(choice)
    reason = finish_reason(raw_reason)
    if answer is None:
        answer = ""
        if reason in {FinishReason.STOP, FinishReason.UNKNOWN} and reasoning is None:
            raise ResponseFormatError("The endpoint answered without any content.")
    if raw_reason == "error":
        raise ResponseFormatError("The provider ended the answer with an error.")
    return Completion(
        text=answer,
        reasoning=reasoning,
        finish_reason=reason,
        raw_finish_reason=raw_reason,
        usage=parse_usage(body.get("usage")),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        model=_text(body.get("model")),
        raw=text,
        metadata=_metadata(body),
    )


def _first_choice(body: dict[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ResponseFormatError("The endpoint answered without any choice.")
    return choices[0]


def _texts(choice: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return answer and reasoning of a choice; a refusal in its own field is an answer that was withheld."""
    message = choice.get("message")
    if not isinstance(message, dict):
        text = choice.get("text")
        return (text if isinstance(text, str) else None), None
    if message.get("refusal") and not message.get("content"):
        raise ContentFilterError(str(message["refusal"]))
    content = message.get("content")
    if isinstance(content, list):  # some servers send a list of parts
        content = "".join(_text(part.get("text")) or "" for part in content if isinstance(part, dict))
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    return (content if isinstance(content, str) else None), (reasoning if isinstance(reasoning, str) else None)


def parse_usage(usage: object) -> Usage:
    """Return the token counts; what is missing or malformed is unknown."""
    if not isinstance(usage, dict):
        return Usage()
    prompt_details = usage.get("prompt_tokens_details")
    completion_details = usage.get("completion_tokens_details")
    return Usage(
        input_tokens=_count(usage.get("prompt_tokens")),
        output_tokens=_count(usage.get("completion_tokens")),
        cached_input_tokens=_count(prompt_details.get("cached_tokens")) if isinstance(prompt_details, dict) else None,
        reasoning_tokens=(
            _count(completion_details.get("reasoning_tokens")) if isinstance(completion_details, dict) else None
        ),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def _metadata(body: dict[str, Any]) -> dict[str, JsonValue]:
    return {name: str(body[name]) for name in ("id", "system_fingerprint") if body.get(name)}


class StreamedAnswer:
    """Puts a streamed answer together. Only a stream that says why it ended gives a completion."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._began_s = began_s
        self._first_s: float | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._raw: list[str] = []
        self._raw_reason: str | None = None
        self._usage = Usage()
        self._model: str | None = None
        self._metadata: dict[str, JsonValue] = {}

    def take(self, data: str, *, now_s: float) -> list[TextDelta]:
        """Take the data of one event and return the pieces of text in it.

        Raises:
            RunnerError: The event is an error.
            ResponseFormatError: It is not a JSON object.
        """
        self._raw.append(data)
        chunk = parse_json(data)
        self._model = _text(chunk.get("model")) or self._model
        self._metadata = _metadata(chunk) or self._metadata
        if isinstance(chunk.get("usage"), dict):
            self._usage = parse_usage(chunk["usage"])
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return []
        deltas = self._deltas(choices[0])
        if deltas and self._first_s is None:
            self._first_s = now_s
        return deltas

    def _deltas(self, choice: dict[str, Any]) -> list[TextDelta]:
        self._raw_reason = _text(choice.get("finish_reason")) or self._raw_reason
        delta = choice.get("delta")
        source = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        deltas = []
        reasoning = source.get("reasoning_content") or source.get("reasoning")
        if isinstance(reasoning, str) and reasoning:
            self._reasoning.append(reasoning)
            deltas.append(TextDelta(text=reasoning, reasoning=True))
        content = source.get("content")
        if isinstance(content, str) and content:
            self._text.append(content)
            deltas.append(TextDelta(text=content))
        return deltas

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        if self._raw_reason is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        if self._raw_reason == "error":
            raise ResponseFormatError("The provider ended the answer with an error.")
        return Completion(
            text="".join(self._text),
            reasoning="".join(self._reasoning) or None,
            finish_reason=finish_reason(self._raw_reason),
            raw_finish_reason=self._raw_reason,
            usage=self._usage,
            latency=Latency(
                ttft_s=None if self._first_s is None else self._first_s - self._began_s,
                e2e_latency_s=now_s - self._began_s,
            ),
            model=self._model,
            raw="\n".join(self._raw),
            metadata=self._metadata,
        )
