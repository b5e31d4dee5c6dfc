"""Prices as evaluate, the gateway and others ask for them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from fieldguide.app.evaluate import EvaluateRequest, _price, known_price
from fieldguide.app.prices import moment, names_of, price_of
from fieldguide.app.references import OpenedModel
from fieldguide.app.wiring import open_house
from fieldguide.domain import CompletionRequest, JsonValue, ResolvedModel, Usage
from fieldguide.errors import UsageError
from fieldguide.testing import FakeRunner

pytest.importorskip("genai_prices", reason="needs the extra `prices`")


class _Known(FakeRunner):
    """A runner whose model has a place and an id."""

    identity: dict[str, JsonValue]

    @property
    def model(self) -> ResolvedModel:
        return ResolvedModel(name="m", reference="m", identity=self.identity)


def _opened(identity: dict[str, JsonValue]) -> OpenedModel:
    runner = _Known()
    runner.identity = identity
    return OpenedModel(runner=runner, provider="openai-compatible", licence=None, took=None)


def test_a_price_comes_with_its_source(tmp_path: Path) -> None:
    """Under the provider's own id of a snapshot, cached tokens at half."""
    price = price_of(tmp_path, "openai", "gpt-4o-2024-11-20", date(2026, 11, 25))
    assert price is not None
    assert price.source.name.startswith("genai-prices")
    assert "read 2026" in price.description
    usage = Usage(input_tokens=1_000_000, cached_input_tokens=400_000, output_tokens=100_000)
    assert price.cost_of(usage) == Decimal("0.6") * Decimal("2.5") + Decimal("0.4") * Decimal("1.25") + 1


def test_free_quotas_and_strangers_have_no_price(tmp_path: Path) -> None:
    """A budget cannot rest on 0, nor on nothing."""
    assert price_of(tmp_path, "github-models", "openai/gpt-4o") is None
    assert price_of(tmp_path, "openai", "no-such-model") is None
    assert price_of(tmp_path, "no-such-provider", "gpt-4o") is None


def test_names_of_the_catalogue_are_those_at_its_places(tmp_path: Path) -> None:
    """A member is known by what each place calls it; a stranger by its own name and the rules of the sources."""
    wanted, entry = names_of(tmp_path, "Qwen/Qwen2.5-72B-Instruct")
    assert entry is not None
    assert entry.member.name == "qwen2.5-72b-instruct"
    assert "qwen2.5-72b-instruct" in wanted.names
    assert not wanted.by_rule
    stranger, nothing = names_of(tmp_path, "gpt-99")
    assert nothing is None
    assert stranger.by_rule


def test_a_run_is_priced_where_provider_and_model_are_known(tmp_path: Path) -> None:
    """By the address or the provider's name; never on loopback; a price that was given goes before."""
    house = open_house({"home": tmp_path})
    request = EvaluateRequest(models=("m",), benchmarks=("ladder",))
    identities: tuple[dict[str, JsonValue], ...] = (
        {"provider": "openai-compatible", "base_url": "https://api.openai.com/v1", "model": "gpt-4o"},
        {"provider": "openai", "model": "gpt-4o"},
    )
    for identity in identities:
        opened = _opened(identity)
        known = known_price(house, opened)
        price = _price(request, opened, known)
        assert price is not None, identity
        assert (price.input_usd_per_mtok, price.output_usd_per_mtok) == (Decimal("2.5"), Decimal(10))
        assert price.as_json()["source"] == known.description if known else None
        assert price.cost_usd(Usage(input_tokens=1000, cached_input_tokens=1000, output_tokens=0)) == Decimal("0.00125")
        asked = CompletionRequest(prompt="x" * 300, max_output_tokens=100)
        assert price.most_usd(asked) == (116 * Decimal("2.5") + 100 * 10) / 1_000_000
    here = _opened({"provider": "openai-compatible", "base_url": "http://127.0.0.1:8000/v1", "model": "gpt-4o"})
    assert known_price(house, here) is None
    given = EvaluateRequest(
        models=("m",), benchmarks=("ladder",), price_in_usd_per_mtok=Decimal(7), price_out_usd_per_mtok=Decimal(8)
    )
    price = _price(given, opened, known)
    assert price is not None
    assert (price.input_usd_per_mtok, price.source) == (Decimal(7), "given")


def test_a_day_or_a_time() -> None:
    """As `--at` takes them."""
    assert moment(None) is None
    assert moment("2026-01-31") == date(2026, 1, 31)
    assert moment("2026-01-31T18:00") == datetime(2026, 1, 31, 18)
    for text in ("yesterday", "2026-13-01", "2026-1-1T"):
        with pytest.raises(UsageError):
            moment(text)
