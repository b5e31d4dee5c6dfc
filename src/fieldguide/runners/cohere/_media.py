"""Vectors, order by relevance, and speech written down."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.domain import (
    EmbeddingRequest,
    EmbeddingResult,
    JsonValue,
    Latency,
    TranscriptionRequest,
    TranscriptionResult,
    Usage,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._json import count_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners._media import format_of, media_type_of
from fieldguide.runners._transport import FormPart
from fieldguide.runners.cohere._errors import error_in
from fieldguide.runners.cohere._request import PROVIDER

DEFAULT_PURPOSE = "search_document"
"""Purpose of vectors for which none is stated: the API requires one."""


def embedding_body(request: EmbeddingRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request for vectors."""
    body: dict[str, JsonValue] = {
        "model": model,
        "input_type": request.purpose or DEFAULT_PURPOSE,
        "embedding_types": ["float"],
        "texts": list(request.texts),
    }
    if request.dimensions is not None:
        body["output_dimension"] = request.dimensions
    return body | dict(request.extra.get(PROVIDER, {}))


def parse_embeddings(text: str, *, e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors of a response body, of the first type in it.

    Raises:
        ResponseFormatError: There is none, or one cannot be read.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if isinstance(body.get("message"), str):
        raise error_in(body)
    by_type = object_of(body.get("embeddings"))
    found = next((each for each in (by_type.get("float"), *by_type.values()) if isinstance(each, list) and each), None)
    if found is None:
        raise ResponseFormatError("The endpoint answered without any vector.")
    meta = object_of(body.get("meta"))
    return EmbeddingResult(
        vectors=tuple(_vector(each) for each in found),
        usage=Usage(input_tokens=count_of(object_of(meta.get("billed_units")).get("input_tokens"))),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=body.get("meta"),
        response_id=text_of(body.get("id")),
    )


def _vector(value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or not all(isinstance(each, int | float) for each in value):
        raise ResponseFormatError("The endpoint answered with a vector that cannot be read.")
    return tuple(float(each) for each in value)


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankRequest:
    """Texts to put in the order of their relevance to a question."""

    query: str
    documents: tuple[str, ...]
    top_n: int | None = None
    """Return so many of them; None returns all."""
    max_tokens_per_document: int | None = None
    """Read no more of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """One of the texts."""

    index: int
    """Its place in the request, from 0."""
    relevance: float
    """From 0 to 1, comparable within one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankResult:
    """The texts, the most relevant first."""

    ranked: tuple[Ranked, ...]
    latency: Latency
    response_id: str | None = None
    raw_usage: JsonValue = None


def rerank_body(request: RerankRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request for an order."""
    body: dict[str, JsonValue] = {"model": model, "query": request.query, "documents": list(request.documents)}
    optional = {"top_n": request.top_n, "max_tokens_per_doc": request.max_tokens_per_document}
    return body | {name: value for name, value in optional.items() if value is not None}


def parse_ranks(text: str, *, e2e_latency_s: float) -> RerankResult:
    """Return the order in a response body.

    Raises:
        ResponseFormatError: There is none, or one of its entries cannot be read.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if isinstance(body.get("message"), str):
        raise error_in(body)
    if not isinstance(body.get("results"), list):
        raise ResponseFormatError("The endpoint answered without any order.")
    return RerankResult(
        ranked=tuple(_ranked(each) for each in objects_of(body["results"])),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        response_id=text_of(body.get("id")),
        raw_usage=body.get("meta"),
    )


def _ranked(each: dict[str, JsonValue]) -> Ranked:
    index, score = count_of(each.get("index")), each.get("relevance_score")
    if index is None or not isinstance(score, int | float):
        raise ResponseFormatError("The endpoint answered with an order that cannot be read.")
    return Ranked(index=index, relevance=float(score))


def transcription_form(request: TranscriptionRequest, *, model: str) -> tuple[FormPart, ...]:
    """Return the form of a request to write speech down.

    Raises:
        UnsupportedError: It lacks the language, which the API requires, or asks for what the API has no words for.
    """
    api = "Cohere's transcription API"
    if request.audio.data is None:
        raise UnsupportedError(api, "sound that is not given by its bytes")
    if request.language is None:
        raise UnsupportedError(api, "speech in a language that is not named", hint="Name it, such as `en`.")
    if request.prompt is not None or request.segments or request.words:
        raise UnsupportedError(api, "a prompt, and the times of parts", hint="Leave both out.")
    if request.translate:
        raise UnsupportedError(api, "translating speech", hint="Ask another model, such as Whisper.")
    fields: dict[str, JsonValue] = {
        "model": model,
        "language": request.language,
        "temperature": request.temperature,
        **request.extra.get(PROVIDER, {}),
    }
    values = [FormPart(name=name, value=str(value)) for name, value in fields.items() if value is not None]
    file_name = f"audio.{format_of(request.audio)}"
    media_type = media_type_of(request.audio)
    return (*values, FormPart(name="file", value=request.audio.data, file_name=file_name, media_type=media_type))


def parse_transcription(text: str, *, e2e_latency_s: float) -> TranscriptionResult:
    """Return what is said, of a response body.

    Raises:
        ResponseFormatError: It holds no text.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if isinstance(body.get("message"), str):
        raise error_in(body)
    said = text_of(body.get("text"))
    if said is None:
        raise ResponseFormatError("The endpoint answered without any text.")
    return TranscriptionResult(
        text=said, latency=Latency(e2e_latency_s=e2e_latency_s), raw_usage=body.get("usage"), raw=text
    )
