"""A line that moves with its interval, as points of a drawing 1000 wide and 100 high."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_WIDE, _HIGH = 1000, 100


def trace(points: Sequence[Mapping[str, Any]], total: int) -> dict[str, str]:
    """Return the line of the accuracy and the band of its interval, from 0 to `total` judged answers."""
    across = [_WIDE * min(1.0, point["scored"] / max(total, 1)) for point in points]

    def at(name: str) -> list[str]:
        return [f"{x:.1f},{_HIGH * (1 - point[name]):.1f}" for x, point in zip(across, points, strict=True)]

    return {"line": " ".join(at("accuracy")), "band": " ".join([*at("ci_low"), *reversed(at("ci_high"))])}


def some(points: Sequence[Any], most: int) -> list[Any]:
    """Return at most so many of the points, the last among them."""
    step = max(1, -(-len(points) // most))
    return [*reversed(list(reversed(points))[::step])]
