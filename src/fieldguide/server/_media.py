"""OpenAI's endpoints for vectors, pictures and speech."""

from __future__ import annotations

import base64
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from fieldguide.app.gateway import Ask, Open
from fieldguide.domain import (
    Audio,
    EmbeddingRequest,
    EmbeddingResult,
    ImageRequest,
    ImageResult,
    JsonValue,
    SpeechRequest,
    SpeechResult,
    TranscriptionRequest,
    TranscriptionResult,
    Usage,
)
from fieldguide.errors import UnsupportedError
from fieldguide.runners import EmbeddingRunner, ImageRunner, SpeechRunner, TranscriptionRunner
from fieldguide.server._answering import asked, headers_of, whole
from fieldguide.server._chat_write import dumped
from fieldguide.server._errors import RequestError
from fieldguide.server._form import Part, read_form
from fieldguide.server._message import AnyReply, Call, Reply
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
    if form not in {"float", "base64"}:
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

    tokens = _MOST_OUTPUT_TOKENS_OF_A_PICTURE
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


async def speech(site: Site, call: Call) -> AnyReply:
    """Read a text aloud."""
    body = parse_body(call.body)
    ask = asked(call, body, "speech")

    def request_for(model: Open) -> SpeechRequest:
        fields = Fields(body, "", ask.notes)
        for name in ("model", "stream_format"):
            fields.get(name)
        voice = fields.get("voice")
        if isinstance(voice, dict):
            voice = voice.get("id")
        request = SpeechRequest(
            text=fields.needed_text("input"),
            voice=voice if isinstance(voice, str) else None,
            instructions=fields.text("instructions"),
            output_format=fields.text("response_format"),
            speed=fields.number("speed"),
        )
        fields.end()
        return request

    async def act(model: Open, request: SpeechRequest) -> object:
        runner = model.runner
        if not (runner.capabilities.text_to_speech and isinstance(runner, SpeechRunner)):
            raise UnsupportedError(ask.model, "reading aloud")
        return await runner.speak(request)

    result = cast(SpeechResult, await site.gateway.perform(ask, request_for, act))
    kind = result.audio.media_type or "application/octet-stream"
    return Reply(body=result.audio.data or b"", content_type=kind, headers=headers_of(ask, call))


async def transcriptions(site: Site, call: Call) -> AnyReply:
    """Write down what is said."""
    return await _transcribed(site, call, "transcriptions")


async def translations(site: Site, call: Call) -> AnyReply:
    """Refuse to write down in English what is said: no runner translates speech."""
    return await _transcribed(site, call, "translations")


async def _transcribed(site: Site, call: Call, endpoint: str) -> AnyReply:
    parts = await read_form(call.head.headers["content-type"], call.body)
    file = parts.get("file")
    if file is None or not file.data:
        raise RequestError("file is missing or empty.", param="file")
    body = {name: part.text for name, part in parts.items() if name != "file"}
    ask = asked(call, body, endpoint)
    form = body.get("response_format") or "json"
    if form not in {"json", "text", "verbose_json"}:
        raise RequestError(f"The form {form!r} of a transcription is not offered.", param="response_format")

    def request_for(model: Open) -> TranscriptionRequest:
        if endpoint == "translations":
            raise UnsupportedError(ask.model, "translating speech", hint="Ask /v1/audio/transcriptions instead.")
        return _transcription_request(body, file, ask, segments=form == "verbose_json")

    async def act(model: Open, request: TranscriptionRequest) -> object:
        runner = model.runner
        if not (runner.capabilities.speech_to_text and isinstance(runner, TranscriptionRunner)):
            raise UnsupportedError(ask.model, "writing down speech")
        return await runner.transcribe(request)

    result = cast(TranscriptionResult, await site.gateway.perform(ask, request_for, act))
    if form == "text":
        return Reply(body=result.text.encode(), content_type="text/plain; charset=utf-8", headers=headers_of(ask, call))
    value: dict[str, Any] = {"text": result.text}
    if form == "verbose_json":
        value |= {"task": "transcribe", "language": result.language, "duration": result.duration_s}
        value["segments"] = list(result.segments)
    if result.raw_usage is not None:
        value["usage"] = result.raw_usage
    return whole(ask, call, dumped({name: each for name, each in value.items() if each is not None}))


def _transcription_request(body: dict[str, str], file: Part, ask: Ask, *, segments: bool) -> TranscriptionRequest:
    known = {"model", "language", "prompt", "temperature", "response_format"}
    for name in body:
        if name.split("[")[0] not in known and name not in ask.notes:
            ask.notes.append(name)
    temperature = body.get("temperature")
    try:
        warmth = None if temperature is None else float(temperature)
    except ValueError:
        raise RequestError("temperature is not a number.", param="temperature") from None
    return TranscriptionRequest(
        audio=Audio(data=file.data, media_type=file.media_type),
        language=body.get("language"),
        prompt=body.get("prompt"),
        temperature=warmth,
        segments=segments,
    )
