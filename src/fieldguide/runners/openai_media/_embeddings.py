"""Texts to vectors."""

from __future__ import annotations

import struct

from fieldguide.domain import EmbeddingRequest, EmbeddingResult, JsonValue, Latency, Usage
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners._media import from_base64


def embedding_body(request: EmbeddingRequest, *, model: str, provider: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request; vectors come in base64 unless its extra parameters say otherwise.

    Raises:
        UnsupportedError: It states a purpose, for which the protocol has no word.
    """
    if request.purpose is not None:
        raise UnsupportedError("OpenAI's embeddings API", "a purpose of the vectors", hint="Leave `purpose` out.")
    body: dict[str, JsonValue] = {"model": model, "input": list(request.texts), "encoding_format": "base64"}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body | dict(request.extra.get(provider, {}))


def parse_embeddings(text: str, *, e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors of a response body, in the order of the texts.

    Raises:
        ResponseFormatError: A vector is missing or cannot be read.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    data = objects_of(body.get("data"))
    if not data:
        raise ResponseFormatError("The endpoint answered without any vector.")
    order = sorted(data, key=lambda each: count_of(each.get("index")) or 0)
    usage = object_of(body.get("usage"))
    return EmbeddingResult(
        vectors=tuple(_vector(each.get("embedding")) for each in order),
        usage=Usage(input_tokens=count_of(usage.get("prompt_tokens"))),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        model=text_of(body.get("model")),
        raw_usage=body.get("usage"),
        response_id=text_of(body.get("id")),
    )


def _vector(value: object) -> tuple[float, ...]:
    """Return a vector that came as numbers, or as base64 of 32-bit floats in little-endian order."""
    if isinstance(value, str):
        data = from_base64(value)
        if data is not None and len(data) % 4 == 0:
            return struct.unpack(f"<{len(data) // 4}f", data)
    elif isinstance(value, list) and all(isinstance(each, int | float) for each in value):
        return tuple(float(each) for each in value)
    raise ResponseFormatError("The endpoint answered with a vector that cannot be read.")
