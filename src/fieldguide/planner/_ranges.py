"""A range where a range is the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The least, the likeliest and the most that a figure is expected to be."""

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.likely <= self.high:
            raise ValueError("a range must rise from low through likely to high")

    def holds(self, value: float) -> bool:
        """Return whether `value` lies in it."""
        return self.low <= value <= self.high

    def scaled(self, factor: float) -> Range:
        """Return it times a factor of at least 0."""
        return Range(low=self.low * factor, likely=self.likely * factor, high=self.high * factor)

    def over(self, numerator: float) -> Range:
        """Return `numerator` over it: the low end comes from the high one."""
        return Range(low=numerator / self.high, likely=numerator / self.likely, high=numerator / self.low)

    def as_json(self) -> dict[str, float]:
        """Return its three figures."""
        return {"low": self.low, "likely": self.likely, "high": self.high}


def spread(low: float, likely: float, high: float, of: Callable[[float], float]) -> Range:
    """Return what a function that falls or rises makes of three figures, in order."""
    ends = sorted((of(low), of(high)))
    return Range(low=ends[0], likely=of(likely), high=ends[1])
