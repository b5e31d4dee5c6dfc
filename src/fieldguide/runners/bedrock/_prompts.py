"""Plain texts to continue over InvokeModel, in the bodies of Titan, Llama, Mistral and Cohere's Command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from fieldguide.domain import Completion, CompletionRequest, FinishReason, JsonValue, Latency, StreamPiece, Usage
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._blocks import Blocks, words
from fieldguide.runners._json import count_of, further, object_of, objects_of, parse_object, text_of
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.bedrock._content import PROVIDER
from fieldguide.runners.bedrock._wire import address, chunk_frames

_LENGTH = {"length", "max_tokens", "LENGTH", "MAX_TOKENS"}
_STOP = {"stop", "FINISH", "FINISHED", "COMPLETE", "STOP_CRITERIA_MET", "stop_sequence", "endoftext"}
_FILTER = {"CONTENT_FILTERED", "ERROR_TOXIC"}
_METRICS = "amazon-bedrock-invocationMetrics"
_ACTION = "amazon-bedrock-guardrailAction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Names of one maker's body."""

    prompt: str = "prompt"
    max_tokens: str
    top_p: str = "top_p"
    stop: str | None = None
    config: str | None = None
    """Object that holds the parameters; None where they stand beside the prompt."""
    answers: str | None = None
    """List that holds the answer; None where it stands in the body itself."""
    text: str
    reason: str
    input_tokens: str | None = None
    output_tokens: tuple[str, ...] = ()
    asks_for_stream: bool = False
    """Whether the body says that a stream is wanted."""


_FORMS = {
    "amazon.titan": Form(
        prompt="inputText",
        max_tokens="maxTokenCount",
        top_p="topP",
        stop="stopSequences",
        config="textGenerationConfig",
        answers="results",
        text="outputText",
        reason="completionReason",
        input_tokens="inputTextTokenCount",
        output_tokens=("tokenCount", "totalOutputTextTokenCount"),
    ),
    "meta": Form(
        max_tokens="max_gen_len",
        text="generation",
        reason="stop_reason",
        input_tokens="prompt_token_count",
        output_tokens=("generation_token_count",),
    ),
    "mistral": Form(max_tokens="max_tokens", stop="stop", answers="outputs", text="text", reason="stop_reason"),
    "cohere": Form(
        max_tokens="max_tokens",
        top_p="p",
        stop="stop_sequences",
        answers="generations",
        text="text",
        reason="finish_reason",
        asks_for_stream=True,
    ),
}


def form_of(family: str | None) -> Form | None:
    """Return the form of a family's body; None where it has none of this kind."""
    return _FORMS.get(family or "")


def prompt_body(request: CompletionRequest, form: Form, *, stream: bool) -> dict[str, JsonValue]:
    """Return the JSON body of a request for a text to be continued.

    Raises:
        UnsupportedError: It holds something for which the maker has no words.
    """
    if request.stop and form.stop is None:
        raise UnsupportedError("this model's body", "stop texts", hint="Leave the stop texts out.")
    given: dict[str, JsonValue] = {
        form.max_tokens: request.max_output_tokens,
        "temperature": request.temperature,
        form.top_p: request.top_p,
        form.stop or "": list(request.stop) or None,
    }
    params = {name: value for name, value in given.items() if value is not None}
    body: dict[str, JsonValue] = {form.prompt: request.prompt}
    if form.config is None:
        body |= params
    elif params:
        body[form.config] = params
    if stream and form.asks_for_stream:
        body["stream"] = True
    return body | dict(request.extra.get(PROVIDER, {}))


class PromptWire:
    """One model over InvokeModel that continues texts."""

    def __init__(self, base_url: str, model: str, form: Form, *, headers: Mapping[str, str]) -> None:
        """`headers` go with every request, a bearer key among them."""
        self._base_url, self._model, self._form, self._headers = base_url, model, form, headers

    @property
    def provider(self) -> str:
        """The name under which further parameters are found."""
        return PROVIDER

    def call(self, request: CompletionRequest, *, stream: bool) -> HttpCall:
        """Return the request."""
        operation = "invoke-with-response-stream" if stream else "invoke"
        return HttpCall(
            url=address(self._base_url, self._model, operation),
            json=prompt_body(request, self._form, stream=stream),
            headers=self._headers,
        )

    def completion(self, text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> Completion:
        """Return the completion of a whole response body; counts that it lacks stand in headers."""
        answer = StreamedText(self._form, began_s=0.0)
        answer.take(text, now_s=0.0)
        answer.count(headers)
        return answer.completion(now_s=e2e_latency_s, streamed=False)

    def frames(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
        """Yield what the model says in each chunk."""
        return chunk_frames(pieces)

    def streamed(self, *, began_s: float) -> StreamedText:
        """Return what puts a streamed answer together."""
        return StreamedText(self._form, began_s=began_s)


class StreamedText:
    """Puts a text together, from one body or from chunks of the same form."""

    def __init__(self, form: Form, *, began_s: float) -> None:
        """Begin at `began_s` (monotonic seconds), when the request was sent."""
        self._form, self._blocks = form, Blocks(PROVIDER, began_s=began_s)
        self._raw: list[str] = []
        self._reason: str | None = None
        self._filtered = False
        self._input: int | None = None
        self._output: int | None = None
        self._rest: dict[str, JsonValue] = {}

    def take(self, data: str, *, now_s: float) -> list[StreamPiece]:
        """Take a chunk and return the pieces in it.

        Raises:
            ResponseFormatError: It holds no text.
        """
        self._raw.append(data)
        body, form = parse_object(data), self._form
        inner = objects_of(body.get(form.answers)) if form.answers else []
        given = inner[0] if inner else body
        self._reason = text_of(given.get(form.reason)) or self._reason
        self._filtered = self._filtered or body.get(_ACTION) == "INTERVENED"
        self._count(body, given)
        known = (form.text, form.reason, form.answers or "", "index", "is_finished", "prompt")
        self._rest |= further(body, *known)
        if not isinstance(given.get(form.text), str):
            if self._reason is None and _METRICS not in body:
                raise ResponseFormatError("The endpoint answered without a text.")
            return []
        pieces = self._blocks.add(0, "text", given[form.text], now_s=now_s)
        return pieces if self._reason is None and not self._filtered else [*pieces, *self._blocks.end_all()]

    def _count(self, body: dict[str, Any], given: dict[str, Any]) -> None:
        metrics = object_of(body.get(_METRICS))
        for value in (body.get(self._form.input_tokens or ""), metrics.get("inputTokenCount")):
            self._input = _whole(value) if _whole(value) is not None else self._input
        counts = [given.get(name) for name in self._form.output_tokens]
        for value in (*counts, metrics.get("outputTokenCount")):
            self._output = _whole(value) if _whole(value) is not None else self._output

    def count(self, headers: Mapping[str, str]) -> None:
        """Take the counts that stand in a response's headers."""
        found = {name.lower(): value for name, value in headers.items()}
        self._input = _number(found.get("x-amzn-bedrock-input-token-count"), self._input)
        self._output = _number(found.get("x-amzn-bedrock-output-token-count"), self._output)

    def completion(self, *, now_s: float, streamed: bool = True) -> Completion:
        """Return the whole answer, once the stream has ended.

        Raises:
            ResponseFormatError: The stream ended without saying why, as one does that was cut.
        """
        if self._reason is None and not self._filtered:
            raise ResponseFormatError("The stream broke off before the answer was complete.")
        blocks = self._blocks.made
        counts = {"inputTokens": self._input, "outputTokens": self._output}
        latency = self._blocks.latency(now_s=now_s) if streamed else Latency(e2e_latency_s=now_s)
        return Completion(
            text=words(blocks),
            finish_reason=FinishReason.CONTENT_FILTER if self._filtered else _finish(self._reason),
            raw_finish_reason=self._reason,
            usage=Usage(input_tokens=self._input, output_tokens=self._output),
            latency=latency,
            raw="\n".join(self._raw),
            metadata=self._rest,
            raw_usage={name: value for name, value in counts.items() if value is not None} or None,
        )


def _finish(reason: str | None) -> FinishReason:
    if reason in _LENGTH:
        return FinishReason.LENGTH
    if reason in _FILTER:
        return FinishReason.CONTENT_FILTER
    return FinishReason.STOP if reason in _STOP else FinishReason.UNKNOWN


def _whole(value: object) -> int | None:
    """Return a count; Titan behind a guardrail writes whole numbers with a fraction of 0."""
    return count_of(int(value)) if isinstance(value, float) and value.is_integer() else count_of(value)


def _number(text: str | None, known: int | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else known
