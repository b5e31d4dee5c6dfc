"""Lines over a logarithmic scale, as one page or one picture: loss and cost against size, a break-even."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError, UsageError
from fieldguide.reporting._charts import Spec
from fieldguide.reporting._drawings import Drawing, Studio
from fieldguide.reporting._layout import WIDE, Layout
from fieldguide.reporting._palette import AXIS, DOUBT, GRID, INK, MODELS, MUTED
from fieldguide.reporting._render import page_of, write_bytes

_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_HEIGHT = 300
_PLAIN_LABEL = "format(datum.value, '~g')"
_LABEL = "replace(format(datum.value, '~s'), 'G', 'B')"
_LEGEND_LINE_PX = 18
_NAME_PX = 16
"""Height of a name on a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: points from left to right, and where they are uncertain the band around them."""

    name: str
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float, float], ...] = ()
    """(x, low, high)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """One drawing and the table that says the same."""

    title: str
    description: str
    x_title: str
    y_title: str
    lines: tuple[Line, ...]
    log_y: bool = False
    marks: tuple[tuple[float, str], ...] = ()
    """(x, word) of places on the scale worth an upright line."""
    plain_y: bool = False
    """Whether figures at the upright scale are written as they are, without k, M and B."""
    names_on_lines: bool = False
    """Whether each line bears its name, where it begins or ends: for lines that lie apart. Else they share a corner."""

    @property
    def known(self) -> bool:
        """Whether there is anything to draw."""
        return any(line.points for line in self.lines)


def write_curves_html(title: str, lead: Sequence[str], figures: Sequence[Curves], path: Path) -> None:
    """Write one self-contained page, whole or not at all.

    Raises:
        UsageError: It cannot be written there.
    """
    studio = Studio()
    known = [curves for curves in figures if curves.known]
    drawn = [
        (curves, curves_drawing(curves, studio, f"figure-{number}"), table_rows(curves))
        for number, curves in enumerate(known)
    ]
    page = page_of("curves.html.j2", title=title, lead=lead, figures=drawn, charts_missing=studio.missing_because)
    write_bytes(page.encode("utf-8"), path)


def write_curves_png(curves: Curves, path: Path) -> None:
    """Write one drawing as PNG, at twice the density of a screen.

    Raises:
        MissingDependencyError: The extra `charts` is not installed.
        UsageError: It cannot be written there, or there is nothing to draw.
    """
    if not curves.known:
        raise UsageError("There is nothing to draw.", hint="Name hardware with a known price, or leave --png out.")
    try:
        import vl_convert
    except ImportError as error:
        raise MissingDependencyError("Drawing charts", extra="charts") from error
    spec = {**curves_chart(curves, WIDE), "background": "#ffffff", "title": curves.title}
    spec["padding"] = {**spec["padding"], "top": 40}
    write_bytes(bytes(vl_convert.vegalite_to_png(spec, vl_version="5.20", scale=2.0, allowed_base_urls=[])), path)


def curves_drawing(curves: Curves, studio: Studio, anchor: str) -> Drawing | None:
    """Return the drawing at both widths; None where charts cannot be drawn."""
    return studio.draw(
        lambda layout: curves_chart(curves, layout),
        anchor=anchor,
        title=curves.title,
        description=curves.description,
    )


def draw_curves(
    figures: Sequence[Curves],
) -> tuple[list[tuple[Curves, Drawing | None, list[tuple[str, ...]]]], str | None]:
    """Return each figure with its drawing and the rows of its table, and why drawings are missing where they are."""
    studio = Studio()
    drawn = [
        (curves, curves_drawing(curves, studio, f"curves-{number}"), table_rows(curves))
        for number, curves in enumerate(figures, start=1)
    ]
    return drawn, studio.missing_because


def curves_chart(curves: Curves, layout: Layout) -> Spec:
    """Return the specification at one width."""
    bands, points, names = [], [], []
    taken: list[tuple[int, float]] = []
    left, right = (64 if layout.labels_above else 90), 30
    for place, line in enumerate(curves.lines):
        color = MODELS[place % len(MODELS)].hex
        around = [{"x": x, "low": low, "high": high} for x, low, high in line.band]
        bands.append(_layer(around, _band_mark(), _band(curves, layout)))
        values = [{"x": x, "y": y, "line": place} for x, y in line.points]
        points.append(_layer(values, {"type": "line", "strokeWidth": 2.5, "color": color}, _line(curves, layout)))
        if curves.names_on_lines:
            names.append(_named_on_itself(line, color, curves, layout, taken))
        elif len(curves.lines) > 1:
            at: Spec = {"x": {"value": layout.width - left - right - 6}, "y": {"value": _legend_y(curves, place)}}
            names.append(_layer([{"text": line.name}], _name_mark(layout, color), {**at, **_TEXT}))
    uprights = [_upright(x, word, curves, layout) for x, word in curves.marks]
    return {
        "$schema": _SCHEMA,
        "width": layout.width - left - right,
        "height": _HEIGHT,
        "padding": {"left": left, "right": right, "top": 18, "bottom": 52},
        "autosize": "none",
        "background": None,
        "config": {"view": {"stroke": None}, "aria": False},
        "layer": [*bands, *points, *(part for upright in uprights for part in upright), *names],
    }


_TEXT: Spec = {"text": {"field": "text", "type": "nominal"}}


def _named_on_itself(line: Line, color: str, curves: Curves, layout: Layout, taken: list[tuple[int, float]]) -> Spec:
    """Return a line's name where it begins, or where it ends if another is too near there; `taken` is added to."""
    heights = [_height(y, curves) for y in _every(curves)]
    near = _NAME_PX / _HEIGHT * (max(heights) - (min(heights) if curves.log_y else min(0.0, *heights)))

    def crowd(end: int) -> int:
        height = _height(line.points[end][1], curves)
        return sum(other == end and abs(height - at) < near for other, at in taken)

    end = min((0, -1), key=crowd)
    x, y = line.points[end]
    taken.append((end, _height(y, curves)))
    side: Spec = {"align": "left", "dx": 6} if end == 0 else {"align": "right", "dx": -6}
    mark = {**_name_mark(layout, color), **side, "baseline": "bottom", "dy": -3}
    encoding = {"x": _across(curves, layout), "y": _upwards("y", curves, layout), **_TEXT}
    return _layer([{"text": line.name, "x": x, "y": y}], mark, encoding)


def _legend_y(curves: Curves, place: int) -> int:
    """Return the height of a line's name: at the right, in the corner that the first line does not end in."""
    points = curves.lines[0].points
    rises = len(points) > 1 and points[-1][1] > points[0][1]
    top = _HEIGHT - 10 - _LEGEND_LINE_PX * (len(curves.lines) - 1) if rises else 12
    return top + _LEGEND_LINE_PX * place


def _layer(values: list[dict[str, Any]], mark: Spec, encoding: Spec) -> Spec:
    return {"data": {"values": values}, "mark": {**mark, "tooltip": None, "aria": False}, "encoding": encoding}


def _line(curves: Curves, layout: Layout) -> Spec:
    return {"x": _across(curves, layout), "y": _upwards("y", curves, layout)}


def _upwards(field: str, curves: Curves, layout: Layout) -> Spec:
    made = _axis(field, curves.y_title, layout, log=curves.log_y)
    if curves.log_y:
        made["axis"]["values"] = _ticks(_every(curves))
    if curves.plain_y:
        made["axis"]["labelExpr"] = _PLAIN_LABEL
        made["scale"]["zero"] = not curves.log_y
    return made


def _every(curves: Curves) -> list[float]:
    """Return all figures that the upright scale shows."""
    every = [y for line in curves.lines for _, y in line.points]
    return every + [end for line in curves.lines for _, low, high in line.band for end in (low, high)]


def _height(y: float, curves: Curves) -> float:
    return math.log(y) if curves.log_y else y


def _across(curves: Curves, layout: Layout) -> Spec:
    made = _axis("x", curves.x_title, layout, log=True)
    made["axis"]["values"] = _ticks([x for line in curves.lines for x, _ in line.points])
    return made


def _ticks(values: Sequence[float]) -> list[float]:
    """Return 1 and 3 of each power of ten within the values."""
    powers = range(math.floor(math.log10(min(values))), math.ceil(math.log10(max(values))) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 3)]
    return [tick for tick in ticks if min(values) <= tick <= max(values)]


def _band(curves: Curves, layout: Layout) -> Spec:
    return {
        "x": _across(curves, layout),
        "y": _upwards("low", curves, layout),
        "y2": {"field": "high"},
    }


def _band_mark() -> Spec:
    return {"type": "area", "color": DOUBT.hex, "opacity": 0.6}


def _name_mark(layout: Layout, color: str) -> Spec:
    return {"type": "text", "align": "right", "fontSize": layout.font_px, "fontWeight": "bold", "color": color}


def _axis(field: str, title: str, layout: Layout, *, log: bool) -> Spec:
    scale: Spec = {"type": "log", "nice": False} if log else {"zero": False, "nice": True}
    axis = {
        "title": title,
        "titleFontSize": layout.font_px,
        "titleColor": INK.hex,
        "labelFontSize": layout.font_px,
        "labelColor": MUTED.hex,
        "labelExpr": _LABEL,
        "labelOverlap": True,
        "tickCount": 5,
        "domainColor": AXIS.hex,
        "tickColor": AXIS.hex,
        "gridColor": GRID.hex,
    }
    return {"field": field, "type": "quantitative", "scale": scale, "axis": axis}


def _upright(x: float, word: str, curves: Curves, layout: Layout) -> tuple[Spec, Spec]:
    at = {"x": _across(curves, layout)}
    rule = {"type": "rule", "color": INK.hex, "strokeWidth": 1, "strokeDash": [4, 3]}
    text = {"type": "text", "align": "left", "dx": 5, "fontSize": layout.font_px, "color": INK.hex}
    return (
        _layer([{"x": x}], rule, {**at, "y": {"value": 0}, "y2": {"value": _HEIGHT}}),
        _layer(
            [{"x": x, "text": word}], text, {**at, "y": {"value": _HEIGHT - 8 if curves.names_on_lines else 8}, **_TEXT}
        ),
    )


def table_rows(curves: Curves) -> list[tuple[str, ...]]:
    """Return the rows of the table beside a drawing: x, then the value of each line, to three figures."""
    every = sorted({x for line in curves.lines for x, _ in line.points})
    chosen = every[:: max(1, len(every) // 12)]
    known = [dict(line.points) for line in curves.lines]
    return [(_figure(x), *(_figure(line.get(x)) for line in known)) for x in chosen]


def _figure(value: float | None) -> str:
    if value is None:
        return "n/a"
    for size, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
