"""OpenAI's endpoints for vectors and pictures."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from fieldguide.app.gateway import Ask, Open
from fieldguide.domain import (
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    JsonValue,
    Usage,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners import EmbeddingRunner, ImageRunner
from fieldguide.server._answering import asked, whole
from fieldguide.server._chat_write import dumped
from fieldguide.server._errors import RequestError
from fieldguide.server._message import AnyReply, Call
from fieldguide.server._reading import Fields, parse_body

if TYPE_CHECKING:
    from fieldguide.server._site import Site

_IMAGE_FIELDS = ("background", "moderation", "output_compression", "style", "user", "input_fidelity")
_MOST_OUTPUT_TOKENS_OF_A_PICTURE = 8192


async def embed(site: Site, ask: Ask, request_for: Callable[[Open], EmbeddingRequest]) -> object:
    """Return the vectors of texts."""

    async def act(model: Open, request: EmbeddingRequest) -> object:
        runner = model.runner
        if not (runner.capabilities.embeddings and isinstance(runner, EmbeddingRunner)):
            raise UnsupportedError(ask.model, "embeddings")
        return await runner.embed(request)

    return await site.gateway.perform(ask, request_for, act)


async def embeddings(site: Site, call: Call) -> AnyReply:
    """Turn texts into vectors."""
    body = parse_body(call.body)
    ask = asked(call, body, "embeddings")
    form = body.get("encoding_format") or "float"
    if form not in ("float", "base64"):
        raise RequestError("encoding_format is neither `float` nor `base64`.", param="encoding_format")
    result = cast(EmbeddingResult, await embed(site, ask, lambda model: _embedding_request(body, model, ask)))
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if form == "base64" else list(vector)}
        for index, vector in enumerate(result.vectors)
    ]
    counted = result.usage.input_tokens or 0
    usage = {"prompt_tokens": counted, "total_tokens": counted}
    value = {"object": "list", "data": data, "model": result.model or ask.model, "usage": usage}
    return whole(ask, call, dumped(value))


def _embedding_request(body: dict[str, Any], model: Open, ask: Ask) -> EmbeddingRequest:
    fields = Fields(body, "", ask.notes)
    for name in ("model", "encoding_format"):
        fields.get(name)
    texts = fields.texts("input")
    if not texts or not all(texts):
        raise RequestError("input holds no text, or an empty one; lists of tokens are not taken.", param="input")
    dimensions = fields.count("dimensions", least=1)
    extra = _extra(fields, model, ("user",))
    fields.end()
    return EmbeddingRequest(texts=texts, dimensions=dimensions, extra=extra)


def _packed(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _extra(fields: Fields, model: Open, names: tuple[str, ...]) -> dict[str, dict[str, JsonValue]]:
    given = fields.own(names)
    if model.takes_chat_fields:
        return {model.provider: given} if given else {}
    for name in given:
        fields.note(name)
    return {}


async def images(site: Site, call: Call) -> AnyReply:
    """Make pictures."""
    body = parse_body(call.body)
    ask = asked(call, body, "images")

    def request_for(model: Open) -> ImageRequest:
        fields = Fields(body, "", ask.notes)
        for name in ("model", "stream"):
            fields.get(name)
        if body.get("stream"):
            raise RequestError("Pictures are not streamed here.", param="stream")
        extra_names = (*_IMAGE_FIELDS, "response_format")
        request = ImageRequest(
            prompt=fields.needed_text("prompt"),
            count=fields.count("n", least=1),
            size=fields.text("size"),
            quality=fields.text("quality"),
            output_format=fields.text("output_format"),
            extra=_extra(fields, model, extra_names),
        )
        fields.end()
        return request

    async def act(model: Open, request: ImageRequest) -> object:
        runner = model.runner
        if not (runner.capabilities.image_generation and isinstance(runner, ImageRunner)):
            raise UnsupportedError(ask.model, "making pictures")
        return await runner.make_images(request)

    tokens = _MOST_OUTPUT_TOKENS_OF_A_PICTURE * (Fields(body, "", ask.notes).count("n", least=1) or 1)
    result = cast(ImageResult, await site.gateway.perform(ask, request_for, act, output_tokens=tokens))
    data = []
    for place, image in enumerate(result.images):
        each: dict[str, Any] = (
            {"url": image.url} if image.data is None else {"b64_json": base64.b64encode(image.data).decode("ascii")}
        )
        if place < len(result.revised_prompts) and result.revised_prompts[place]:
            each["revised_prompt"] = result.revised_prompts[place]
        data.append(each)
    known = {name: value for name, value in result.metadata.items() if name != "created"}
    value = {"created": int(time.time()), "data": data, **known, "usage": _image_usage(result)}
    return whole(ask, call, dumped({name: each for name, each in value.items() if each is not None}))


def _image_usage(result: ImageResult) -> JsonValue:
    if isinstance(result.raw_usage, dict):
        return cast(JsonValue, result.raw_usage)
    usage: Usage = result.usage
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
