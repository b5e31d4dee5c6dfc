"""Texts to vectors over InvokeModel: Titan and Nova take one text at a time, Cohere takes many."""

from __future__ import annotations

from collections.abc import Mapping

from fieldguide.domain import EmbeddingRequest, EmbeddingResult, JsonValue, Latency, Usage
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._json import count_of, list_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners.bedrock._content import PROVIDER

_COUNT = "x-amzn-bedrock-input-token-count"


def makes_vectors(model: str) -> bool:
    """Return whether a model id is of one that makes vectors."""
    return "embed" in model.rpartition("/")[2]


def embedding_body(request: EmbeddingRequest, *, model: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request in the words of the model's maker.

    Raises:
        UnsupportedError: It states what the maker has no words for, or more texts than one call takes.
    """
    own = dict(request.extra.get(PROVIDER, {}))
    if "cohere." in model:
        body: dict[str, JsonValue] = {"texts": list(request.texts), "input_type": request.purpose or "search_document"}
        if request.dimensions is not None:
            body["output_dimension"] = request.dimensions
        return body | own
    if len(request.texts) != 1:
        raise UnsupportedError(model, "several texts in one request", hint="Ask for one text at a time.")
    if "nova" in model:
        return _nova(request, own)
    if request.purpose is not None:
        raise UnsupportedError(model, "a purpose of the vectors", hint="Leave `purpose` out.")
    body = {"inputText": request.texts[0]}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body | own


def _nova(request: EmbeddingRequest, own: dict[str, JsonValue]) -> dict[str, JsonValue]:
    params: dict[str, JsonValue] = {
        "embeddingPurpose": request.purpose or "GENERIC_INDEX",
        "text": {"truncationMode": "NONE", "value": request.texts[0]},
    }
    if request.dimensions is not None:
        params["embeddingDimension"] = request.dimensions
    given = own.pop("singleEmbeddingParams", {})
    if isinstance(given, Mapping):
        given = dict(given)
        text = given.pop("text", {})
        params |= given
        params["text"] = {**object_of(params["text"]), **object_of(text)}
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params, **own}


def parse_embeddings(text: str, *, headers: Mapping[str, str], e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors of a response body, in the order of the texts; tokens are counted in a header.

    Raises:
        ResponseFormatError: There is none, or one cannot be read.
    """
    body = parse_object(text)
    if "embedding" in body:
        found = [body["embedding"]]
    elif isinstance(body.get("embeddings"), dict):
        found = list_of(body["embeddings"].get("float"))
    else:
        given = list_of(body.get("embeddings"))
        found = [each.get("embedding") for each in objects_of(given)] or given
    if not found:
        raise ResponseFormatError("The endpoint answered without any vector.")
    counted = {name.lower(): value for name, value in headers.items()}.get(_COUNT, "")
    tokens = int(counted) if counted.isascii() and counted.isdigit() else count_of(body.get("inputTextTokenCount"))
    return EmbeddingResult(
        vectors=tuple(_vector(each) for each in found),
        usage=Usage(input_tokens=tokens),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=None if tokens is None else {"inputTokens": tokens},
        response_id=text_of(body.get("id")),
    )


def _vector(value: object) -> tuple[float, ...]:
    if isinstance(value, list) and value and all(isinstance(each, int | float) for each in value):
        return tuple(float(each) for each in value)
    raise ResponseFormatError("The endpoint answered with a vector that cannot be read.")
