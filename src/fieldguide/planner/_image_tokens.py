"""How many tokens a picture becomes, from its width and height alone: each model resizes and cuts in its own way.

Counts are those of the models' own processors, told anew as arithmetic; held to transformers 5.24 in
`tests/reference/test_image_tokens.py`. No pixel is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from fieldguide.domain import ImageRule, ImageScheme
from fieldguide.errors import UsageError
from fieldguide.planner._image_resizing import budget_size, longest_edge_size, multiple_size, split_size
from fieldguide.planner._image_tiles import closest_grid, tile_canvas, unpadded_canvas, unpadded_tokens

_MOST_PIXELS = 1 << 20
"""Along one side: beyond it stands no picture, but a mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTokens:
    """What one picture becomes."""

    width_px: int
    """Of the picture as the encoder sees it, all tiles together, the overview left out."""
    height_px: int
    tiles: int
    """Squares that the encoder works on one by one, the overview among them; 1 for a picture that is not cut."""
    patches: int
    """Patches that the encoder works on, in all tiles together."""
    image_tokens: int
    """Tokens of the prompt that stand for the picture's content."""
    marker_tokens: int
    """Tokens of text around and between them."""
    cross_tokens: int = 0
    """Tokens beside the prompt, that layers of cross-attention keep (Llama 3.2 Vision)."""
    resizing: str
    """What was done to the picture, in words."""

    @property
    def tokens(self) -> int:
        """All tokens that the picture takes of the context."""
        return self.image_tokens + self.marker_tokens


def image_tokens(rule: ImageRule, *, width_px: int, height_px: int) -> ImageTokens:
    """Return what a picture of this width and height becomes under a model's rule.

    Args:
        rule: As in the catalogue.
        width_px: Of the picture as it is given (pixels, > 0).
        height_px: The same upwards.

    Raises:
        UsageError: A side is not possible, or the model refuses a picture so long and narrow.

    References:
        `models/*/image_processing_*.py` and `processing_*.py` of transformers 5.24 (Apache-2.0).
    """
    for name, side in (("width", width_px), ("height", height_px)):
        if not 0 < side < _MOST_PIXELS:
            raise UsageError(f"A picture cannot have a {name} of {side} pixels.", hint="Such as 1024x768.")
    return _SCHEMES[rule.scheme](rule, width_px, height_px)


_LLAMA_CPP_LEAST, _LLAMA_CPP_MOST = 8, 4096
"""Tokens between which llama.cpp holds a picture of the Qwen models, unless `--image-min-tokens` and
`--image-max-tokens` say otherwise (ggml-org/llama.cpp tools/mtmd/clip.cpp, `set_limit_image_tokens(8, 4096)`)."""


def rule_in_engine(rule: ImageRule, engine: str) -> tuple[ImageRule, str | None]:
    """Return the rule as an engine applies it, and what it does otherwise than the model's own processor, in words."""
    if engine != "llama.cpp" or rule.scheme != "multiple":
        return rule, None
    area = (rule.patch * rule.merge) ** 2
    held = replace(rule, least_pixels=_LLAMA_CPP_LEAST * area, most_pixels=_LLAMA_CPP_MOST * area)
    return held, f"llama.cpp holds a picture between {_LLAMA_CPP_LEAST} and {_LLAMA_CPP_MOST:,} tokens"


def _made(
    rule: ImageRule,
    size: tuple[int, int],
    resizing: str,
    *,
    patches: int,
    tokens: int,
    tiles: int = 1,
    markers: int = 0,
    cross_tokens: int = 0,
) -> ImageTokens:
    return ImageTokens(
        width_px=size[0],
        height_px=size[1],
        tiles=tiles,
        patches=patches,
        image_tokens=tokens,
        marker_tokens=rule.markers + markers,
        cross_tokens=cross_tokens,
        resizing=resizing,
    )


def _per_tile(rule: ImageRule) -> tuple[int, int]:
    """Return patches and tokens of one tile."""
    along = (rule.side or 0) // rule.patch
    return along**2, (along // rule.merge) ** 2 if rule.tokens_per_tile is None else rule.tokens_per_tile


def _square(rule: ImageRule, width: int, height: int) -> ImageTokens:
    side = rule.side or 0
    patches, tokens = _per_tile(rule)
    return _made(rule, (side, side), f"resized to {side} x {side}, whatever its shape", patches=patches, tokens=tokens)


def _multiple(rule: ImageRule, width: int, height: int) -> ImageTokens:
    unit = rule.patch * rule.merge
    least, most = rule.least_pixels or 0, rule.most_pixels or 0
    columns, rows = multiple_size(width, height, unit=unit, least_pixels=least, most_pixels=most)
    text = f"sides rounded to multiples of {unit}, the area held between {least:,} and {most:,} pixels"
    size = (columns * unit, rows * unit)
    return _made(rule, size, text, patches=columns * rows * rule.merge**2, tokens=columns * rows)


def _budget(rule: ImageRule, width: int, height: int) -> ImageTokens:
    unit, most = rule.patch * rule.merge, rule.most_tokens or 0
    columns, rows = budget_size(width, height, unit=unit, most=most)
    text = f"made as large as {most} squares of {unit} x {unit} pixels allow, its shape kept"
    size = (columns * unit, rows * unit)
    return _made(rule, size, text, patches=columns * rows * rule.merge**2, tokens=columns * rows)


def _rows(rule: ImageRule, width: int, height: int) -> ImageTokens:
    unit, longest = rule.patch * rule.merge, rule.longest_edge or 0
    shrunk = longest_edge_size(width, height, longest)
    if 0 in shrunk:
        raise UsageError(
            f"A picture of {width}x{height} is refused: shrunk to a longest edge of {longest} it has no pixels left.",
            hint="Cut it first.",
        )
    columns, rows = (-(-side // unit) for side in shrunk)
    text = f"shrunk to a longest edge of {longest} if above, sides rounded up to multiples of {unit}"
    size = (columns * unit, rows * unit)
    return _made(rule, size, text, patches=columns * rows * rule.merge**2, tokens=columns * rows, markers=rows)


def _split(rule: ImageRule, width: int, height: int) -> ImageTokens:
    side, longest = rule.side or 0, rule.longest_edge or 0
    columns, rows = split_size(width, height, longest=longest, side=side)
    patches, tokens = _per_tile(rule)
    cut = columns * rows
    tiles = cut + 1 if cut > 1 else 1
    text = f"longest edge set to {longest}, then stretched to tiles of {side} x {side}"
    text += ", with an overview of the whole" if cut > 1 else ""
    around = 2 * cut + rows + 3 if cut > 1 else 3  # a tile has a fence and its place, a row a line break
    size = (columns * side, rows * side)
    return _made(rule, size, text, patches=tiles * patches, tokens=tiles * tokens, tiles=tiles, markers=around)


def _unpadded(rule: ImageRule, width: int, height: int) -> ImageTokens:
    side = rule.side or 0
    columns, rows = unpadded_canvas(width, height, side=side, canvases=rule.canvases or ())
    patches, tokens = _per_tile(rule)
    along = side // rule.patch
    kept = unpadded_tokens(width, height, columns=columns * along, rows=rows * along)
    tiles = columns * rows + 1
    text = f"fitted into {columns} x {rows} tiles of {side} x {side}, padding dropped, with an overview"
    size = (columns * side, rows * side)
    return _made(rule, size, text, patches=tiles * patches, tokens=kept + tokens, tiles=tiles)


def _closest_ratio(rule: ImageRule, width: int, height: int) -> ImageTokens:
    side = rule.side or 0
    columns, rows = closest_grid(width, height, side=side, most_tiles=rule.most_tiles or 1)
    patches, tokens = _per_tile(rule)
    cut = columns * rows
    tiles = cut + 1 if cut > 1 else 1
    text = f"stretched to {columns} x {rows} tiles of {side} x {side}, the grid nearest in shape"
    text += ", with an overview" if cut > 1 else ""
    size = (columns * side, rows * side)
    return _made(rule, size, text, patches=tiles * patches, tokens=tiles * tokens, tiles=tiles)


def _canvas(rule: ImageRule, width: int, height: int) -> ImageTokens:
    side = rule.side or 0
    columns, rows = tile_canvas(width, height, side=side, most_tiles=rule.most_tiles or 1)
    patches, tokens = _per_tile(rule)
    cut = columns * rows
    tiles = cut + 1 if cut > 1 else 1
    text = f"fitted without distortion into {columns} x {rows} tiles of {side} x {side}"
    text += ", with an overview" if cut > 1 else ""
    separators = cut if cut > 1 else 0  # one between tiles of a row, and one at its end
    size = (columns * side, rows * side)
    return _made(rule, size, text, patches=tiles * patches, tokens=tiles * tokens, tiles=tiles, markers=separators)


def _cross(rule: ImageRule, width: int, height: int) -> ImageTokens:
    side, most = rule.side or 0, rule.most_tiles or 1
    columns, rows = tile_canvas(width, height, side=side, most_tiles=most)
    patches, _ = _per_tile(rule)
    cross = most * (patches + 1)  # empty tiles are kept too, each with the token of its class
    text = f"fitted without distortion into {columns} x {rows} tiles of {side} x {side}; {most} are kept in any case"
    size = (columns * side, rows * side)
    return _made(rule, size, text, patches=most * patches, tokens=0, tiles=most, cross_tokens=cross)


_SCHEMES: dict[ImageScheme, Callable[[ImageRule, int, int], ImageTokens]] = {
    "square": _square,
    "multiple": _multiple,
    "budget": _budget,
    "rows": _rows,
    "split": _split,
    "unpadded": _unpadded,
    "closest-ratio": _closest_ratio,
    "canvas": _canvas,
    "cross": _cross,
}
