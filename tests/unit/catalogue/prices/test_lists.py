"""Lists as their owners write them, read into our own form."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fieldguide.catalogue.prices import UNITS, book_from_list, read_book
from fieldguide.catalogue.prices import _genai as genai
from fieldguide.catalogue.prices import _modelsdev as modelsdev
from fieldguide.catalogue.prices._litellm import line_of_row
from fieldguide.errors import CatalogueError

DAY = date(2026, 11, 25)


def _model(**more: Any) -> dict[str, Any]:
    return {"id": "m", "match": {"equals": "m"}, "prices": {"input_mtok": Decimal("1.5")}, **more}


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        ("input_mtok", "input_tokens"),
        ("cache_read_mtok", "cached_input_tokens"),
        ("cache_audio_write_1h_mtok", "cache_write_1h_audio_input_tokens"),
        ("output_reasoning_mtok", "reasoning_output_tokens"),
        ("input_image_tool_mtok", "tool_image_input_tokens"),
        ("audio_hours", "audio_seconds"),
        ("new_thing_mtok", None),
        ("cache_mtok", None),
    ],
)
def test_keys_of_genai_prices_are_units_of_ours(key: str, unit: str | None) -> None:
    """A key that we do not know is not guessed at."""
    found = genai.unit_of(key)
    assert (None if found is None else found.name) == unit


def test_every_unit_of_genai_prices_has_one_of_ours() -> None:
    """With the same number of things that the price is for."""
    units = pytest.importorskip("genai_prices.data_units", reason="needs the extra `prices`").unit_data
    for theirs in units.values():
        ours = genai.unit_of(theirs["price_key"])
        assert ours is not None, theirs
        assert ours.per == theirs["per"]
        assert UNITS[ours.name] is ours


def test_charges_in_unknown_units_are_named_and_not_dropped() -> None:
    """The listing says that there is more to pay."""
    malformed: list[str] = []
    priced = _model(prices={"input_mtok": 1, "smells_mtok": 2})
    (line,) = genai.lines_of([{"id": "p", "models": [priced]}], malformed)
    assert line["not"] == ["smells_mtok"]
    assert malformed == []


def test_a_condition_that_we_do_not_know_is_no_price_at_all() -> None:
    """It is not taken for a price that always holds."""
    malformed: list[str] = []
    odd = _model(prices=[{"prices": {"input_mtok": 1}, "constraint": {"on_weekdays": "all"}}])
    lines = genai.lines_of([{"id": "p", "models": [odd, _model()]}], malformed)
    assert len(lines) == 1
    assert "condition" in malformed[0]


def test_hours_with_a_zone_become_those_of_utc() -> None:
    """As genai-prices reads them."""
    prices = [{"prices": {"input_mtok": 1}, "constraint": {"start_time": "00:30:00+08:00", "end_time": "08:00:00Z"}}]
    (line,) = genai.lines_of([{"id": "p", "models": [_model(prices=prices)]}], [])
    assert line["d"][0]["hours"] == ["16:30", "08:00"]


def test_models_dev_gives_tiers_in_two_ways() -> None:
    """By size, and the older `context_over_200k`."""
    older = modelsdev.rates_of({"input": 1, "output": 2, "context_over_200k": {"input": 3}})
    newer = modelsdev.rates_of({"input": 1, "output": 2, "tiers": [{"tier": {"size": 200_000}, "input": 3}]})
    assert older == newer
    assert [rate.at(200_001) for rate in newer] == [3, 2]


def test_litellm_prices_single_tokens() -> None:
    """Binary fractions become the decimal ones that they stand for; a region's own price is left out."""
    row = dict.fromkeys(
        ("input_cost_per_token", "output_cost_per_token", "input_cost_per_token_batches", "source", "mode"), ""
    )
    chat = {**row, "model": "x/m", "litellm_provider": "x", "mode": "chat", "input_cost_per_token": "2.8e-07"}
    line = line_of_row(chat)
    assert line is not None
    assert (line["m"], line["d"][0]["r"]) == ("m", {"input_tokens": "0.28"})
    assert line_of_row({**chat, "model": "bedrock/us-east-1/m", "litellm_provider": "bedrock"}) is None
    assert line_of_row({**chat, "input_cost_per_token": ""}) is None


def test_a_list_of_which_much_cannot_be_read_is_refused() -> None:
    """One odd model of a hundred is left out, six are a new form that we do not know."""
    good = [_model(id=f"m{number}") for number in range(94)]
    content = '[{{"id": "p", "models": {}}}]'

    def listed(odd: int) -> bytes:
        return content.format(json.dumps([*good, *[{"id": "odd"}] * odd], default=float)).encode()

    assert len(read_book(book_from_list("genai-prices", listed(1), DAY, {}), "f").entries) == 94
    with pytest.raises(CatalogueError, match="cannot be read"):
        book_from_list("genai-prices", listed(6), DAY, {})
