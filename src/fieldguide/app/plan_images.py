"""Pictures in the prompt of a plan: which rule holds, what each becomes, and what all of them add."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fieldguide.app.plan_subject import Subject
from fieldguide.errors import InsufficientFactsError, UsageError
from fieldguide.planner import ImageLoad, ImageTokens, image_tokens, rule_in_engine

_SIZE = re.compile(r"\s*(\d{1,7})\s*[xX×]\s*(\d{1,7})\s*")
_USUAL = (1024, 1024)
_MOST = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedImages:
    """So many pictures of one size, and what each becomes in a model."""

    count: int
    width_px: int
    height_px: int
    each: ImageTokens
    source: str

    @property
    def tokens(self) -> int:
        """Of all of them, in the prompt."""
        return self.count * self.each.tokens


def asked_images(
    subject: Subject, engine: str, count: int | None, size: str | None, notes: list[str]
) -> AskedImages | None:
    """Return the pictures that a plan is asked for, or None where it is asked for none.

    Raises:
        UsageError: A count or size is not possible, or only the size is given.
        InsufficientFactsError: How the model makes tokens of pictures is not known here, or it does not look at any.
    """
    if count is None:
        if size is not None:
            raise UsageError("--image-size goes with --images.", hint="Such as --images 2 --image-size 1024x768.")
        return None
    if not 0 < count <= _MOST:
        raise UsageError(f"--images takes a number from 1 to {_MOST:,}, not {count}.", hint="Such as --images 2.")
    if subject.images is None:
        raise InsufficientFactsError(
            subject.network.name,
            ["how it makes tokens of pictures, if it looks at any"],
            hint="Plan it without --images, or by the name of a model that looks at pictures, such as"
            " qwen2.5-vl-7b-instruct (`fieldguide find --kind vision-language`).",
        )
    width, height = _sides(size)
    if size is None:
        notes.append(f"pictures of {width}x{height} pixels were taken, as no size was named")
    rule, said = rule_in_engine(subject.images.value, engine)
    if said is not None:
        notes.append(said)
    each = image_tokens(rule, width_px=width, height_px=height)
    return AskedImages(count=count, width_px=width, height_px=height, each=each, source=subject.images.source)


def check_room(asked: AskedImages | None, context_tokens: int) -> None:
    """Say where a context that was named has no room for the pictures.

    Raises:
        UsageError: They take all of it or more.
    """
    if asked is not None and asked.tokens >= context_tokens:
        raise UsageError(
            f"{asked.count} pictures of {asked.width_px}x{asked.height_px} take {asked.tokens:,} tokens, and the"
            f" context has {context_tokens:,}.",
            hint=f"Name a longer one, such as --context {asked.tokens + 4096}.",
        )


def images_json(asked: AskedImages | None, load: ImageLoad | None) -> dict[str, Any] | None:
    """Return them as programs read it; null where none were asked for."""
    if asked is None or load is None:
        return None
    each = asked.each
    return {
        "count": asked.count,
        "width_px": asked.width_px,
        "height_px": asked.height_px,
        "resized_width_px": each.width_px,
        "resized_height_px": each.height_px,
        "resizing": each.resizing,
        "tiles": each.tiles,
        "patches": each.patches,
        "tokens_per_image": each.tokens,
        "content_tokens_per_image": each.image_tokens,
        "marker_tokens_per_image": each.marker_tokens,
        "cross_attention_tokens_per_image": each.cross_tokens,
        "tokens": load.tokens,
        "kv_cache_bytes": load.kv_cache_bytes,
        "encoder_flop": load.encoder_flop,
        "decoder_flop": load.decoder_flop,
        "source": asked.source,
    }


def images_sentences(asked: AskedImages, load: ImageLoad) -> list[str]:
    """Return what the pictures become and add, in words."""
    each = asked.each
    tiles = f" in {each.tiles} tiles" if each.tiles > 1 else ""
    size = f"{each.width_px}x{each.height_px}"
    told = f"{asked.count} x {asked.width_px}x{asked.height_px}: {each.resizing}, so {size}{tiles}"
    tokens = f"{each.tokens:,} tokens each ({each.image_tokens:,} of content, {each.marker_tokens:,} around it)"
    if each.cross_tokens:
        tokens += f", and {each.cross_tokens:,} beside the prompt"
    added = (
        f"together {load.tokens:,} tokens of the context, {load.kv_cache_bytes / 1e6:,.1f} MB of the cache,"
        f" {load.encoder_flop / 1e12:,.2f} TFLOP in the encoder and {load.decoder_flop / 1e12:,.2f} in the decoder"
    )
    return [f"pictures: {told}; {tokens}", f"pictures: {added} [{asked.source}]"]


def _sides(size: str | None) -> tuple[int, int]:
    if size is None:
        return _USUAL
    found = _SIZE.fullmatch(size)
    if found is None:
        raise UsageError(f"--image-size takes width x height in pixels, not {size!r}.", hint="Such as 1024x768.")
    return int(found[1]), int(found[2])
