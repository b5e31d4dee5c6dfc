"""Vectors, pictures and speech: `batchEmbedContents`, and `generateContent` with other modalities than text."""

from __future__ import annotations

import io
import re
import wave
from typing import Any

from fieldguide.domain import (
    Audio,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    EmbeddingResult,
    FinishReason,
    Image,
    ImageRequest,
    ImageResult,
    JsonValue,
    Latency,
    Message,
    SpeechRequest,
    SpeechResult,
    Text,
    Usage,
)
from fieldguide.errors import ContentFilterError, FieldguideError, ResponseFormatError, UnsupportedError
from fieldguide.runners._json import count_of, list_of, object_of, objects_of, parse_object, total
from fieldguide.runners.gemini._content import API, merged
from fieldguide.runners.gemini._errors import error_in

_PCM = re.compile(r"audio/(?:L16|pcm)\b.*?(?:rate=(?P<rate>\d+)|$)", re.I)
_RATIO, _SIZE = re.compile(r"\d+:\d+"), re.compile(r"\d+K")


def embedding_body(request: EmbeddingRequest, *, model: str, provider: str) -> dict[str, JsonValue]:
    """Return the body of `batchEmbedContents`; extra parameters go with each text."""
    common: dict[str, JsonValue] = {"model": model}
    if request.purpose is not None:
        common["taskType"] = request.purpose
    if request.dimensions is not None:
        common["outputDimensionality"] = request.dimensions
    common |= request.extra.get(provider, {})
    return {"requests": [{**common, "content": {"parts": [{"text": text}]}} for text in request.texts]}


def parse_embeddings(text: str, *, e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors of a response, of whichever method gave them.

    Raises:
        ResponseFormatError: There is none, or one cannot be read.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in(body)
    predicted = [object_of(each.get("embeddings")) for each in objects_of(body.get("predictions"))]
    found = predicted or objects_of(body.get("embeddings")) or objects_of([body.get("embedding")])
    if not found:
        raise ResponseFormatError("The endpoint answered without any vector.")
    statistics = [count_of(object_of(each.get("statistics")).get("token_count")) for each in predicted]
    told: dict[str, JsonValue] = {
        **object_of(body.get("metadata")),
        "statistics": [each.get("statistics") for each in predicted],
    }
    counted = count_of(object_of(body.get("usageMetadata")).get("promptTokenCount"))
    return EmbeddingResult(
        vectors=tuple(_vector(each.get("values")) for each in found),
        usage=Usage(input_tokens=total(*statistics) if predicted else counted),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=told if predicted else body.get("usageMetadata"),
    )


def _vector(value: object) -> tuple[float, ...]:
    numbers = list_of(value)
    if not numbers or not all(isinstance(each, int | float) for each in numbers):
        raise ResponseFormatError("The endpoint answered with a vector that cannot be read.")
    return tuple(float(each) for each in numbers)


def image_request(request: ImageRequest, *, provider: str) -> CompletionRequest:
    """Return the conversation that makes a picture; `size` is a ratio (`16:9`) or a scale (`1K`, `2K`, `4K`).

    Raises:
        UnsupportedError: It asks for what these models cannot be told.
    """
    for wanted, what in (
        (request.mask, "a mask"),
        (request.quality, "a choice of quality"),
        (request.output_format, "a choice of format"),
        (None if request.count in {None, 1} else request.count, "several pictures at once"),
    ):
        if wanted is not None:
            raise UnsupportedError(API, what, hint="Leave it out.")
    config: dict[str, JsonValue] = {"responseModalities": ["TEXT", "IMAGE"]}
    if request.size is not None:
        config["imageConfig"] = _size(request.size)
    content = (Text(text=request.prompt), *request.images)
    return _with(content, config, request.extra.get(provider, {}), provider)


def _size(size: str) -> dict[str, JsonValue]:
    if _RATIO.fullmatch(size):
        return {"aspectRatio": size}
    if _SIZE.fullmatch(size):
        return {"imageSize": size}
    raise UnsupportedError(API, f"pictures of {size}", hint="Give a ratio such as 16:9, or a scale: 1K, 2K, 4K.")


def _with(content: Any, config: dict[str, JsonValue], extra: Any, provider: str) -> CompletionRequest:
    return CompletionRequest(
        messages=(Message(role="user", content=content),),
        extra={provider: merged({"generationConfig": config}, extra)},
    )


def images_of(completion: Completion) -> ImageResult:
    """Return the pictures of an answer; what is said beside them is in its metadata.

    Raises:
        ContentFilterError: They were withheld.
        ResponseFormatError: There is none.
    """
    images = tuple(block for block in completion.reply.blocks if isinstance(block, Image))
    if not images:
        raise _none(completion, "picture")
    said: dict[str, JsonValue] = {"text": completion.text} if completion.text else {}
    return ImageResult(
        images=images,
        usage=completion.usage,
        latency=completion.latency,
        model=completion.model,
        raw_usage=completion.raw_usage,
        metadata=completion.metadata | said,
    )


def speech_request(request: SpeechRequest, *, provider: str) -> CompletionRequest:
    """Return the conversation that reads a text aloud; instructions stand before it, as these models want them.

    Raises:
        UnsupportedError: It asks for a speed, or for a format other than `wav` and `pcm`.
    """
    if request.speed is not None:
        raise UnsupportedError(API, "a speed of speech", hint="Say in the instructions how fast.")
    if request.output_format not in {None, "pcm", "wav"}:
        raise UnsupportedError(API, f"speech as {request.output_format}", hint="Choose `wav` or `pcm`.")
    config: dict[str, JsonValue] = {"responseModalities": ["AUDIO"]}
    if request.voice is not None:
        config["speechConfig"] = {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": request.voice}}}
    text = request.text if request.instructions is None else f"{request.instructions.rstrip(': ')}: {request.text}"
    return _with((Text(text=text),), config, request.extra.get(provider, {}), provider)


def speech_of(completion: Completion, output_format: str | None) -> SpeechResult:
    """Return the sound of an answer: bare samples as they came, or in a WAV file where that was asked for.

    Raises:
        ContentFilterError: It was withheld.
        ResponseFormatError: There is none.
    """
    audio = next((block for block in completion.reply.blocks if isinstance(block, Audio)), None)
    if audio is None:
        raise _none(completion, "sound")
    if output_format == "wav":
        audio = _as_wav(audio)
    return SpeechResult(audio=audio, usage=completion.usage, latency=completion.latency, raw_usage=completion.raw_usage)


def _as_wav(audio: Audio) -> Audio:
    """Return 16-bit samples of one channel with a WAV header; what is no bare samples stays."""
    found = _PCM.match(audio.media_type or "")
    if found is None:
        return audio
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(int(found["rate"] or 24000))
        written.writeframes(audio.data or b"")
    return Audio(data=file.getvalue(), media_type="audio/wav")


def _none(completion: Completion, what: str) -> FieldguideError:
    why = f" ({completion.raw_finish_reason})" if completion.raw_finish_reason else ""
    if completion.finish_reason is FinishReason.CONTENT_FILTER:
        return ContentFilterError(f"The provider withheld the {what}{why}.")
    return ResponseFormatError(f"The endpoint answered without any {what}{why}.")
