"""A score against something that grows by factors: parameters, or price. Drawn like the other charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fieldguide.reporting._charts import SCHEMA, Spec
from fieldguide.reporting._layout import Layout
from fieldguide.reporting._palette import AXIS, DOUBT, GRID, INK, MUTED, model_role

_HEIGHT_PX = 260
_LABEL_ABOVE_PX = 14
_FIRST = model_role(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """One point: where it lies, its score and the interval (fractions), and its name."""

    x: float
    """Greater than 0."""
    value: float
    low: float | None
    high: float | None
    label: str


def curve_chart(points: Sequence[CurvePoint], layout: Layout, *, unit: str) -> Spec:
    """Return scores on the whole scale from 0 to 100 % over a logarithmic axis.

    Args:
        points: In the order in which the line joins them.
        layout: Which size.
        unit: `parameters` or `usd`, which say how the axis is labelled.
    """
    layout = replace(layout, left=54, right=24)
    low, high = min(point.x for point in points), max(point.x for point in points)
    domain = [low / 1.6, high * 1.6]
    x: Spec = {"field": "x", "type": "quantitative", "scale": {"type": "log", "domain": domain, "nice": False}}
    x["axis"] = {**_axis(layout), "values": _ticks(*domain), "labelExpr": _LABELS[unit], "grid": False}
    y: Spec = {"field": "y", "type": "quantitative", "scale": {"domain": [0, 1], "nice": False}}
    y["axis"] = {**_axis(layout), "values": [0, 0.25, 0.5, 0.75, 1], "labelExpr": _PERCENT}
    data = [
        {"x": each.x, "y": each.value, "low": each.low, "high": each.high, "text": layout.label(each.label)}
        for each in points
    ]
    spans = [each for each in data if each["low"] is not None]
    text: Spec = {"type": "text", "dy": -_LABEL_ABOVE_PX, "align": "left", "dx": 5, "fontSize": layout.font_px}
    layers = [
        _layer(spans, {"type": "rule", "strokeWidth": 3, "color": DOUBT.hex}, x, {**y, "field": "low"}, y2="high"),
        _layer(data, {"type": "line", "strokeWidth": 1.5, "color": _FIRST.hex}, x, y),
        _layer(data, {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": _FIRST.hex}, x, y),
        _layer(data, {**text, "color": INK.hex, "limit": 0}, x, y, text="text"),
    ]
    return {
        "$schema": SCHEMA,
        "width": layout.plot_px,
        "height": _HEIGHT_PX,
        "padding": {"left": layout.left, "right": layout.right, "top": 24, "bottom": 30},
        "autosize": "none",
        "background": None,
        "config": {"view": {"stroke": None}, "aria": False},
        "layer": layers,
    }


_PERCENT = "format(datum.value * 100, '.0f') + ' %'"
_LABELS = {
    "parameters": "datum.value >= 1e9 ? format(datum.value / 1e9, '~g') + 'B' : format(datum.value / 1e6, '~g') + 'M'",
    "usd": "'$' + format(datum.value, '~g')",
}


def _ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten within the ends; only the powers where that would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    within = [tick for tick in fine if low <= tick <= high]
    return within if len(within) <= 8 else [tick for tick in within if f"{tick:e}".startswith("1.")]


def _axis(layout: Layout) -> Spec:
    return {
        "labelFontSize": layout.font_px,
        "labelColor": MUTED.hex,
        "labelOverlap": False,
        "labelPadding": 4,
        "domainColor": AXIS.hex,
        "tickColor": AXIS.hex,
        "gridColor": GRID.hex,
        "title": None,
    }


def _layer(values: list[Spec], mark: Spec, x: Spec, y: Spec, *, y2: str | None = None, text: str | None = None) -> Spec:
    encoding: Spec = {"x": x, "y": y}
    if y2 is not None:
        encoding["y2"] = {"field": y2}
    if text is not None:
        encoding["text"] = {"field": text, "type": "nominal"}
    return {"data": {"values": values}, "mark": {**mark, "tooltip": None, "aria": False}, "encoding": encoding}
