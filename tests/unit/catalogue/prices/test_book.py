"""Books of prices as files, names that they cover, and our own prices."""

from __future__ import annotations

import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.prices import (
    UNITS,
    DatedRates,
    PriceSource,
    Rate,
    Wanted,
    listings_by_provider,
    own_books,
    provider_name,
    provider_of_url,
    read_book,
    read_own,
    write_book,
)
from fieldguide.catalogue.prices._book import line_of
from fieldguide.catalogue.prices._clauses import checked_rule, covers
from fieldguide.errors import CatalogueError

SOURCE = PriceSource(name="s", url="https://example.org", licence="MIT", read=date(2026, 1, 2))
PRICE = DatedRates(rates=(Rate(unit=UNITS["input_tokens"], amount=Decimal("2.50"), tiers=((200_000, Decimal("5")),)),))


def test_a_book_comes_back_as_it_was_written() -> None:
    """Amounts digit by digit, and the same bytes for the same content."""
    lines = [line_of("p", "m", [PRICE], names=["M-alias", "m"])]
    content = write_book(SOURCE, lines, {"etag": '"x"'})
    assert content == write_book(SOURCE, lines, {"etag": '"x"'})
    book = read_book(content, "f")
    assert book.source == SOURCE
    assert book.facts == {"etag": '"x"'}
    assert book.entries[0].names == ("m", "m-alias")
    listing = book.listing(book.entries[0])
    assert listing.prices == (PRICE,)
    assert str(listing.prices[0].rates[0].amount) == "2.50"


@given(st.binary(max_size=300))
def test_bytes_that_are_no_book_are_refused(content: bytes) -> None:
    """Whatever lies in the user's folder."""
    for each in (content, gzip.compress(content)):
        with pytest.raises(CatalogueError):
            read_book(each, "f")


@given(st.integers(1, 200))
def test_a_cut_book_is_refused(less: int) -> None:
    """A disk that was full in the middle of it."""
    content = write_book(SOURCE, [line_of("p", f"m{number}", [PRICE]) for number in range(20)], {})
    with pytest.raises(CatalogueError):
        read_book(content[: -min(less, len(content))], "f")


def test_names_that_would_do_something_to_a_terminal_are_refused() -> None:
    """Escape sequences in a list from the network."""
    for name in ("\x1b[2Jm", "", "m" * 301, "m\nn"):
        with pytest.raises(ValueError, match="not a name"):
            line_of("p", name, [PRICE])


def test_the_own_id_goes_before_a_rule_and_a_rule_before_a_likeness() -> None:
    """gpt-4o-mini is not priced as gpt-4o by a rule that covers both."""
    book = read_book(
        write_book(
            SOURCE,
            [
                line_of("openai", "gpt-4o", [PRICE], rule={"starts_with": "gpt-4o"}),
                line_of("openai", "gpt-4o-mini", [PRICE]),
                line_of("openrouter", "openai/gpt-4o-mini", [PRICE]),
                line_of("openrouter", "openai/gpt-4o-mini:free", [PRICE]),
            ],
            {},
        ),
        "f",
    )
    found = listings_by_provider([book], Wanted(names=("gpt-4o-mini",), by_rule=True))
    assert {provider: [each.model for each in listings] for provider, listings in found.items()} == {
        "openai": ["gpt-4o-mini"],
        "openrouter": ["openai/gpt-4o-mini"],
    }
    dated = listings_by_provider([book], Wanted(names=("gpt-4o-2024-11-20",), by_rule=True))
    assert [each.model for each in dated["openai"]] == ["gpt-4o"]
    assert listings_by_provider([book], Wanted(names=("gpt-4o-2024-11-20",))) == {}


def test_a_name_at_one_place_is_looked_for_there_alone() -> None:
    """What Model Studio calls qwen-max need not be that elsewhere."""
    book = read_book(
        write_book(SOURCE, [line_of("model-studio", "qwen-max", [PRICE]), line_of("other", "qwen-max", [PRICE])], {}),
        "f",
    )
    assert set(listings_by_provider([book], Wanted(names=("x",), at=(("model-studio", "qwen-max"),)))) == {
        "model-studio"
    }


@pytest.mark.parametrize(
    "rule",
    [
        {"regex": "(a+)+$"},
        {"regex": "(" * 300},
        {"regex": "("},
        {"or": []},
        {"equals": 1},
        {"equals": "a", "contains": "b"},
        {"what": "a"},
        ["a"],
    ],
)
def test_rules_that_could_do_harm_are_refused(rule: object) -> None:
    """Patterns that take for ever, and what is no rule."""
    with pytest.raises(ValueError, match="name"):
        checked_rule(rule)


def test_rules_cover_names() -> None:
    """All six kinds."""
    rule = checked_rule(
        {"or": [{"equals": "A"}, {"and": [{"starts_with": "b"}, {"ends_with": "Z"}]}, {"regex": r"^c\d$"}]}
    )
    assert [name for name in ("a", "bz", "b", "c1", "c12") if covers(rule, name)] == ["a", "bz", "c1"]
    assert covers({"contains": "MID"}, "amidst")


def test_providers_have_one_name() -> None:
    """The lists call them differently."""
    assert {provider_name(name) for name in ("aws", "amazon-bedrock", "bedrock_converse")} == {"bedrock"}
    assert provider_name("vertex_ai-anthropic_models") == "vertex"
    assert provider_name("Some_New Seller") == "some-new-seller"
    assert provider_of_url("https://api.openai.com/v1") == "openai"
    assert provider_of_url("https://dashscope-intl.aliyuncs.com/compatible-mode/v1") == "model-studio"
    assert provider_of_url("http://127.0.0.1:8000/v1") is None


def test_our_own_prices_say_where_and_when_they_were_read() -> None:
    """Each one, and the day of reading never lies before the first day."""
    for book in own_books():
        for entry in book.entries:
            for price in book.listing(entry).prices:
                assert price.cited
                assert "https://" in price.cited
                assert price.valid_from is not None
                assert price.read is not None
                assert price.read >= price.valid_from


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("provider: x\nmodels: []\nmore: 1\n", "more"),
        (
            (
                "provider: x\nmodels:\n- {model: m, prices: [{source: s, as_of: 2026-01-01, valid_from: 2026-01-01, "
                "rates: {input: '1'}}]}\n"
            ),
            "no such unit",
        ),
        (
            (
                "provider: x\nmodels:\n- model: m\n  prices:\n"
                "  - {source: s, as_of: 2026-01-02, valid_from: 2026-01-02, rates: {input_tokens: '1'}}\n"
                "  - {source: s, as_of: 2026-01-02, valid_from: 2026-01-01, rates: {input_tokens: '1'}}\n"
            ),
            "oldest first",
        ),
        (
            (
                "provider: x\nmodels:\n- {model: m, prices: [{source: s, as_of: 2026-01-01, valid_from: 2026-01-01, "
                "rates: {input_tokens: '-1'}}]}\n"
            ),
            "at least 0",
        ),
    ],
)
def test_a_malformed_price_names_file_and_key(text: str, told: str, tmp_path: Path) -> None:
    """As every curated fact."""
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(CatalogueError) as caught:
        read_own(tmp_path)
    assert "x.yaml" in caught.value.message
    assert told in caught.value.message
