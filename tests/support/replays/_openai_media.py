"""Readers of recorded embeddings, pictures and speech in OpenAI's protocol, with OpenAI's own library as the judge."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Mapping
from typing import Any, cast

from openai._models import construct_type
from openai.types import CreateEmbeddingResponse, ImagesResponse

from fieldguide.domain import (
    EmbeddingRequest,
    EmbeddingResult,
    Image,
    ImageRequest,
    ImageResult,
    SpeechRequest,
    SpeechResult,
)
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._media import from_data_url
from fieldguide.runners.openai_media import (
    embedding_body,
    image_call,
    parse_embeddings,
    parse_images,
    parse_speech,
    speech_body,
)
from tests.support.replay import Allowed, Exchange, SkippedError, without_nulls


class MediaReader:
    """Reads and writes under one provider's name."""

    def __init__(self, provider: str) -> None:
        self.provider = provider

    def _extra(self, body: Mapping[str, Any], *known: str) -> dict[str, dict[str, Any]]:
        extra = {name: value for name, value in body.items() if name not in known}
        return {self.provider: extra} if extra else {}

    def _body(self, exchange: Exchange) -> dict[str, Any]:
        if not isinstance(exchange.body, dict) or "model" not in exchange.body:
            raise SkippedError("a request without a model, or as a form")
        return exchange.body

    # -- vectors ------------------------------------------------------------------------------------------------

    def embedding(self, exchange: Exchange) -> EmbeddingRequest:
        body = self._body(exchange)
        given = body["input"]
        texts = (given,) if isinstance(given, str) else tuple(given)
        if not all(isinstance(text, str) for text in texts):
            raise SkippedError("tokens instead of texts")
        extra = self._extra(body, "model", "input", "dimensions")
        return EmbeddingRequest(texts=texts, dimensions=body.get("dimensions"), extra=extra)

    def write_embedding(self, request: EmbeddingRequest, exchange: Exchange) -> Mapping[str, Any]:
        return embedding_body(request, model=exchange.body["model"], provider=self.provider)

    def parse_embedding(self, exchange: Exchange) -> EmbeddingResult:
        _raise(exchange)
        return parse_embeddings(exchange.text, e2e_latency_s=1.0)

    # -- pictures -----------------------------------------------------------------------------------------------

    def image(self, exchange: Exchange) -> ImageRequest:
        body = self._body(exchange)
        images = tuple(_image(each) for each in body.get("images") or ())
        known = ("model", "prompt", "n", "size", "quality", "output_format", "images")
        return ImageRequest(
            prompt=body["prompt"],
            images=images,
            count=body.get("n"),
            size=body.get("size"),
            quality=body.get("quality"),
            output_format=body.get("output_format"),
            extra=self._extra(body, *known),
        )

    def write_image(self, request: ImageRequest, exchange: Exchange) -> Mapping[str, Any]:
        return image_call(request, model=exchange.body["model"], provider=self.provider)[1]

    def parse_image(self, exchange: Exchange) -> ImageResult:
        _raise(exchange)
        return parse_images(exchange.text, e2e_latency_s=1.0, provider=self.provider)

    # -- speech -------------------------------------------------------------------------------------------------

    def speech(self, exchange: Exchange) -> SpeechRequest:
        body = self._body(exchange)
        return SpeechRequest(
            text=body["input"],
            voice=body.get("voice"),
            instructions=body.get("instructions"),
            output_format=body.get("response_format"),
            speed=body.get("speed"),
            extra=self._extra(body, "model", "input", "voice", "instructions", "response_format", "speed"),
        )

    def write_speech(self, request: SpeechRequest, exchange: Exchange) -> Mapping[str, Any]:
        return speech_body(request, model=exchange.body["model"], provider=self.provider)

    def parse_speech(self, exchange: Exchange) -> SpeechResult:
        _raise(exchange)
        return parse_speech(exchange.response, exchange.response_headers, media_type="audio/mpeg", e2e_latency_s=1.0)


def _raise(exchange: Exchange) -> None:
    if exchange.status != 200:
        raise error_of_status(exchange.status, exchange.text, exchange.response_headers)


def _image(given: Mapping[str, Any]) -> Image:
    if "file_id" in given:
        return Image(file_id=given["file_id"])
    found = from_data_url(given["image_url"])
    return Image(url=given["image_url"]) if found is None else Image(data=found[0], media_type=found[1])


def embedding_oracle(exchange: Exchange) -> Any:
    """Return the vectors as OpenAI's library has them: of base64 it makes the floats they stand for."""
    body = json.loads(exchange.text)
    found = cast(CreateEmbeddingResponse, construct_type(type_=CreateEmbeddingResponse, value=body))
    dumped = found.model_dump(mode="json", warnings=False)
    for each in dumped["data"]:
        if isinstance(each["embedding"], str):
            data = base64.b64decode(each["embedding"])
            each["embedding"] = list(struct.unpack(f"<{len(data) // 4}f", data))
    return {"data": dumped["data"], "usage": dumped["usage"], "model": dumped["model"]}


def embedding_restored(result: EmbeddingResult) -> Any:
    """Return the same of ours."""
    vectors = [
        {"object": "embedding", "index": place, "embedding": list(vector)}
        for place, vector in enumerate(result.vectors)
    ]
    return {"data": vectors, "usage": result.raw_usage, "model": result.model}


def image_oracle(exchange: Exchange) -> Any:
    """Return the pictures as OpenAI's library has them."""
    found = cast(ImagesResponse, construct_type(type_=ImagesResponse, value=json.loads(exchange.text)))
    return without_nulls(found.model_dump(mode="json", warnings=False))


def image_restored(result: ImageResult) -> Any:
    """Return the same of ours."""
    data = [
        {
            "url": image.url,
            "b64_json": None if image.data is None else base64.b64encode(image.data).decode(),
            "revised_prompt": prompt,
        }
        for image, prompt in zip(result.images, result.revised_prompts)
    ]
    return {**result.metadata, "usage": result.raw_usage, "data": data}


def speech_oracle(exchange: Exchange) -> Any:
    """Return the sound: the library gives the bytes as they are, and Mistral's those in its JSON."""
    if exchange.response_headers.get("content-type", "").startswith("application/json"):
        return json.loads(exchange.text)["audio_data"]
    return base64.b64encode(exchange.response).decode()


def speech_restored(result: SpeechResult) -> Any:
    """Return the same of ours."""
    return base64.b64encode(result.audio.data or b"").decode()


def _one_list(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body.get("input"), str):
        body["input"] = [body["input"]]
    body.setdefault("encoding_format", "base64")
    return body


EMBEDDING_ALLOWED = (
    Allowed(
        reason="one text stands in a list; vectors come in base64, which is shorter, where nothing else is asked",
        normal=_one_list,
    ),
)
