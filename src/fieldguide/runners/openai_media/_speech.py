"""Speech to text and text to speech."""

from __future__ import annotations

import json
from collections.abc import Mapping

from fieldguide.domain import (
    Audio,
    JsonValue,
    Latency,
    SpeechRequest,
    SpeechResult,
    TranscriptionRequest,
    TranscriptionResult,
    Usage,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, object_of, objects_of, parse_object, text_of
from fieldguide.runners._media import format_of, from_base64, media_type_of
from fieldguide.runners._transport import FormPart

DEFAULT_VOICE = "alloy"
"""Voice of speech for which none is named: the API requires one."""
MEDIA_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac"}


def transcription_form(request: TranscriptionRequest, *, model: str, provider: str) -> tuple[FormPart, ...]:
    """Return the form of a request.

    Raises:
        UnsupportedError: The sound is not given by its bytes.
    """
    audio = request.audio
    if audio.data is None:
        raise UnsupportedError("OpenAI's transcription API", "sound that is not given by its bytes")
    fields: dict[str, JsonValue] = {
        "model": model,
        "language": request.language,
        "prompt": request.prompt,
        "temperature": request.temperature,
        "response_format": "verbose_json" if request.segments or request.words else "json",
        "timestamp_granularities": ["word", *(["segment"] if request.segments else [])] if request.words else None,
        **request.extra.get(provider, {}),
    }
    values = [part for name, value in fields.items() if value is not None for part in _parts(name, value)]
    name = f"audio.{format_of(audio)}"
    return (*values, FormPart(name="file", value=audio.data, file_name=name, media_type=media_type_of(audio)))


def transcription_path(request: TranscriptionRequest) -> str:
    """Return where a request goes: writing English is an endpoint of its own."""
    return "/audio/translations" if request.translate else "/audio/transcriptions"


def _parts(name: str, value: JsonValue) -> list[FormPart]:
    """Return a field of a form; of a list a part for each value, under one name."""
    if isinstance(value, list):
        return [FormPart(name=f"{name}[]", value=str(each)) for each in value]
    return [FormPart(name=name, value=value if isinstance(value, str) else json.dumps(value))]


def parse_transcription(text: str, *, e2e_latency_s: float) -> TranscriptionResult:
    """Return what is said, of a response body in JSON.

    Raises:
        ResponseFormatError: It holds no text.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    said = text_of(body.get("text"))
    if said is None:
        raise ResponseFormatError("The endpoint answered without any text.")
    usage = object_of(body.get("usage"))
    duration = body.get("duration")
    return TranscriptionResult(
        text=said,
        language=text_of(body.get("language")),
        duration_s=float(duration) if isinstance(duration, int | float) else None,
        segments=tuple(objects_of(body.get("segments"))),
        words=tuple(objects_of(body.get("words"))),
        usage=Usage(
            input_tokens=count_of(usage.get("input_tokens")),
            output_tokens=count_of(usage.get("output_tokens")),
            input_audio_tokens=count_of(object_of(usage.get("input_token_details")).get("audio_tokens")),
        ),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=body.get("usage"),
        raw=text,
    )


def parse_speech(
    content: bytes, headers: Mapping[str, str], *, media_type: str | None, e2e_latency_s: float
) -> SpeechResult:
    """Return the sound of a response: its bytes, or those that some hosts put into JSON.

    Raises:
        ResponseFormatError: There is none in the JSON.
        RunnerError: It is an error in disguise.
    """
    if headers.get("Content-Type", headers.get("content-type", "")).startswith("application/json"):
        content = sound_in_json(content)
    return SpeechResult(audio=Audio(data=content, media_type=media_type), latency=Latency(e2e_latency_s=e2e_latency_s))


def is_json(content: bytes) -> bool:
    """Whether the body of an answer is JSON: samples may begin with a brace by chance."""
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False


def sound_in_json(content: bytes) -> bytes:
    """Return the sound that a host has put into JSON.

    Raises:
        ResponseFormatError: There is none.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(content.decode("utf-8", "replace"))
    if body.get("error"):
        raise error_in_body(body, status=200)
    sound = from_base64(text_of(body.get("audio_data")) or "")
    if not sound:
        raise ResponseFormatError("The endpoint answered without any sound.")
    return sound


def speech_body(request: SpeechRequest, *, model: str, provider: str) -> dict[str, JsonValue]:
    """Return the JSON body of a request."""
    body: dict[str, JsonValue] = {"model": model, "input": request.text, "voice": request.voice or DEFAULT_VOICE}
    optional: dict[str, JsonValue] = {
        "instructions": request.instructions,
        "response_format": request.output_format,
        "speed": request.speed,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    return body | dict(request.extra.get(provider, {}))
