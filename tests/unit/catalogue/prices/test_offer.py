"""Several sources side by side: which is used, how far they are apart, what is not believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

from fieldguide.catalogue.prices import BATCH, UNITS, DatedRates, Listing, PriceSource, Rate, Variant, offer

DAY = date(2026, 11, 25)
COUNTS = {"input_tokens": 1_000_000, "output_tokens": 0}


def rates(amount: str, **when: object) -> DatedRates:
    unit = UNITS["input_tokens"]
    return DatedRates(rates=(Rate(unit=unit, amount=Decimal(amount)),), **when)  # type: ignore[arg-type]


def listing(*prices: DatedRates, name: str = "a", read: date = date(2026, 11, 1), **more: object) -> Listing:
    source = PriceSource(name=name, url="https://example.org", licence="MIT", read=read)
    return Listing(source=source, provider="p", model="m", prices=prices, **more)  # type: ignore[arg-type]


def test_the_first_source_is_used_and_the_others_stand_beside_it() -> None:
    """Nothing is averaged and nothing is hidden."""
    made = offer("p", [listing(rates("3")), listing(rates("2"), name="b"), listing(rates("5"), name="c")], COUNTS, DAY)
    assert made.used is made.quotes[0]
    assert (made.low, made.used.total, made.high) == (Decimal(2), Decimal(3), Decimal(5))
    assert made.disagree
    assert any("sources disagree" in note for note in made.notes)


def test_rounding_is_no_disagreement() -> None:
    """2.499 beside 2.50."""
    assert not offer("p", [listing(rates("2.5")), listing(rates("2.499"), name="b")], COUNTS, DAY).disagree


def test_a_dated_price_holds_from_its_day() -> None:
    """Yesterday's run keeps yesterday's price; before the first day nothing is known."""
    held = [listing(rates("10", valid_from=date(2025, 1, 1)), rates("4", valid_from=date(2026, 6, 1)))]
    asked = {day: offer("p", held, COUNTS, day).used for day in (date(2026, 5, 31), date(2026, 6, 1))}
    assert [used and used.total for used in asked.values()] == [10, 4]
    first = asked[date(2026, 5, 31)]
    assert first is not None
    assert first.rates is not None
    assert first.rates.valid_until == date(2026, 5, 31)
    before = offer("p", held, COUNTS, date(2024, 12, 31))
    assert before.used is None
    assert before.low is None


def test_a_price_read_later_gives_way_to_a_dated_one() -> None:
    """Whether an undated price held before it was read is not known."""
    undated, dated = listing(rates("3")), listing(rates("8", valid_from=date(2024, 1, 1)), name="b")
    made = offer("p", [undated, dated], COUNTS, date(2025, 1, 1))
    assert made.used is made.quotes[1]
    assert (made.low, made.high) == (Decimal(8), Decimal(8))
    alone = offer("p", [undated], COUNTS, date(2025, 1, 1))
    assert alone.used is not None
    assert any("not known" in note for note in alone.notes)


def test_hours_are_those_of_utc_and_a_day_takes_the_dearest() -> None:
    """Half price from 16:30 to 0:30, over midnight."""
    night = rates("1", hours=(time(16, 30), time(0, 30)))
    held = [listing(rates("2"), night)]
    moments = {
        datetime(2026, 11, 25, 16, 29, tzinfo=UTC): 2,
        datetime(2026, 11, 25, 16, 30, tzinfo=UTC): 1,
        datetime(2026, 11, 25, 0, 29, tzinfo=UTC): 1,
        datetime(2026, 11, 25, 0, 30, tzinfo=UTC): 2,
        datetime.fromisoformat("2026-11-25T01:00+08:00"): 1,
    }
    for moment, total in moments.items():
        made = offer("p", held, COUNTS, moment)
        assert made.used is not None
        assert made.used.total == total, moment
    whole = offer("p", held, COUNTS, DAY)
    assert whole.used is not None
    assert (whole.low, whole.used.total) == (Decimal(1), Decimal(2))
    assert not whole.disagree


def test_a_batch_without_a_known_price_is_not_priced_as_usual() -> None:
    """Unknown is not the usual price, and half of it neither."""
    batch = Variant(name=BATCH, rates=rates("1"))
    made = offer(
        "p", [listing(rates("2"), name="b"), listing(rates("2"), variants=(batch,))], COUNTS, DAY, variant=BATCH
    )
    assert made.used is made.quotes[1]
    assert made.used.total == 1
    assert made.quotes[0].total is None
    assert made.quotes[0].notes == ("no batch price is listed",)


def test_a_slip_of_units_is_flagged_and_passed_over() -> None:
    """A token price times a million, and one a hundred thousand times too low."""
    for slip in ("3000000", "0.00003"):
        made = offer("p", [listing(rates(slip)), listing(rates("3"), name="b")], COUNTS, DAY)
        assert made.used is made.quotes[1], slip
        assert made.quotes[0].flag is not None
        assert (made.low, made.high) == (Decimal(3), Decimal(3))
        assert any("a is not believed" in note for note in made.notes)
    assert offer("p", [listing(rates("3000000"))], COUNTS, DAY).used is None


def test_what_lies_far_from_two_that_agree_is_flagged() -> None:
    """A believable figure can be a slip too; beside a single other source nobody knows whose."""
    three = [listing(rates("300")), listing(rates("3"), name="b"), listing(rates("3.1"), name="c")]
    made = offer("p", three, COUNTS, DAY)
    assert made.used is made.quotes[1]
    two = offer("p", three[:2], COUNTS, DAY)
    assert two.used is two.quotes[0]
    assert two.disagree


def test_nothing_to_pay_is_used_only_where_there_is_no_other_price() -> None:
    """A list of 0 stands for free quotas and monthly plans."""
    made = offer("p", [listing(rates("0")), listing(rates("3"), name="b")], COUNTS, DAY)
    assert made.used is made.quotes[1]
    assert any("lists it at 0" in note for note in made.notes)
    free = offer("p", [listing(rates("0"))], COUNTS, DAY)
    assert free.used is not None
    assert free.used.at_nothing
