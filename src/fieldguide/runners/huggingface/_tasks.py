"""Tasks of Hugging Face's own inference service: vectors, pictures, speech both ways."""

from __future__ import annotations

import json

from fieldguide.domain import (
    Audio,
    EmbeddingRequest,
    EmbeddingResult,
    Image,
    ImageRequest,
    ImageResult,
    JsonValue,
    Latency,
    SpeechRequest,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.errors import ResponseFormatError, UnsupportedError
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import objects_of, parse_object, text_of
from fieldguide.runners._media import as_base64
from fieldguide.runners.huggingface._generate import PROVIDER

API = "Hugging Face's inference service"


def _refuse(*given: tuple[str, object]) -> None:
    for name, value in given:
        if value not in (None, (), False):
            raise UnsupportedError(API, name, hint="Leave it out, or give it in `extra`.")


def feature_body(request: EmbeddingRequest) -> dict[str, JsonValue]:
    """Return the JSON body of `feature-extraction`.

    Raises:
        UnsupportedError: It asks for dimensions or states a purpose.
    """
    _refuse(("a choice of dimensions", request.dimensions), ("a purpose of the vectors", request.purpose))
    return {"inputs": list(request.texts), **request.extra.get(PROVIDER, {})}


def parse_features(text: str, *, count: int, e2e_latency_s: float) -> EmbeddingResult:
    """Return the vectors: a list of numbers for each text. A model may return one list for one text.

    Raises:
        ResponseFormatError: There are not as many vectors as texts, or they are one for each token.
        RunnerError: It is an error in disguise.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        given = None
    if isinstance(given, dict) and given.get("error"):
        raise error_in_body(given, status=200)
    rows = [given] if count == 1 and _is_vector(given) else given
    if not isinstance(rows, list) or len(rows) != count or not all(_is_vector(row) for row in rows):
        raise ResponseFormatError(
            "The endpoint did not answer with one vector for each text.",
            hint="Choose a model for sentences: others give one vector for each token.",
        )
    vectors = tuple(tuple(float(each) for each in row) for row in rows)
    return EmbeddingResult(vectors=vectors, latency=Latency(e2e_latency_s=e2e_latency_s))


def _is_vector(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(each, int | float) and not isinstance(each, bool) for each in value)
    )


def text_to_image_body(request: ImageRequest) -> dict[str, JsonValue]:
    """Return the JSON body of `text-to-image`.

    Raises:
        UnsupportedError: It asks for what the task has no word for.
    """
    _refuse(
        ("pictures to start from", request.images or request.mask),
        ("several pictures", None if request.count == 1 else request.count),
        ("a quality", request.quality),
        ("a choice of the format", request.output_format),
    )
    parameters: dict[str, JsonValue] = dict(request.extra.get(PROVIDER, {}))
    if request.size is not None:
        width, _, height = request.size.partition("x")
        if not (width.isdigit() and height.isdigit()):
            raise UnsupportedError(API, f"the size {request.size!r}", hint="Write it as WIDTHxHEIGHT.")
        parameters |= {"width": int(width), "height": int(height)}
    return {"inputs": request.prompt, "parameters": parameters}


def image_of(content: bytes, media_type: str, *, e2e_latency_s: float) -> ImageResult:
    """Return the picture that a response is.

    Raises:
        ResponseFormatError: It is none.
    """
    if not media_type.startswith("image/") or not content:
        raise ResponseFormatError("The endpoint answered without any picture.")
    image = Image(data=content, media_type=media_type.partition(";")[0])
    return ImageResult(images=(image,), revised_prompts=(None,), latency=Latency(e2e_latency_s=e2e_latency_s))


def recognition_body(request: TranscriptionRequest) -> dict[str, JsonValue]:
    """Return the JSON body of `automatic-speech-recognition`.

    Raises:
        UnsupportedError: The sound is not given by its bytes, or something is asked for which there is no word.
    """
    _refuse(
        ("a language", request.language),
        ("words that are likely", request.prompt),
        ("a temperature", request.temperature),
        ("times of words", request.words),
        ("translating speech", request.translate),
    )
    if request.audio.data is None:
        raise UnsupportedError(API, "sound that is not given by its bytes")
    parameters: dict[str, JsonValue] = {"return_timestamps": True} if request.segments else {}
    parameters |= dict(request.extra.get(PROVIDER, {}))
    return {"inputs": as_base64(request.audio.data), "parameters": parameters}


def parse_recognized(text: str, *, e2e_latency_s: float) -> TranscriptionResult:
    """Return what was said.

    Raises:
        ResponseFormatError: There is no text.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    said = text_of(body.get("text"))
    if said is None:
        raise ResponseFormatError("The endpoint answered without any text.")
    latency = Latency(e2e_latency_s=e2e_latency_s)
    return TranscriptionResult(text=said, segments=tuple(objects_of(body.get("chunks"))), latency=latency, raw=text)


def text_to_speech_body(request: SpeechRequest) -> dict[str, JsonValue]:
    """Return the JSON body of `text-to-speech`.

    Raises:
        UnsupportedError: It asks for what the task has no word for.
    """
    _refuse(
        ("a voice", request.voice),
        ("instructions on how to speak", request.instructions),
        ("a choice of the format", request.output_format),
        ("a speed", request.speed),
    )
    return {"inputs": request.text, "parameters": dict(request.extra.get(PROVIDER, {}))}


def sound_of(content: bytes, media_type: str) -> Audio:
    """Return the sound that a response is.

    Raises:
        ResponseFormatError: It is none.
    """
    if not media_type.startswith("audio/") or not content:
        raise ResponseFormatError("The endpoint answered without any sound.")
    return Audio(data=content, media_type=media_type.partition(";")[0])
