"""Our arithmetic against genai-prices' own calculation, model by model: the package is the authority on its data."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fieldguide.catalogue.prices import BATCH, Book, Listing, bill, read_book, write_book
from fieldguide.catalogue.prices._genai import from_package

genai_prices = pytest.importorskip("genai_prices", reason="needs the extra `prices`")

USAGES: tuple[dict[str, int], ...] = (
    {"input_tokens": 1, "output_tokens": 1},
    {"input_tokens": 1234, "output_tokens": 567},
    {"input_tokens": 150_000, "output_tokens": 8_000, "cache_read_tokens": 149_000},
    {"input_tokens": 200_000, "output_tokens": 10},
    {"input_tokens": 200_001, "output_tokens": 10, "cache_read_tokens": 50_000},
    {"input_tokens": 900_000, "output_tokens": 60_000, "cache_read_tokens": 100, "cache_write_tokens": 5_000},
    {"input_tokens": 10_000, "output_tokens": 9_000, "output_reasoning_tokens": 8_000},
)
OURS = {
    "cache_read_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_input_tokens",
    "output_reasoning_tokens": "reasoning_output_tokens",
}
MOMENTS = (
    datetime(2024, 6, 1, 12, tzinfo=UTC),
    datetime(2025, 3, 15, 18, 0, tzinfo=UTC),
    datetime(2026, 11, 20, 3, 30, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def book() -> Book:
    """The package as a book, through the file that keeps it."""
    source, lines = from_package()
    return read_book(write_book(source, lines, {}), "genai-prices")


@pytest.fixture(scope="module")
def pairs(book: Book) -> list[tuple[Any, Any, Listing]]:
    """(provider, model, our listing) in the package's order."""
    from genai_prices.data import providers

    models = [(provider, model) for provider in providers for model in provider.models]
    assert len(models) == len(book.entries) > 2000
    return [(provider, model, book.listing(entry)) for (provider, model), entry in zip(models, book.entries)]


def _ours(listing: Listing, usage: dict[str, int], moment: datetime, variant: str | None) -> Decimal:
    (dated,) = listing.rates_on(moment, variant)
    counts = {OURS.get(name, name): count for name, count in usage.items()}
    return sum((line.price for line in bill(dated.rates, counts).lines), Decimal(0))


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_every_model_costs_what_genai_prices_says(pairs: list[tuple[Any, Any, Listing]], moment: datetime) -> None:
    """Tiers, cached and written tokens, reasoning, dated prices and hours: the same total to the last digit."""
    checked = 0
    for provider, model, listing in pairs:
        for usage in USAGES:
            theirs = model.calc_price(genai_prices.Usage(**usage), provider, genai_request_timestamp=moment)
            assert _ours(listing, usage, moment, None) == theirs.total_price, (provider.id, model.id, usage)
            checked += 1
    assert checked > 15_000


def test_batch_prices_are_those_of_genai_prices(pairs: list[tuple[Any, Any, Listing]]) -> None:
    """Where it has a batch price ours is the same, and where it has none ours is unknown and not the usual one."""
    moment, checked = MOMENTS[-1], 0
    for provider, model, listing in pairs:
        active = [
            variant
            for variant in model.price_variants or ()
            if variant.when == {"processing": "batch"}
            and (variant.constraint is None or variant.constraint.active(moment))
        ]
        if not active:
            assert listing.rates_on(moment, BATCH) == ()
            continue
        for usage in USAGES:
            theirs = model.calc_price(
                genai_prices.Usage(**usage),
                provider,
                genai_request_timestamp=moment,
                price_context={"processing": "batch"},
            )
            assert _ours(listing, usage, moment, BATCH) == theirs.total_price, (provider.id, model.id, usage)
            checked += 1
    assert checked > 300


def test_audio_is_charged_by_the_hour(pairs: list[tuple[Any, Any, Listing]]) -> None:
    """Seconds of audio; Groq's least of 10 s a request is not modelled, so that longer ones are compared."""
    checked = 0
    for provider, model, listing in pairs:
        (dated,) = listing.rates_on(MOMENTS[-1])
        units = {rate.unit.name for rate in dated.rates}
        if units & {"audio_seconds", "audio_input_seconds"}:
            theirs = model.calc_price(
                genai_prices.Usage(audio_seconds=930, input_audio_seconds=930),
                provider,
                genai_request_timestamp=MOMENTS[-1],
            )
            made = bill(dated.rates, {"audio_seconds": 930, "audio_input_seconds": 930})
            assert sum(line.price for line in made.lines) == theirs.total_price, (provider.id, model.id)
            checked += 1
    assert checked >= 10


def test_names_are_covered_as_genai_prices_covers_them(book: Book, pairs: list[tuple[Any, Any, Listing]]) -> None:
    """A rule or a list of names in the book accepts exactly what the package's does."""
    names = sorted({model.id for _, model, _ in pairs})[::7] + [f"{model.id}-20251211" for _, model, _ in pairs[::50]]
    for (_, model, _), entry in list(zip(pairs, book.entries))[::5]:
        for name in names:
            ours = (
                entry.covers(name.lower())
                if entry.rule is not None
                else name.lower() in {*entry.line.get("a", ()), model.id.lower()}
            )
            if model.is_match(name) or name != model.id:  # its own id counts as its name with us in any case
                assert ours == model.is_match(name), (model.id, name)
