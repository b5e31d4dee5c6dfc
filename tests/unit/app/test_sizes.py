"""Sizes explained: counts, rows of tables, and prices where somebody knows them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from fieldguide.app import sizes as sizes_module
from fieldguide.app.show import SizePrice, show_model
from fieldguide.app.sizes import explain_sizes, series_title, sizes_json, write_sizes_html
from fieldguide.catalogue import Member


def test_prices_reach_table_json_and_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As plain values, by member; a member without a price has none, never 0."""
    dollars = {"qwen2.5-7b-instruct": "0.7", "qwen2.5-14b-instruct": "1.4", "qwen2.5-72b-instruct": "5.6"}

    def price_of(home: Path, member: Member) -> SizePrice | None:
        if member.name not in dollars:
            return None
        cost = Decimal(dollars[member.name])
        return SizePrice(input_usd_per_mtok=cost / 4, output_usd_per_mtok=cost, source="a price list")

    monkeypatch.setattr(sizes_module, "price_of", price_of)
    page = show_model(tmp_path, "qwen2.5")
    explained = explain_sizes(page, tmp_path)
    shown = {each["size"]: each["price"] for each in sizes_json(explained)["meanings"]}
    assert shown["7B"] == {"input_usd_per_mtok": 0.175, "output_usd_per_mtok": 0.7, "source": "a price list"}
    assert shown["3B"] is None
    file = tmp_path / "page.html"
    write_sizes_html(page, explained, file, command="fieldguide show qwen2.5")
    assert "Score against price of output" in file.read_text(encoding="utf-8")


def test_tuned_models_come_before_base_models(tmp_path: Path) -> None:
    """A row holds one tuning; the rows of the benchmarks that the exams are made for come first."""
    explained = explain_sizes(show_model(tmp_path, "qwen2.5"), tmp_path)
    tunings = [series.tuning for series in explained.series]
    assert tunings == sorted(tunings, key=lambda tuning: tuning == "base")
    assert series_title(explained.series[0]) == "gpqa@diamond, instruct (qwen2.5-report)"
    assert all({point.tuning for point in series.points} == {series.tuning} for series in explained.series)


def test_one_model_has_no_series(tmp_path: Path) -> None:
    """What its own size means is told all the same."""
    explained = explain_sizes(show_model(tmp_path, "qwen2.5-7b-instruct"), tmp_path)
    assert explained.series == ()
    [only] = explained.meanings
    assert only.parameters == 7615616512
