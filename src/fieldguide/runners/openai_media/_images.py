"""Words to pictures, and pictures to other pictures."""

from __future__ import annotations

from fieldguide.domain import Image, ImageRequest, ImageResult, JsonValue, Latency, Usage, kept_for
from fieldguide.errors import ResponseFormatError
from fieldguide.runners._http_errors import error_in_body
from fieldguide.runners._json import count_of, further, object_of, objects_of, parse_object, text_of
from fieldguide.runners._media import data_url, from_base64


def image_call(request: ImageRequest, *, model: str, provider: str) -> tuple[str, dict[str, JsonValue]]:
    """Return path and JSON body of a request: with pictures to start from it is another path."""
    fields: dict[str, JsonValue] = {"model": model, "prompt": request.prompt}
    optional: dict[str, JsonValue] = {
        "n": request.count,
        "size": request.size,
        "quality": request.quality,
        "output_format": request.output_format,
        "images": [_given(image) for image in request.images] or None,
        "mask": None if request.mask is None else _given(request.mask),
    }
    fields |= {name: value for name, value in optional.items() if value is not None}
    path = "/images/edits" if request.images else "/images/generations"
    return path, fields | dict(request.extra.get(provider, {}))


def _given(image: Image) -> JsonValue:
    return {"image_url": data_url(image)} if image.file_id is None else {"file_id": image.file_id}


def parse_images(text: str, *, e2e_latency_s: float, provider: str) -> ImageResult:
    """Return the pictures of a response body.

    Raises:
        ResponseFormatError: It has none.
        RunnerError: It is an error in disguise.
    """
    body = parse_object(text)
    if body.get("error"):
        raise error_in_body(body, status=200)
    data = objects_of(body.get("data"))
    kind = text_of(body.get("output_format"))
    images = tuple(_image(each, kind, provider) for each in data)
    if not images:
        raise ResponseFormatError("The endpoint answered without any picture.")
    usage = object_of(body.get("usage"))
    return ImageResult(
        images=images,
        revised_prompts=tuple(text_of(each.get("revised_prompt")) for each in data),
        usage=Usage(
            input_tokens=count_of(usage.get("input_tokens")), output_tokens=count_of(usage.get("output_tokens"))
        ),
        latency=Latency(e2e_latency_s=e2e_latency_s),
        raw_usage=body.get("usage"),
        metadata=further(body, "data", "usage"),
    )


def _image(each: dict[str, JsonValue], kind: str | None, provider: str) -> Image:
    own = kept_for(provider, further(each, "b64_json", "url", "revised_prompt"))
    if url := text_of(each.get("url")):
        return Image(url=url, provider_data=own)
    data = from_base64(text_of(each.get("b64_json")) or "")
    if not data:
        raise ResponseFormatError("The endpoint answered with a picture that cannot be read.")
    return Image(data=data, media_type=None if kind is None else f"image/{kind}", provider_data=own)
