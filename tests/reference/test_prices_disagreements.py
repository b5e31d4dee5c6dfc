"""The known disagreements between genai-prices, litellm and models.dev are all shown."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from fieldguide.catalogue.prices import Offer, Shelf, Wanted, bill, listings_by_provider, offer, provider_name, shelf
from tests.support.shared import shared

COUNTS = {"input_tokens": 1000, "output_tokens": 1000}
DAY = date(2026, 11, 25)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """What comes with the program and its packages."""
    pytest.importorskip("genai_prices", reason="needs the extra `prices`")
    return shelf(tmp_path_factory.mktemp("home"))


def _rows() -> list[dict[str, str]]:
    with shared("facts", "prices", "price_disagreements.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _offer(books: Shelf, row: dict[str, str]) -> Offer:
    provider = provider_name(row["provider"])
    found = listings_by_provider(books.books, Wanted(names=(row["model"],), by_rule=True), provider)
    return offer(provider, found.get(provider, []), COUNTS, DAY)


def _per_request(row: dict[str, str], source: str) -> Decimal | None:
    price_in, price_out = row[f"{source}_in"], row[f"{source}_out"]
    if not price_in or not price_out:
        return None
    return (Decimal(price_in) + Decimal(price_out)) / 1000


def _oldest(made: Offer) -> Decimal | None:
    """What the first dated price of genai-prices comes to: the table was made from that, without looking at dates."""
    quote = next(each for each in made.quotes if each.listing.source.name.startswith("genai-prices"))
    return bill(quote.listing.prices[0].rates, COUNTS).total


def test_known_disagreements_are_shown(books: Shelf) -> None:
    """Where another source asks for something else, the offer says so, or a date tells why they agree by now.

    38 of the table's 97 differing pairs are no disagreement at the day of this test: the table holds the oldest of
    several dated prices of genai-prices, or a price that litellm does not list (image models), or (perplexity/sonar)
    the row of another model.
    """
    missed, shown, dated, unlisted = [], 0, 0, 0
    for row in _rows():
        genai = _per_request(row, "genai")
        others = [_per_request(row, name) for name in ("litellm", "modelsdev") if row[f"{name}_agrees"] == "False"]
        if genai is None or all(each is None or 0.99 < each / genai < 1.01 for each in others):
            continue
        made = _offer(books, row)
        if made.disagree or any(quote.flag for quote in made.quotes):
            assert len({quote.total for quote in made.quotes}) > 1
            assert made.disagree == any("sources disagree" in note for note in made.notes)
            shown += 1
        elif made.used is not None and made.used.total != genai and _oldest(made) == genai:
            dated += 1
        elif any(quote.total is None for quote in made.quotes):
            unlisted += 1
        else:
            missed.append((row["provider"], row["model"]))
    assert missed == [("perplexity", "perplexity/sonar")]
    assert (shown, dated, unlisted) == (58, 33, 5)


def test_agreements_raise_no_alarm(books: Shelf) -> None:
    """Where all three agree genai-prices' price is used, and it is the table's or has a later date."""
    agreed = 0
    for row in _rows():
        if row["litellm_agrees"] == "True" and row["modelsdev_agrees"] == "True":
            made = _offer(books, row)
            assert made.used is not None, row
            assert made.used.listing.source.name.startswith("genai-prices"), row
            if made.used.total == _per_request(row, "genai"):
                assert not made.disagree, row
                agreed += 1
            else:
                charged = {rate.unit.name for rate in made.used.listing.prices[0].rates}
                assert len(made.used.listing.prices) > 1 or "requests" in charged, row
    assert agreed >= 46


def test_a_slip_of_units_is_not_believed(books: Shelf) -> None:
    """litellm has jais-30b-chat at $3,200 and $9,710 a million tokens, a thousand times too much."""
    found = listings_by_provider(books.books, Wanted(names=("jais-30b-chat",)), "azure")
    made = offer("azure", found["azure"], COUNTS, DAY)
    assert made.used is None
    assert any("cannot be right" in (quote.flag or "") for quote in made.quotes)


def test_the_snapshots_are_what_the_tables_hold(books: Shelf, tmp_path: Path) -> None:
    """Every row with an input price in models.dev's table is in the book, with that price."""
    with shared("facts", "prices", "modelsdev_provider_models.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["usd_in_per_mtok"]]
    book = next(each for each in books.books if each.source.name == "models.dev")
    held = {(entry.provider, entry.model): book.listing(entry) for entry in book.entries}
    twice: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (provider_name(row["provider"]), row["model_id"])
        twice[key] = twice.get(key, 0) + 1
    for row in rows:
        key = (provider_name(row["provider"]), row["model_id"])
        rates = {rate.unit.name: rate.amount for rate in held[key].prices[0].rates}
        if twice[key] == 1:
            assert rates["input_tokens"] == Decimal(row["usd_in_per_mtok"]), row
