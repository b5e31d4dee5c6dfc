"""One page about the sizes of a family: what the labels mean, and scores against size and price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from fieldguide.reporting._curve import CurvePoint, curve_chart
from fieldguide.reporting._curves import Curves, curves_drawing, table_rows
from fieldguide.reporting._drawings import Drawing, Studio
from fieldguide.reporting._numbers import percent_interval
from fieldguide.reporting._render import page_of, write_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeMeaning:
    """One size; None means unknown."""

    label: str
    parameters: int | None
    exact: bool
    embedding_share: float | None
    """Part of the weights (fraction)."""
    active: int | None
    """Weights that take part in one token, where fewer than all."""
    input_usd_per_mtok: Decimal | None = None
    output_usd_per_mtok: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeNeedShown:
    """What one size needs; None means unknown."""

    label: str
    gigabytes: tuple[float | None, ...]
    """In BF16, Q8_0 and Q4_K_M (10^9 bytes)."""
    context_tokens: int
    smallest: str | None
    """Device that holds it in Q4_K_M."""
    low: float | None
    """Tokens per second there."""
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeMark:
    """One size in one row of a table. Fractions; None means unknown."""

    label: str
    parameters: int
    value: float
    printed: str
    """The value as its source prints it (percent)."""
    low: float | None
    high: float | None
    step: float | None
    """Above the next smaller size."""
    step_low: float | None
    step_high: float | None
    per_doubling: float | None
    supported: bool | None
    output_usd_per_mtok: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeChart:
    """One row of a table that holds several sizes, smallest first."""

    title: str
    sentence: str
    source: str
    marks: tuple[SizeMark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePage:
    """Everything the page shows."""

    title: str
    created: datetime
    """With its zone; shown in UTC."""
    command: str
    note: str | None
    """What the catalogue's editors say of the sizes, with its source."""
    meanings: tuple[SizeMeaning, ...]
    charts: tuple[SizeChart, ...]
    needs: tuple[SizeNeedShown, ...] = ()
    memory: Curves | None = None
    """Memory against context, a line for each size."""


def render_size_page(page: SizePage) -> str:
    """Return the page as HTML that loads nothing and runs nothing; the same page gives the same text."""
    studio = Studio()
    drawn = _drawn_rows(page.charts, studio)
    return page_of(
        "sizes.html.j2",
        page=page,
        charts=drawn,
        memory=None if page.memory is None else curves_drawing(page.memory, studio, "memory-chart"),
        memory_rows=[] if page.memory is None else table_rows(page.memory),
        charts_missing=studio.missing_because,
        priced=any(each.output_usd_per_mtok is not None for each in page.meanings),
        places={},
    )


def draw_sizes(
    charts: Sequence[SizeChart],
) -> tuple[list[tuple[SizeChart, Drawing | None, Drawing | None]], str | None]:
    """Return each row with its charts, by size and by price, and why charts are missing where they are."""
    studio = Studio()
    return _drawn_rows(charts, studio), studio.missing_because


def _drawn_rows(charts: Sequence[SizeChart], studio: Studio) -> list[tuple[SizeChart, Drawing | None, Drawing | None]]:
    return [
        (chart, _by_size(f"chart-{number}", chart, studio), _by_price(f"price-{number}", chart, studio))
        for number, chart in enumerate(charts, start=1)
    ]


def write_size_page(page: SizePage, path: Path) -> None:
    """Write the page to `path`, whole or not at all.

    Raises:
        UsageError: The folder does not exist or cannot be written to, or `path` is a folder.
    """
    write_bytes(render_size_page(page).encode("utf-8"), path)


def _by_size(anchor: str, chart: SizeChart, studio: Studio) -> Drawing | None:
    points = [_point(mark, float(mark.parameters)) for mark in chart.marks]
    return _drawn(anchor, f"Score against parameters: {chart.title}", points, chart.marks, "parameters", studio)


def _by_price(anchor: str, chart: SizeChart, studio: Studio) -> Drawing | None:
    """Draw scores against the price of output, where it is known of two sizes at least."""
    priced = [mark for mark in chart.marks if mark.output_usd_per_mtok]
    if len(priced) < 2:
        return None
    points = [_point(mark, float(mark.output_usd_per_mtok or 0)) for mark in priced]
    points.sort(key=lambda point: point.x)
    return _drawn(anchor, f"Score against price of output: {chart.title}", points, priced, "usd", studio)


def _drawn(
    anchor: str, title: str, points: Sequence[CurvePoint], marks: Sequence[SizeMark], unit: str, studio: Studio
) -> Drawing | None:
    told = "; ".join(f"{mark.label} {percent_interval(mark.value, mark.low, mark.high)}" for mark in marks)
    return studio.draw(
        lambda layout: curve_chart(points, layout, unit=unit), anchor=anchor, title=title, description=told
    )


def _point(mark: SizeMark, x: float) -> CurvePoint:
    return CurvePoint(x=x, value=mark.value, low=mark.low, high=mark.high, label=mark.label)
