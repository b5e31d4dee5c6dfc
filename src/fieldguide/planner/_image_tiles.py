"""Grids of square tiles that pictures are cut into, as (columns, rows)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache


def unpadded_canvas(width: int, height: int, *, side: int, canvases: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the canvas that keeps most of a picture's pixels, and of those the one that wastes least.

    References:
        `select_best_resolution` of LLaVA-NeXT, transformers 5.24.
    """

    def kept_and_waste(canvas: tuple[int, int]) -> tuple[int, int]:
        wide, high = canvas[0] * side, canvas[1] * side
        scale = min(wide / width, high / height)
        kept = min(int(width * scale) * int(height * scale), width * height)
        return kept, kept - wide * high

    return max(canvases, key=kept_and_waste)


def unpadded_tokens(width: int, height: int, *, columns: int, rows: int) -> int:
    """Return the tokens of a canvas of `columns` x `rows` patches without its padding, and one at the end of each row.

    References:
        `_get_unpadded_features` of LLaVA-NeXT, transformers 5.24.
    """
    if width / height > columns / rows:
        rows -= (rows - int(round(height * (columns / width), 7))) // 2 * 2
    else:
        columns -= (columns - int(round(width * (rows / height), 7))) // 2 * 2
    return rows * columns + rows


def closest_grid(width: int, height: int, *, side: int, most_tiles: int) -> tuple[int, int]:
    """Return the grid whose shape is nearest to that of a picture; of two alike the larger one if the picture fills it.

    References:
        `get_optimal_tiled_canvas` of GOT-OCR 2, which InternVL uses, transformers 5.24.
    """
    best, nearest = (1, 1), float("inf")
    for columns, rows in _grids(most_tiles):
        distance = abs(width / height - columns / rows)
        fills = width * height > 0.5 * side**2 * columns * rows
        if distance < nearest or (distance == nearest and fills):
            best, nearest = (columns, rows), distance
    return best


def tile_canvas(width: int, height: int, *, side: int, most_tiles: int) -> tuple[int, int]:
    """Return the canvas that a picture fits into with the least scaling up, else the least scaling down.

    References:
        `get_best_fit` of Llama 4 and `get_optimal_tiled_canvas` of Mllama, transformers 5.24.
    """
    scales = {(c, r): min(c * side / width, r * side / height) for c, r in _grids(most_tiles)}
    growing = [scale for scale in scales.values() if scale >= 1]
    chosen = min(growing) if growing else max(scales.values())
    return min((grid for grid, scale in scales.items() if scale == chosen), key=lambda grid: grid[0] * grid[1])


@lru_cache(maxsize=16)
def _grids(most_tiles: int) -> tuple[tuple[int, int], ...]:
    """Return all grids of so many tiles at most, smaller ones first."""
    sides = range(1, most_tiles + 1)
    found = [(columns, rows) for columns in sides for rows in sides if columns * rows <= most_tiles]
    return tuple(sorted(found, key=lambda grid: grid[0] * grid[1]))
