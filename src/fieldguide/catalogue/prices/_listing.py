"""A price as one source lists it: rates by unit, since when, at which hours, in which variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from fieldguide.catalogue.prices._units import UNITS, Unit

BATCH = "batch"
"""The variant in which answers may take a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """Who lists a price, and when that was read."""

    name: str
    url: str
    licence: str
    read: date
    """Day on which it was read; for a package the newest day that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price of one unit."""

    unit: Unit
    amount: Decimal
    """Per `unit.per` of it, in the currency of the listing."""
    tiers: tuple[tuple[int, Decimal], ...] = ()
    """(input tokens of the request, amount): the last one exceeded holds for all of the request's units."""

    def at(self, input_tokens: int) -> Decimal:
        """Return the amount that holds for a request with so many input tokens."""
        amount = self.amount
        for above, dearer in self.tiers:
            if input_tokens > above:
                amount = dearer
        return amount


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedRates:
    """Rates and when they hold."""

    rates: tuple[Rate, ...]
    valid_from: date | None = None
    """First day (UTC); None where the source does not say."""
    valid_until: date | None = None
    """Last day, where the source names one."""
    hours: tuple[time, time] | None = None
    """From and until (UTC), where they hold at some hours only; past midnight if the second is earlier."""
    cited: str | None = None
    """Page that the source itself read."""
    read: date | None = None
    """Day on which it was read, where that is another than the source's."""

    def on_day(self, day: date) -> bool:
        """Whether they hold on that day, at some hour of it."""
        return (self.valid_from is None or day >= self.valid_from) and (
            self.valid_until is None or day <= self.valid_until
        )

    def at_hour(self, hour: time) -> bool:
        """Whether they hold at that hour of a day on which they hold."""
        if self.hours is None:
            return True
        start, end = self.hours
        return start <= hour < end if start <= end else hour >= start or hour < end


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Rates that stand in for the usual ones in another way of asking, such as `batch`."""

    name: str
    rates: DatedRates


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What one source says that one provider asks for one model."""

    source: PriceSource
    provider: str
    model: str
    """The provider's own id."""
    prices: tuple[DatedRates, ...]
    """Later ones go before earlier ones where several hold."""
    variants: tuple[Variant, ...] = ()
    """Earlier ones go before later ones, unit by unit."""
    currency: str = "USD"
    not_read: tuple[str, ...] = ()
    """Charges that the source lists in units that we do not know."""

    def rates_on(self, when: date | datetime, variant: str | None = None) -> tuple[DatedRates, ...]:
        """Return the rates that hold then: several where only a day is given and they change within it.

        A variant without rates of its own returns nothing: its price is not known.
        """
        usual = tuple(self._usual(when))
        if variant is None or not usual:
            return usual
        day = day_of(when)
        active = [each.rates for each in self.variants if each.name == variant and each.rates.on_day(day)]
        if not active:
            return ()
        own: dict[str, Rate] = {}
        for rates in active:
            for rate in rates.rates:
                own.setdefault(rate.unit.name, rate)
        return tuple(_replaced(each, own) for each in usual)

    @property
    def prices_anything(self) -> bool:
        """Whether it names any rate at all; some lists name models that come with a plan only."""
        return any(each.rates for each in self.prices)

    def _usual(self, when: date | datetime) -> Iterator[DatedRates]:
        moment = _utc(when) if isinstance(when, datetime) else None
        day = day_of(when)
        for number in range(len(self.prices) - 1, -1, -1):
            rates = self.prices[number]
            if not rates.on_day(day) or (moment is not None and not rates.at_hour(moment.time())):
                continue
            yield self._until(number)
            if moment is not None or rates.hours is None:
                return

    def _until(self, number: int) -> DatedRates:
        """Return dated rates with the last day before the next ones begin."""
        rates = self.prices[number]
        starts = [each.valid_from for each in self.prices[number + 1 :] if each.valid_from and each.hours is None]
        if rates.valid_until is not None or not starts:
            return rates
        return replace(rates, valid_until=date.fromordinal(min(starts).toordinal() - 1))


def day_of(when: date | datetime) -> date:
    """Return the day in UTC; a time without a zone is one in UTC."""
    return _utc(when).date() if isinstance(when, datetime) else when


def _utc(when: datetime) -> datetime:
    return when.replace(tzinfo=None) if when.tzinfo is None else when.astimezone(UTC).replace(tzinfo=None)


def _replaced(usual: DatedRates, own: Mapping[str, Rate]) -> DatedRates:
    rates = {rate.unit.name: rate for rate in usual.rates} | dict(own)
    return replace(usual, rates=tuple(rates.values()))


def rates_to_json(rates: tuple[Rate, ...]) -> dict[str, Any]:
    """Return rates as the files that we keep hold them: `{unit: amount}` or `{unit: [amount, [above, amount]]}`."""
    return {
        rate.unit.name: str(rate.amount)
        if not rate.tiers
        else [str(rate.amount), *([above, str(amount)] for above, amount in rate.tiers)]
        for rate in rates
    }


def rates_from_json(value: Mapping[str, Any]) -> tuple[Rate, ...]:
    """Return the rates of `rates_to_json`.

    Raises:
        ValueError: A unit is not known, or an amount not possible.
    """
    return tuple(_rate(name, each) for name, each in value.items())


def _rate(name: str, value: Any) -> Rate:
    if name not in UNITS:
        raise ValueError(f"no such unit: {name}")
    first, *tiers = value if isinstance(value, list) else [value]
    steps = tuple(sorted((int(above), amount_of(amount)) for above, amount in tiers))
    return Rate(unit=UNITS[name], amount=amount_of(first), tiers=steps)


def amount_of(value: Any) -> Decimal:
    """Return an amount of money exactly as it was written.

    Raises:
        ValueError: It is no finite number of at least 0.
    """
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
    except ArithmeticError as error:
        raise ValueError(f"no amount: {value!r}") from error
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise ValueError(f"no amount of at least 0: {value!r}")
    return amount
