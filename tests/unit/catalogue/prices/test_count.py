"""What a request costs at given rates."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.catalogue.prices import UNITS, Rate, bill, price_usage
from fieldguide.domain import Usage

AMOUNTS = st.decimals(min_value=0, max_value=600, places=4)


def rate(unit: str, amount: str | Decimal, *tiers: tuple[int, str]) -> Rate:
    return Rate(unit=UNITS[unit], amount=Decimal(amount), tiers=tuple((above, Decimal(each)) for above, each in tiers))


CHAT = (rate("input_tokens", "3"), rate("cached_input_tokens", "0.3"), rate("output_tokens", "15"))


def test_cached_tokens_are_part_of_the_input_and_charged_once() -> None:
    """10,000 of input with 8,000 from the cache: 2,000 at 3, 8,000 at 0.3, 1,000 of output at 15."""
    made = bill(CHAT, {"input_tokens": 10_000, "cached_input_tokens": 8_000, "output_tokens": 1_000})
    assert made.total == Decimal("0.006") + Decimal("0.0024") + Decimal("0.015")
    assert {line.rate.unit.name: line.count for line in made.lines} == {
        "input_tokens": 2_000,
        "cached_input_tokens": 8_000,
        "output_tokens": 1_000,
    }


def test_tokens_written_for_an_hour_are_taken_out_of_all_that_are_written() -> None:
    """Three levels: input, written, written for an hour."""
    rates = (
        rate("input_tokens", "1"),
        rate("cache_write_input_tokens", "2"),
        rate("cache_write_1h_input_tokens", "4"),
    )
    counts = {"input_tokens": 600, "cache_write_input_tokens": 500, "cache_write_1h_input_tokens": 300}
    assert bill(rates, counts).total == Decimal(100 * 1 + 200 * 2 + 300 * 4) / 1_000_000


def test_tokens_without_a_price_of_their_own_are_charged_as_the_wider_ones() -> None:
    """No discount is known: cached tokens cost what input costs, and the bill says so."""
    made = bill((rate("input_tokens", "2"), rate("output_tokens", "8")), {"input_tokens": 10, "cached_input_tokens": 4})
    assert made.total == Decimal(20) / 1_000_000
    assert made.as_wider == ("cached_input_tokens",)


def test_what_has_no_price_leaves_the_total_unknown() -> None:
    """Output that nothing prices is not free."""
    made = bill((rate("input_tokens", "2"),), {"input_tokens": 10, "output_tokens": 1})
    assert made.total is None
    assert made.uncharged == ("output_tokens",)
    assert bill((rate("input_tokens", "2"),), {"input_tokens": 10, "output_tokens": 0}).total is not None


def test_more_parts_than_the_whole_are_refused() -> None:
    """Eleven cached of ten."""
    with pytest.raises(ValueError, match="more than the whole"):
        bill(CHAT, {"input_tokens": 10, "cached_input_tokens": 11})


@pytest.mark.parametrize(("tokens", "each"), [(200_000, 3), (200_001, 6), (500_000, 6), (500_001, 9)])
def test_a_tier_holds_for_all_tokens_of_a_request_above_its_size(tokens: int, each: int) -> None:
    """At the size itself the lower price still holds."""
    rates = (rate("input_tokens", "3", (200_000, "6"), (500_000, "9")),)
    assert bill(rates, {"input_tokens": tokens}).total == Decimal(tokens * each) / 1_000_000


def test_a_fee_for_each_request_is_always_charged() -> None:
    """$12 a thousand requests."""
    assert bill((*CHAT, rate("requests", "12")), {"input_tokens": 0, "output_tokens": 0}).total == Decimal("0.012")


def test_images_and_audio_are_charged_by_their_units() -> None:
    """Four cents an image, 36 cents an hour."""
    assert bill((rate("output_images", "0.04"),), {"output_images": 3}).total == Decimal("0.12")
    assert bill((rate("audio_seconds", "0.36"),), {"audio_seconds": Decimal("90.5")}).total == Decimal("0.00905")


@given(AMOUNTS, AMOUNTS, AMOUNTS, *[st.integers(0, 10**6)] * 4)
def test_more_tokens_never_cost_less(
    each_in: Decimal, each_out: Decimal, dearer: Decimal, tokens_in: int, tokens_out: int, more_in: int, more_out: int
) -> None:
    """With tiers that rise, as all known ones do."""
    rates = (
        Rate(unit=UNITS["input_tokens"], amount=each_in, tiers=((200_000, each_in + dearer),)),
        Rate(unit=UNITS["output_tokens"], amount=each_out, tiers=((200_000, each_out + dearer),)),
    )
    less = bill(rates, {"input_tokens": tokens_in, "output_tokens": tokens_out}).total
    more = bill(rates, {"input_tokens": tokens_in + more_in, "output_tokens": tokens_out + more_out}).total
    assert less is not None
    assert more is not None
    assert 0 <= less <= more


@given(st.integers(0, 10**7), st.data())
def test_caching_saves_exactly_the_difference(tokens: int, data: st.DataObject) -> None:
    """Every token from the cache costs 2.7 dollars a million less, whatever else the request holds."""
    cached = data.draw(st.integers(0, tokens))
    usual = bill(CHAT, {"input_tokens": tokens, "output_tokens": 5}).total
    made = bill(CHAT, {"input_tokens": tokens, "cached_input_tokens": cached, "output_tokens": 5})
    assert usual is not None
    assert made.total == usual - cached * Decimal("2.7") / 1_000_000
    assert sum(line.count for line in made.lines) == tokens + 5


def test_a_usage_is_priced_as_the_provider_counted_it() -> None:
    """Unknown counts give an unknown price; more cached tokens than input are a provider's slip."""
    assert price_usage(CHAT, Usage(input_tokens=1_000_000, output_tokens=0)) == 3
    assert price_usage(CHAT, Usage(input_tokens=1000, output_tokens=0, cached_input_tokens=2000)) == Decimal("0.0003")
    assert price_usage(CHAT, Usage(input_tokens=None, output_tokens=3)) is None
    thinking = (*CHAT, rate("reasoning_output_tokens", "30"))
    assert (
        price_usage(thinking, Usage(input_tokens=0, output_tokens=10, reasoning_tokens=4))
        == Decimal(6 * 15 + 4 * 30) / 1_000_000
    )
