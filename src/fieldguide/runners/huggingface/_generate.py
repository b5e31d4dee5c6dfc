"""Texts to continue, in the language of Hugging Face's text-generation-inference (TGI)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from fieldguide.domain import (
    Completion,
    CompletionRequest,
    JsonValue,
    Latency,
    Message,
    StreamPiece,
    Text,
    TokenLogprob,
    Usage,
)
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._blocks import Blocks
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, list_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners._sse import events
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.openai_chat import finish_reason

PROVIDER = "huggingface"


def generate_body(request: CompletionRequest, *, stream: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a text to continue; it is not repeated in the answer, which tells its tokens."""
    parameters: dict[str, JsonValue] = {"return_full_text": False, "details": True}
    parameters |= {name: value for name, value in _parameters(request) if value is not None}
    body: dict[str, JsonValue] = {"inputs": request.prompt}
    own = dict(request.extra.get(PROVIDER, {}))
    body["parameters"] = parameters | object_of(own.pop("parameters", None))
    if stream:
        body["stream"] = True
    return body | own


def _parameters(request: CompletionRequest) -> Iterator[tuple[str, JsonValue]]:
    yield "max_new_tokens", request.max_output_tokens
    yield "temperature", request.temperature
    yield "top_p", request.top_p
    yield "top_k", request.top_k
    yield "seed", request.seed
    yield "stop", list(request.stop) or None
    yield "top_n_tokens", request.logprobs or None


def parse_generated(text: str, *, e2e_latency_s: float) -> Completion:
    """Return the completion of a whole response body: an object, or a list of one.

    Raises:
        ResponseFormatError: It holds no generated text.
        RunnerError: It is an error in disguise.
    """
    body = _first(text)
    said = text_of(body.get("generated_text"))
    if said is None:
        raise ResponseFormatError("The endpoint answered without any generated text.")
    details = object_of(body.get("details"))
    tokens = [each for each in objects_of(details.get("tokens")) if "logprob" in each]
    return _completion(said, body, tokens, latency=Latency(e2e_latency_s=e2e_latency_s), raw=text)


def _first(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    body = given[0] if isinstance(given, list) and given and isinstance(given[0], dict) else parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    return dict(body)


def _completion(said: str, body: dict[str, Any], tokens: list[dict[str, Any]], **known: Any) -> Completion:
    """Return the completion of a text; `body` is the response, or the last event."""
    details = object_of(body.get("details"))
    reason = text_of(details.get("finish_reason"))
    prefill = list_of(details.get("prefill"))
    metadata: dict[str, JsonValue] = dict(further(body, "generated_text", "details", "token", "index"))
    if own := further(details, "tokens", "finish_reason"):
        metadata["details"] = own
    return Completion(
        text=said,
        finish_reason=finish_reason(reason),
        raw_finish_reason=reason,
        usage=Usage(
            input_tokens=count_of(details.get("input_length")) or len(prefill) or None,
            output_tokens=count_of(details.get("generated_tokens")),
        ),
        message=Message(role="assistant", content=(Text(text=said),) if said else ()),
        logprobs=tuple(_token(token) for token in tokens) or None,
        metadata=metadata,
        raw_usage=further(details, "tokens", "finish_reason") or None,
        **known,
    )


def _token(token: dict[str, Any]) -> TokenLogprob:
    value = token.get("logprob")
    return TokenLogprob(
        token=text_of(token.get("text")) or "", logprob=float(value) if isinstance(value, int | float) else float("nan")
    )


class StreamedText:
    """Puts a streamed text together. Only a stream that ends with the whole text gives a completion."""

    def __init__(self, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._blocks = Blocks(PROVIDER, began_s=began_s)
        self._raw: list[str] = []
        self._tokens: list[dict[str, Any]] = []
        self._last: dict[str, Any] | None = None

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take the data of one event and return the pieces in it; tokens that only mark an end are no words.

        Raises:
            RunnerError: The event is an error, or no JSON object.
        """
        self._raw.append(data)
        event = _first(data)
        token = object_of(event.get("token"))
        if "logprob" in token:
            self._tokens.append(token)
        said = "" if token.get("special") else text_of(token.get("text"))
        pieces = self._blocks.add("text", "text", said, now_s=now_s) if said else []
        if isinstance(event.get("generated_text"), str):
            self._last = event
            pieces += self._blocks.end_all()
        return pieces

    def completion(self, *, now_s: float) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream was cut.
        """
        if self._last is None:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        said = "".join(block.text for block in self._blocks.made if isinstance(block, Text))
        latency = self._blocks.latency(now_s=now_s)
        return _completion(said, self._last, self._tokens, latency=latency, raw="\n".join(self._raw))


class GenerateWire:
    """One model at one address, which is asked itself."""

    def __init__(self, url: str, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, the key among them."""
        self._url, self._headers = url, headers

    @property
    def provider(self) -> str:
        """Hugging Face's name."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        return HttpCall(url=self._url, json=generate_body(request, stream=stream), headers=self._headers)

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body."""
        return parse_generated(text, e2e_latency_s=e2e_latency_s)

    async def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield the data of the events up to the one that says that all were sent."""
        async for data in events(pieces):
            if data.strip() == "[DONE]":
                return
            yield data

    def streamed(self, *, began_s: float) -> StreamedText:
        """Return what puts a streamed answer together."""
        return StreamedText(began_s=began_s)
