"""What more parameters buy: published scores of one family's sizes, from one row of one table, step by step."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fieldguide.catalogue.claims import Claim
from fieldguide.comparison._claims import unpaired_p_value, wilson_interval

_LEAST_RATIO = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePoint:
    """A size with one published score."""

    label: str
    """Such as `7B`."""
    parameters: int
    active: int | None
    """Weights that take part in one token, of a mixture of experts."""
    member: str
    """Catalogue name of the model that was measured."""
    tuning: str | None
    claim: Claim

    @property
    def share(self) -> float:
        """The value as a fraction."""
        return float(self.claim.value) / 100

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval (fractions); None where n is unknown."""
        return None if self.claim.n is None else wilson_interval(self.share, self.claim.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeStep:
    """From one size to a larger one. Fractions; None where n is unknown."""

    small: SizePoint
    large: SizePoint
    difference: float
    """Large minus small."""
    ci_low: float | None
    """Ends of Newcombe's 95 % interval of the difference."""
    ci_high: float | None
    p_value: float | None
    """Two-sided, of the unpaired test, this step looked at alone."""

    @property
    def ratio(self) -> float:
        """How many times as many parameters."""
        return self.large.parameters / self.small.parameters

    @property
    def per_doubling(self) -> float | None:
        """Gain for each doubling of the parameters (fraction).

        None where the larger has less than a fifth more, which says nothing of a doubling, or where only one of the
        two is a mixture of experts, whose parameters do not do the same work.
        """
        mixed = (self.small.active is None) != (self.large.active is None)
        return None if mixed or self.ratio < _LEAST_RATIO else self.difference / math.log2(self.ratio)

    @property
    def supported(self) -> bool | None:
        """Whether the interval leaves zero out: n supports that the two differ."""
        return None if self.ci_low is None or self.ci_high is None else self.ci_low > 0 or self.ci_high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSeries:
    """The sizes of a family in one row of one table, smallest first."""

    points: tuple[SizePoint, ...]
    steps: tuple[SizeStep, ...]
    """Each size with the next."""
    flat_from: SizePoint | None
    """The smallest size from which on no size is supported as better than a smaller one.

    None where n is unknown, or where the largest is supported as better than the next.
    """

    @property
    def claim(self) -> Claim:
        """The first claim: benchmark, table and way of asking are those of all."""
        return self.points[0].claim

    @property
    def tuning(self) -> str | None:
        """Base, instruct or reasoning; all points share it."""
        return self.points[0].tuning


def size_series(points: Iterable[SizePoint]) -> tuple[SizeSeries, ...]:
    """Return every row of a table that holds two or more sizes of one tuning; most sizes first.

    Only percentages that one source states for one benchmark, asked in one way, stand in one series.
    """
    rows: dict[tuple[object, ...], list[SizePoint]] = defaultdict(list)
    for point in points:
        if point.claim.unit == "percent" and 0 <= point.claim.value <= 100:
            rows[_row(point)].append(point)
    made = [_series(each) for each in rows.values() if len({point.parameters for point in each}) > 1]
    return tuple(sorted(made, key=lambda series: -len(series.points)))


def size_step(small: SizePoint, large: SizePoint) -> SizeStep:
    """Return what lies between two sizes.

    References:
        Newcombe 1998, Statistics in Medicine 17, 873-890, method 10: the interval of the difference.
    """
    difference = float(large.claim.value - small.claim.value) / 100
    low = high = p_value = None
    if small.claim.n is not None and large.claim.n is not None:
        low, high = _newcombe(large, small)
        p_value = unpaired_p_value(large.share, large.claim.n, small.share, small.claim.n)
    return SizeStep(small=small, large=large, difference=difference, ci_low=low, ci_high=high, p_value=p_value)


def series_sentence(series: SizeSeries) -> str:
    """Return what a row of a table says of size: the last step, and where it flattens."""
    last = series.steps[-1]
    points = f"{in_points(last.difference)} points"
    told = f"{last.small.label} to {last.large.label} ({last.ratio:.2g} times the parameters{_active(last)}): {points}"
    n = last.small.claim.n
    if last.supported is None or last.ci_low is None or last.ci_high is None:
        return f"{told}; whether that is more than chance cannot be said: the number of questions is not stated."
    chance = "supported" if last.supported else "not supported"
    told += f" ({in_points(last.ci_low)} to {in_points(last.ci_high)}), {chance} by {n} questions"
    if series.flat_from is None:
        return f"{told}. It does not flatten within these sizes."
    if series.flat_from is series.points[-2]:
        return f"{told}. It flattens at {series.flat_from.label}."
    return f"{told}. From {series.flat_from.label} on, no size is supported as better than a smaller one."


def _active(step: SizeStep) -> str:
    """Return how the active weights grow, where one of the two is a mixture of experts."""
    small, large = step.small, step.large
    if small.active is None and large.active is None:
        return ""
    ratio = (large.active or large.parameters) / (small.active or small.parameters)
    return f", {ratio:.2g} times the active ones"


def in_points(fraction: float) -> str:
    """Return a difference in points with its sign; none has no sign."""
    text = f"{100 * fraction:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def _series(points: Sequence[SizePoint]) -> SizeSeries:
    ordered = tuple(sorted(points, key=lambda point: (point.parameters, point.label)))
    return SizeSeries(
        points=ordered,
        steps=tuple(size_step(small, large) for small, large in pairwise(ordered)),
        flat_from=_flat_from(ordered),
    )


def _flat_from(points: Sequence[SizePoint]) -> SizePoint | None:
    if any(point.claim.n is None for point in points):
        return None
    flat = None
    for place in reversed(range(len(points) - 1)):
        if any(_better(points[place], larger) for larger in points[place + 1 :]):
            return flat
        flat = points[place]
    return flat


def _better(small: SizePoint, large: SizePoint) -> bool:
    step = size_step(small, large)
    return step.difference > 0 and bool(step.supported)


def _newcombe(a: SizePoint, b: SizePoint) -> tuple[float, float]:
    """Return the interval of a minus b; both have a known n."""
    (low_a, high_a), (low_b, high_b) = a.interval or (0.0, 1.0), b.interval or (0.0, 1.0)
    difference = a.share - b.share
    return (
        difference - math.hypot(a.share - low_a, high_b - b.share),
        difference + math.hypot(high_a - a.share, b.share - low_b),
    )


def _row(point: SizePoint) -> tuple[object, ...]:
    claim = point.claim
    asked = (claim.benchmark, claim.subset, claim.metric, claim.window, claim.protocol, claim.attempts, claim.n)
    return point.tuning, claim.collection, claim.source, *asked
