"""Speech to text and text to speech."""

from __future__ import annotations

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
        "response_format": "verbose_json" if request.segments else "json",
        **request.extra.get(provider, {}),
    }
    values = [FormPart(name=name, value=str(value)) for name, value in fields.items() if value is not None]
    name = f"audio.{format_of(audio)}"
    return (*values, FormPart(name="file", value=audio.data, file_name=name, media_type=media_type_of(audio)))


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
        body = parse_object(content.decode("utf-8", "replace"))
        if body.get("error"):
            raise error_in_body(body, status=200)
        content = from_base64(text_of(body.get("audio_data")) or "") or b""
        if not content:
            raise ResponseFormatError("The endpoint answered without any sound.")
    return SpeechResult(audio=Audio(data=content, media_type=media_type), latency=Latency(e2e_latency_s=e2e_latency_s))


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
