"""The body of Hugging Face's containers and of JumpStart: `inputs` and `parameters`, answered by generated text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fieldguide.domain import (
    Completion,
    CompletionRequest,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    StreamPiece,
    TokenLogprob,
    Usage,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._blocks import Blocks, words
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, list_of, object_of, objects_of, text_of

PROVIDER = "sagemaker"
_FINISH_REASONS = {
    "length": FinishReason.LENGTH,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "stop": FinishReason.STOP,
}


def inputs_body(request: CompletionRequest, *, stream: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a request: a text, or turns as JumpStart's first chat models take them.

    Hugging Face's first containers repeat the prompt before the answer unless told not to, so they are told.

    Raises:
        UnsupportedError: A turn holds something else than words.
    """
    parameters: dict[str, JsonValue] = {
        "max_new_tokens": request.max_output_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "stop": list(request.stop) or None,
        "seed": request.seed,
        "details": None if request.logprobs is None else True,
        "top_n_tokens": request.logprobs or None,
    }
    body: dict[str, JsonValue] = {"inputs": request.prompt}
    if request.messages is not None:
        body["inputs"] = [[_turn(message) for message in request.messages]]
    else:
        parameters["return_full_text"] = False
    if set_ := {name: value for name, value in parameters.items() if value is not None}:
        body["parameters"] = set_
    if stream:
        body["stream"] = True
    return _joined(body, request.extra.get(PROVIDER, {}))


def _joined(body: dict[str, JsonValue], extra: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    joined = body | dict(extra)
    known, more = body.get("parameters"), extra.get("parameters")
    if isinstance(known, Mapping) and isinstance(more, Mapping):
        joined["parameters"] = {**known, **more}
    return joined


def _turn(message: Message) -> JsonValue:
    if message.name is not None or message.role in {"tool", "developer"}:
        raise UnsupportedError("this container", f"a turn of the role {message.role}, or named")
    if not isinstance(message.content, str) and any(type(block).__name__ != "Text" for block in message.blocks):
        raise UnsupportedError("this container", "anything else than words in a turn")
    return {"role": message.role, "content": message.text}


def parse_generated(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body, in any of the containers' forms.

    Raises:
        ResponseFormatError: It holds no text.
        RunnerError: It is an error in disguise.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResponseFormatError("The endpoint answered with something that is not JSON.") from error
    given = object_of(body[0] if isinstance(body, list) and body else body)
    if given.get("error"):
        raise error_in_body(given, status=200)
    said, role = _said(given)
    if said is None:
        raise ResponseFormatError("The endpoint answered without a text.")
    details = object_of(given.get("details"))
    reason = text_of(details.get("finish_reason"))
    return Completion(
        text=said,
        finish_reason=_FINISH_REASONS.get(reason or "", FinishReason.UNKNOWN),
        raw_finish_reason=reason,
        usage=_usage(details),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw=text,
        metadata={"role": role} if role else {},
        logprobs=_tokens(details.get("tokens"), details.get("top_tokens")) or None,
        raw_usage=further(details, "tokens", "prefill", "top_tokens") or None,
    )


def _said(given: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return text and role of an answer: a text, the first of a list of texts, or a turn."""
    found = next((given[name] for name in ("generated_text", "generation", "outputs") if name in given), None)
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict):
        return text_of(found.get("content")) or text_of(found.get("generated_text")), text_of(found.get("role"))
    return text_of(found), None


def _usage(details: dict[str, Any]) -> Usage:
    prefill = details.get("prefill")
    read = count_of(details.get("input_length"))
    if read is None and isinstance(prefill, list) and prefill:
        read = len(prefill)
    return Usage(input_tokens=read, output_tokens=count_of(details.get("generated_tokens")))


def _tokens(given: object, others: object) -> tuple[TokenLogprob, ...]:
    """Return the tokens whose probability is told, each with the likeliest others where those are told."""
    found, tops = [], list_of(others)
    for place, each in enumerate(objects_of(given)):
        value = each.get("logprob", each.get("log_prob"))
        if isinstance(value, int | float):
            found.append(
                TokenLogprob(
                    token=text_of(each.get("text")) or "",
                    logprob=float(value),
                    alternatives=_tokens(tops[place], None) if place < len(tops) else (),
                )
            )
    return tuple(found)


class StreamedText:
    """Puts a streamed text together: tokens, and last the details."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._blocks = Blocks(PROVIDER, began_s=began_s)
        self._raw: list[str] = []
        self._details: dict[str, Any] = {}
        self._tokens: list[TokenLogprob] = []
        self._ended = False

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take one line, with or without the `data:` of an event, and return the pieces in it.

        Raises:
            RunnerError: The line is an error.
            ResponseFormatError: It is not JSON.
        """
        line = data.removeprefix("data:").strip()
        if not line or line == "[DONE]" or line.startswith((":", "event:", "id:")):
            return []
        self._raw.append(line)
        try:
            body = object_of(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise ResponseFormatError("A line of the stream is not JSON.") from error
        if body.get("error"):
            raise error_in_body(body, status=200)
        token = object_of(body.get("token"))
        said = text_of(token.get("text"))
        pieces = self._blocks.add(0, "text", said, now_s=now_s) if said and not token.get("special") else []
        self._tokens += _tokens([token], [body.get("top_tokens")])
        if body.get("generated_text") is not None or body.get("details"):
            self._details, self._ended = object_of(body.get("details")), True
            pieces += self._blocks.end_all()
        return pieces

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without its last word, as one does that was cut.
        """
        if not self._ended:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        blocks = self._blocks.made
        reason = text_of(self._details.get("finish_reason"))
        return Completion(
            text=words(blocks),
            finish_reason=_FINISH_REASONS.get(reason or "", FinishReason.UNKNOWN),
            raw_finish_reason=reason,
            usage=_usage(self._details),
            latency=self._blocks.latency(now_s=now_s),
            raw="\n".join(self._raw),
            logprobs=tuple(self._tokens) or None,
            raw_usage=further(self._details, "tokens", "prefill", "top_tokens") or None,
        )
