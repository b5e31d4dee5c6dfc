"""What one provider asks for a request, as every source has it; which of them is used, and how far they are apart."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from fieldguide.catalogue.prices._count import Bill, bill
from fieldguide.catalogue.prices._listing import DatedRates, Listing, Rate, day_of

MOST_USD_PER_MTOK = Decimal(1000)
"""Dearest believable token price: o1-pro's output, the dearest known, is 600."""
LEAST_USD_PER_MTOK = Decimal("0.0005")
"""Cheapest believable one that is not 0: cached input of small models is 0.001."""
FAR_APART = 20
"""A price so many times another one on which two sources agree is a slip of units."""
_SAME = Decimal("1.005")
"""Sources within half a percent agree: some round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What one source's listing makes of a request."""

    listing: Listing
    rates: DatedRates | None
    """Those used; None where none hold then."""
    bill: Bill | None
    low: Decimal | None
    """At the cheapest hour of the day, where only a day was given."""
    dated: bool
    """Whether the source says that the price held then: it was read by then, or names its first day."""
    notes: tuple[str, ...]
    flag: str | None = None
    """Why it is not believed."""

    @property
    def total(self) -> Decimal | None:
        """What one request costs; None where it is not known."""
        return None if self.bill is None else self.bill.total

    @property
    def at_nothing(self) -> bool:
        """Whether everything is listed at 0: free, or paid in another way, such as by the month."""
        return self.rates is not None and not any(rate.amount for rate in self.rates.rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One provider's price of a request, every source side by side."""

    provider: str
    used: Quote | None
    """By the order in which the listings came; None where no source has a price that can be believed."""
    quotes: tuple[Quote, ...]
    low: Decimal | None
    high: Decimal | None
    """The cheapest and the dearest of the sources that are believed."""
    notes: tuple[str, ...]

    @property
    def disagree(self) -> bool:
        """Whether a source asks for something else, by more than rounding, than the one used does at any hour."""
        if self.used is None or self.used.low is None or self.used.total is None:
            return False
        low, high = self.used.low, self.used.total
        return any(
            not low <= total * _SAME or not total <= high * _SAME for _, total in _spread(self.used, self.quotes)
        )


def offer(
    provider: str,
    listings: Sequence[Listing],
    counts: Mapping[str, int | Decimal],
    when: date | datetime,
    *,
    variant: str | None = None,
) -> Offer:
    """Return what a provider asks for one request.

    The first listing is used that has a price, is believed and held at that time; then one of which that is not known;
    a price of 0 only where there is no other. Nothing else is chosen among them: the others stand beside it.

    Raises:
        ValueError: The parts of a unit are more than the whole.
    """
    quotes = _doubted([_quote(listing, counts, when, variant) for listing in listings])
    priced = [quote for quote in quotes if quote.total is not None and quote.flag is None]
    used = min(priced, key=lambda quote: (quote.at_nothing, not quote.dated), default=None)
    spread = _spread(used, quotes)
    made = Offer(
        provider=provider,
        used=used,
        quotes=tuple(quotes),
        low=min((low for low, _ in spread), default=None),
        high=max((high for _, high in spread), default=None),
        notes=(),
    )
    return replace(made, notes=tuple(_notes(made)))


def implausible(rates: Iterable[Rate], currency: str = "USD") -> str | None:
    """Return what cannot be believed of a list of rates, in words; None where nothing is amiss."""
    if currency != "USD":
        return None
    for rate in rates:
        if not rate.unit.name.endswith("_tokens"):
            continue
        for amount in (rate.amount, *(amount for _, amount in rate.tiers)):
            if amount > MOST_USD_PER_MTOK or 0 < amount < LEAST_USD_PER_MTOK:
                return f"${amount:f} per million {rate.unit.name} cannot be right"
    return None


def _quote(listing: Listing, counts: Mapping[str, int | Decimal], when: date | datetime, variant: str | None) -> Quote:
    found = listing.rates_on(when, variant)
    day = day_of(when)
    if not found:
        why = f"no {variant} price is listed" if variant and listing.rates_on(when) else f"no price is listed for {day}"
        return Quote(listing=listing, rates=None, bill=None, low=None, dated=False, notes=(why,))
    bills = [(bill(rates.rates, counts), rates) for rates in found]
    totals = [made.total for made, _ in bills if made.total is not None]
    dearest, rates = max(bills, key=lambda each: -1 if each[0].total is None else each[0].total)
    return Quote(
        listing=listing,
        rates=rates,
        bill=dearest,
        low=min(totals, default=None) if dearest.total is not None else None,
        dated=rates.valid_from is not None or day >= listing.source.read,
        notes=tuple(_remarks(listing, dearest, found, day)),
        flag=implausible(rates.rates, listing.currency),
    )


def _remarks(listing: Listing, made: Bill, found: Sequence[DatedRates], day: date) -> Iterable[str]:
    for name in made.uncharged:
        yield f"no price is listed for {name}"
    for name in made.as_wider:
        yield f"no price of its own is listed for {name}: charged like what it is a part of"
    if len(found) > 1:
        yield "the price changes with the hour (UTC): the dearest of the day is taken"
    if listing.not_read:
        yield f"it also lists charges that are not counted here: {', '.join(listing.not_read)}"
    if not any(rates.valid_from for rates in found) and day < listing.source.read:
        yield f"read on {listing.source.read}; whether it held on {day} is not known"


def _doubted(quotes: list[Quote]) -> list[Quote]:
    """Flag what lies far from a price on which others agree."""
    made = []
    for quote in quotes:
        others = [
            each.total
            for each in quotes
            if each is not quote
            and each.total
            and each.flag is None
            and each.listing.currency == quote.listing.currency
        ]
        if quote.total and quote.flag is None and len(others) >= 2 and max(others) <= 2 * min(others):
            middle = statistics.median(others)
            if quote.total > FAR_APART * middle or quote.total * FAR_APART < middle:
                quote = replace(quote, flag=f"more than {FAR_APART} times away from what the other sources agree on")
        made.append(quote)
    return made


def _spread(used: Quote | None, quotes: Sequence[Quote]) -> list[tuple[Decimal, Decimal]]:
    """Return (low, high) of the sources that tell of the same: same currency, same certainty about the time."""
    if used is None:
        return []
    return [
        (quote.low, quote.total)
        for quote in quotes
        if quote.low is not None
        and quote.total is not None
        and quote.flag is None
        and quote.listing.currency == used.listing.currency
        and (quote.dated or not used.dated)
        and (not quote.at_nothing or used.at_nothing)
    ]


def _notes(made: Offer) -> Iterable[str]:
    if made.used is None:
        yield "no source has a price for this"
    else:
        yield from made.used.notes
        if made.used.at_nothing:
            yield "listed at 0: free, or paid in another way, such as by the month"
    for quote in made.quotes:
        if quote.flag is not None:
            yield f"{quote.listing.source.name} is not believed: {quote.flag}"
        elif quote.at_nothing and made.used is not None and not made.used.at_nothing:
            yield f"{quote.listing.source.name} lists it at 0"
    if made.disagree and made.used is not None:
        yield f"sources disagree; that of {made.used.listing.source.name} is used"
