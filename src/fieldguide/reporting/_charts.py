"""Vega-Lite specifications, each for a wide and for a narrow page.

Names reach a specification as data values only, never inside an expression. Every position is computed here and no
axis is labelled by Vega with foreign text, so that a drawing has the same size whatever the labels say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fieldguide.domain import Outcome
from fieldguide.reporting._layout import Layout, Rows
from fieldguide.reporting._palette import (
    AXIS,
    DOUBT,
    GRID,
    INK,
    MARGIN,
    MUTED,
    OUTCOMES,
    SURFACE,
    Role,
    model_role,
    model_shape,
)

Spec: TypeAlias = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
"""Names the language; nothing is fetched."""
_PERCENT_LABEL = "format(datum.value * 100, '.0f') + ' %'"
_POINTS_LABEL = "(datum.value > 0 ? '+' : datum.value < 0 ? '\u2212' : '') + format(abs(datum.value) * 100, '.0f')"
_BAR_PX = 22
_DIGIT_PX = 9
"""Room for each digit of a count inside a bar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """One estimate (fractions), with its interval and with the bounds that doubtful answers leave open."""

    value: float | None
    low: float | None = None
    high: float | None = None
    bound_low: float | None = None
    bound_high: float | None = None
    model: int | None = None
    """Place of the model in the report, which gives shape and colour; None draws it in the colour of the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DotRow:
    """A labelled row of estimates."""

    label: tuple[str, ...]
    """Its lines, each cut to the room there is."""
    dots: tuple[Dot, ...]
    figure: str = ""
    """Figure to print at the row's end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """A labelled bar of outcome counts."""

    label: str
    counts: tuple[tuple[Outcome, int], ...]


def accuracy_chart(rows: Sequence[DotRow], layout: Layout) -> Spec:
    """Return estimates on the whole scale from 0 to 100 %."""
    room = _room(rows, layout)
    return _chart(_dot_layers(rows, room, _percent_axis(layout), (0.0, 1.0)), room)


def difference_chart(rows: Sequence[DotRow], layout: Layout, *, margin: float | None = None) -> Spec:
    """Return differences around a zero line, on a scale as long to the left as to the right.

    Args:
        rows: One dot each.
        layout: Which size.
        margin: Margin of equivalence (fraction), drawn as a band; None where none was asked for.
    """
    room = _room(rows, layout)
    reach = _reach(rows, margin)
    step = next(step for step in (0.02, 0.05, 0.1, 0.2, 0.25, 0.5) if reach / step < 4)
    ticks = [round(step * place, 4) for place in range(-3, 4) if abs(step * place) <= reach]
    band = [] if margin is None else [_band(-margin, margin, room.height_px)]
    dots = _dot_layers(rows, room, _axis(ticks, _POINTS_LABEL, layout), (-reach, reach))
    return _chart([*band, _upright(0.0, room.height_px), *dots], room)


def outcome_chart(rows: Sequence[OutcomeRow], layout: Layout) -> Spec:
    """Return one bar per row, as long as the share of each outcome, with its count inside where there is room."""
    room = Rows(layout=layout, number=len(rows))
    bars, counts, labels = [], [], []
    for place, row in enumerate(rows):
        middle = room.middle(place)
        labels.append({"y": room.line(place, 0, 1), "text": layout.label(row.label)})
        for outcome, number, low, high in _shares(row):
            top = middle - _BAR_PX / 2
            bars.append({"x": low, "x2": high, "y": top, "y2": top + _BAR_PX, "color": OUTCOMES[outcome].hex})
            if (high - low) * layout.plot_px >= _DIGIT_PX * len(str(number)) + 4:
                counts.append({"x": (low + high) / 2, "y": middle + 1, "text": str(number)})
    axis = _percent_axis(layout)
    bar = {"type": "rect", "stroke": SURFACE.hex, "strokeWidth": 1.5, "opacity": 1}
    layers = [
        _layer(bars, bar, {**_span(axis, (0.0, 1.0), "x", "x2"), "y2": {"field": "y2"}, "color": _COLOR}),
        _layer(counts, _text_mark("center", layout, SURFACE, bold=True), {**_at(axis, (0.0, 1.0)), **_TEXT}),
        _label_layer(labels, layout),
    ]
    return _chart(layers, room)


def _shares(row: OutcomeRow) -> list[tuple[Outcome, int, float, float]]:
    """Return each outcome that occurs with its count and the ends of its share."""
    total = sum(number for _, number in row.counts)
    shares, before = [], 0
    for outcome, number in row.counts:
        if number:
            shares.append((outcome, number, before / total, (before + number) / total))
        before += number
    return shares


_TEXT: Spec = {"text": {"field": "text", "type": "nominal"}}
_Y: Spec = {"field": "y", "type": "quantitative", "scale": None, "axis": None}
_COLOR: Spec = {"field": "color", "type": "nominal", "scale": None, "legend": None}
_SHAPE: Spec = {"field": "shape", "type": "nominal", "scale": None, "legend": None}


def _room(rows: Sequence[DotRow], layout: Layout) -> Rows:
    lines = max((len(row.label) for row in rows), default=1)
    marks = max((len(row.dots) for row in rows), default=1)
    return Rows(layout=layout, number=len(rows), lines=lines, marks=max(marks, 1))


def _dot_layers(rows: Sequence[DotRow], room: Rows, axis: Spec, domain: tuple[float, float]) -> list[Spec]:
    layout = room.layout
    dots, labels, figures = [], [], []
    for place, row in enumerate(rows):
        for number, text in enumerate(row.label):
            line_y = room.line(place, number, len(row.label))
            labels.append({"y": line_y, "text": layout.label(text, figure=row.figure)})
        figure_y = room.line(place, 0, 1)
        figures.append({"y": figure_y, "text": row.figure})
        dots += [_dot_datum(dot, room.mark(place, number, len(row.dots))) for number, dot in enumerate(row.dots)]
    known = [datum for datum in dots if datum["x"] is not None]
    spans = [datum for datum in known if None not in (datum["low"], datum["high"])]
    bounds = [datum for datum in known if None not in (datum["bound_low"], datum["bound_high"])]
    bar, line = {"type": "rule", "strokeWidth": 9, "color": DOUBT.hex}, {"type": "rule", "strokeWidth": 3}
    point = {"type": "point", "filled": True, "size": 110, "opacity": 1}
    figure_x = {"value": layout.plot_px if layout.labels_above else layout.plot_px + layout.right - 4}
    return [
        _layer(bounds, bar, _span(axis, domain, "bound_low", "bound_high")),
        _layer(spans, line, {**_span(axis, domain, "low", "high"), "color": _COLOR}),
        _layer(known, point, {**_at(axis, domain), "color": _COLOR, "shape": _SHAPE}),
        _label_layer(labels, layout),
        _layer(figures, _text_mark("right", layout, INK, bold=True), {"x": figure_x, "y": _Y, **_TEXT}),
    ]


def _dot_datum(dot: Dot, y: float) -> Spec:
    role = INK if dot.model is None else model_role(dot.model)
    shape = "circle" if dot.model is None else model_shape(dot.model)
    return {
        "x": dot.value,
        "y": y,
        "low": dot.low,
        "high": dot.high,
        "bound_low": dot.bound_low,
        "bound_high": dot.bound_high,
        "color": role.hex,
        "shape": shape,
    }


def _reach(rows: Sequence[DotRow], margin: float | None) -> float:
    ends = [abs(margin or 0.0), 0.05]
    for row in rows:
        for dot in row.dots:
            ends += [
                abs(end) for end in (dot.value, dot.low, dot.high, dot.bound_low, dot.bound_high) if end is not None
            ]
    return min(1.0, max(ends) * 1.08)


def _percent_axis(layout: Layout) -> Spec:
    return _axis([0, 0.25, 0.5, 0.75, 1], _PERCENT_LABEL, layout)


def _axis(values: list[float], label_expression: str, layout: Layout) -> Spec:
    return {
        "values": values,
        "labelExpr": label_expression,
        "labelFontSize": layout.font_px,
        "labelColor": MUTED.hex,
        "labelFlush": layout.labels_above,
        "labelOverlap": False,
        "labelPadding": 4,
        "domainColor": AXIS.hex,
        "tickColor": AXIS.hex,
        "gridColor": GRID.hex,
        "title": None,
    }


def _x(field: str, axis: Spec, domain: tuple[float, float]) -> Spec:
    scale = {"domain": list(domain), "nice": False, "zero": False}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def _at(axis: Spec, domain: tuple[float, float]) -> Spec:
    return {"x": _x("x", axis, domain), "y": _Y}


def _span(axis: Spec, domain: tuple[float, float], low: str, high: str) -> Spec:
    return {"x": _x(low, axis, domain), "x2": {"field": high}, "y": _Y}


def _band(low: float, high: float, height: int) -> Spec:
    mark = {"type": "rect", "color": MARGIN.hex, "opacity": 1}
    encoding = {
        "x": {"field": "x", "type": "quantitative"},
        "x2": {"field": "x2"},
        "y": {"value": 0},
        "y2": {"value": height},
    }
    return _layer([{"x": low, "x2": high}], mark, encoding)


def _upright(at: float, height: int) -> Spec:
    mark = {"type": "rule", "color": INK.hex, "strokeWidth": 1.5}
    encoding = {"x": {"field": "x", "type": "quantitative"}, "y": {"value": 0}, "y2": {"value": height}}
    return _layer([{"x": at}], mark, encoding)


def _label_layer(labels: list[Spec], layout: Layout) -> Spec:
    align, x = ("left", 0) if layout.labels_above else ("right", -14)
    return _layer(labels, _text_mark(align, layout, INK), {"x": {"value": x}, "y": _Y, **_TEXT})


def _text_mark(align: str, layout: Layout, role: Role, *, bold: bool = False) -> Spec:
    return {
        "type": "text",
        "align": align,
        "baseline": "middle",
        "fontSize": layout.font_px,
        "fontWeight": "bold" if bold else "normal",
        "color": role.hex,
        "limit": 0,
    }


def _layer(values: list[Spec], mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": values}, "mark": {**mark, "tooltip": None, "aria": False}, "encoding": encoding}


def _chart(layers: list[Spec], room: Rows) -> Spec:
    layout = room.layout
    return {
        "$schema": SCHEMA,
        "width": layout.plot_px,
        "height": room.height_px,
        "padding": {"left": layout.left, "right": layout.right, "top": 6, "bottom": 30},
        "autosize": "none",
        "background": None,
        "config": {"view": {"stroke": None}, "aria": False},
        "layer": layers,
    }
