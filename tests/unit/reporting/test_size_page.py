"""The page about sizes: charts with the table that holds their figures, and nothing from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from fieldguide.reporting import SizeChart, SizeMark, SizeMeaning, SizePage, render_size_page


def mark(label: str, parameters: int, value: float, step: float | None = None) -> SizeMark:
    return SizeMark(
        label=label,
        parameters=parameters,
        value=value,
        printed=f"{100 * value:.1f}",
        low=value - 0.05,
        high=value + 0.05,
        step=step,
        step_low=None if step is None else step - 0.1,
        step_high=None if step is None else step + 0.1,
        per_doubling=step,
        supported=None if step is None else False,
    )


PAGE = SizePage(
    title="Toy: what its sizes buy",
    created=datetime(2026, 1, 2, tzinfo=UTC),
    command="fieldguide show toy --html toy.html",
    note="More helps a little.",
    meanings=(
        SizeMeaning(label="1B", parameters=1_234_567_890, exact=True, embedding_share=0.125, active=None),
        SizeMeaning(label="9B", parameters=None, exact=False, embedding_share=None, active=None),
    ),
    charts=(
        SizeChart(
            title="gpqa@diamond, instruct (toy-report)",
            sentence="1B to 4B: +10.0 points.",
            source="https://example.org; questions: 198",
            marks=(mark("1B", 10**9, 0.30), mark("4B", 4 * 10**9, 0.40, 0.10)),
        ),
    ),
)


def test_every_figure_of_a_chart_stands_in_its_table() -> None:
    """With interval, step and gain for each doubling; unknown is n/a."""
    page = render_size_page(PAGE)
    assert page.count("<svg") == 2
    for figure in ("1,234,567,890", "12.5 %", "30.0 %", "(25.0 to 35.0)", "+10.0", "More helps a little."):
        assert figure in page
    assert '<td><span class="na">n/a</span></td>' in page


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    """No script, no address that a browser would fetch."""
    page = render_size_page(PAGE)
    assert "<script" not in page
    assert 'src="' not in page
    assert "default-src 'none'" in page


def test_prices_are_drawn_where_two_are_known() -> None:
    """A second chart, with dollars along its axis, and a column in the table of sizes."""
    [chart] = PAGE.charts
    marks = tuple(replace(each, output_usd_per_mtok=Decimal(price)) for each, price in zip(chart.marks, ("0.5", "2")))
    meanings = (replace(PAGE.meanings[0], input_usd_per_mtok=Decimal("0.1"), output_usd_per_mtok=Decimal("0.5")),)
    page = render_size_page(replace(PAGE, meanings=meanings, charts=(replace(chart, marks=marks),)))
    assert page.count("<svg") == 4
    assert "US dollars per million tokens" in page
    assert ">$1<" in page


def test_foreign_text_is_escaped() -> None:
    """A title from a file of somebody else's cannot write markup."""
    page = render_size_page(replace(PAGE, title="<b>bold</b>", note="\u202eturned"))
    assert "<b>bold" not in page
    assert "\u202e" not in page


def test_without_series_the_page_says_so() -> None:
    """No chart is better than one of unlike protocols."""
    page = render_size_page(replace(PAGE, charts=()))
    assert "No table in the ledger holds two or more" in page
    assert "<svg" not in page
