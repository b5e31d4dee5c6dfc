"""Sizes that pictures are resized to: (columns, rows) of a grid, or (width, height) in pixels."""

from __future__ import annotations

import math

from fieldguide.errors import UsageError

_NARROWEST = 200
"""How many times the longer side may be the shorter one (`smart_resize` of Qwen2-VL)."""
_MOST_EDGE = 4096
"""Pixels that Idefics 3 never goes beyond."""


def multiple_size(width: int, height: int, *, unit: int, least_pixels: int, most_pixels: int) -> tuple[int, int]:
    """Return columns and rows of squares of `unit` pixels: both sides rounded, the area held between two bounds.

    Halves are rounded to even, as Python's `round` does.

    Raises:
        UsageError: One side is more than 200 times the other.

    References:
        `smart_resize` of Qwen2-VL, transformers 5.24; qwen-vl-utils `vision_process.py`.
    """
    if max(width, height) / min(width, height) > _NARROWEST:
        raise UsageError(
            f"A picture of {width}x{height} is refused: one side is more than {_NARROWEST} times the other.",
            hint="Cut it first.",
        )
    columns, rows = round(width / unit), round(height / unit)
    area = columns * rows * unit**2
    if area > most_pixels:
        shrink = math.sqrt(width * height / most_pixels)
        return max(1, math.floor(width / shrink / unit)), max(1, math.floor(height / shrink / unit))
    if area < least_pixels:
        grow = math.sqrt(least_pixels / (width * height))
        return math.ceil(width * grow / unit), math.ceil(height * grow / unit)
    return columns, rows


def budget_size(width: int, height: int, *, unit: int, most: int) -> tuple[int, int]:
    """Return columns and rows of the largest grid of `most` squares of `unit` pixels that keeps a picture's shape.

    References:
        `get_aspect_ratio_preserving_size` of Gemma 4, transformers 5.24.
    """
    scale = math.sqrt(most * unit**2 / (width * height))
    columns, rows = math.floor(width * scale / unit), math.floor(height * scale / unit)
    if rows == 0:
        return min(width // height, most), 1
    if columns == 0:
        return 1, min(height // width, most)
    return columns, rows


def longest_edge_size(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return width and height with no side longer than `longest`; a smaller picture stays as it is.

    References:
        `get_resize_output_image_size` of Pixtral, transformers 5.24.
    """
    ratio = max(width, height) / longest
    return (width, height) if ratio <= 1 else (math.floor(width / ratio), math.floor(height / ratio))


def split_size(width: int, height: int, *, longest: int, side: int) -> tuple[int, int]:
    """Return columns and rows of tiles of a picture whose longer side becomes `longest`, smaller ones too.

    References:
        `resize`, `resize_for_vision_encoder` and `split_images` of Idefics 3, transformers 5.24.
    """
    wide = width >= height
    longer, shorter = (width, height) if wide else (height, width)
    edge = min(longest, _MOST_EDGE)
    other = _scaled(longest, longer, shorter, wide=wide)
    other = max(other + other % 2, 1)
    if longest > _MOST_EDGE:
        other = max(_scaled(edge, longest, other, wide=wide), 1)
    along = math.ceil(edge / side)
    across = math.ceil(_scaled(along * side, edge, other, wide=wide) / side)
    return (along, across) if wide else (across, along)


def _scaled(edge: int, longer: int, shorter: int, *, wide: bool) -> int:
    """Return the shorter side where the longer becomes `edge`; divided as the reference does, for the last digit."""
    return int(edge / (longer / shorter)) if wide else int(edge * (shorter / longer))
