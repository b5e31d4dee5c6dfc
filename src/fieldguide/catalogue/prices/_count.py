"""What a request costs at given rates. Pure arithmetic in Decimal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fieldguide.catalogue.prices._listing import Rate
from fieldguide.catalogue.prices._units import UNITS
from fieldguide.domain import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """One unit of a bill."""

    rate: Rate
    count: Decimal
    """Without what narrower units took out."""
    amount: Decimal
    """The rate that held: of the tier that the request fell into, per `rate.unit.per`."""

    @property
    def price(self) -> Decimal:
        """What the line comes to."""
        return self.amount * self.count / self.rate.unit.per


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What one request costs."""

    lines: tuple[PriceLine, ...]
    uncharged: tuple[str, ...]
    """Units that were counted and that nothing prices, neither themselves nor a wider one."""
    as_wider: tuple[str, ...]
    """Units that were counted and have no price of their own: charged as the wider unit that they belong to."""

    @property
    def total(self) -> Decimal | None:
        """Their sum; None where something counted has no price."""
        return None if self.uncharged else sum((line.price for line in self.lines), Decimal(0))


def bill(rates: tuple[Rate, ...], counts: Mapping[str, int | Decimal]) -> Bill:
    """Return what one request costs.

    The tier of every rate is that of the whole request's input tokens. A unit without a rate is charged as the widest
    of which it is a part, as providers do with cached tokens for which they give no discount.

    Args:
        rates: At most one per unit.
        counts: By name of unit, inclusive: cached tokens are counted under `input_tokens` too.

    Raises:
        ValueError: The parts of a unit are more than the whole.
    """
    input_tokens = int(counts.get("input_tokens", 0))
    priced = sorted(rates, key=lambda rate: (-len(rate.unit.traits), rate.unit.name))
    left: dict[str, Decimal] = {}
    for rate in priced:
        parts = sum((left[other.unit.name] for other in priced if other.unit.is_part_of(rate.unit)), start=Decimal(0))
        count = Decimal(1 if rate.unit.name == "requests" else counts.get(rate.unit.name, 0))
        if count < parts:
            raise ValueError(f"the parts of {rate.unit.name} are {parts}, more than the whole of {count}")
        left[rate.unit.name] = count - parts
    lines = tuple(
        PriceLine(rate=rate, count=left[rate.unit.name], amount=rate.at(input_tokens))
        for rate in rates
        if left[rate.unit.name]
    )
    uncharged, as_wider = [], []
    for name, counted in counts.items():
        if counted and name != "requests" and name not in left:
            unit = UNITS[name]
            parts = sum((left[rate.unit.name] for rate in rates if rate.unit.is_part_of(unit)), start=Decimal(0))
            if any(unit.is_part_of(rate.unit) for rate in rates):
                as_wider.append(name)
            elif counted > parts:
                uncharged.append(name)
    return Bill(lines=lines, uncharged=tuple(uncharged), as_wider=tuple(as_wider))


def counts_of(usage: Usage) -> dict[str, int] | None:
    """Return a provider's count of one answer by unit; None where it did not count input and output."""
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if usage.cached_input_tokens:
        counts["cached_input_tokens"] = min(usage.cached_input_tokens, usage.input_tokens)
    if usage.reasoning_tokens:
        counts["reasoning_output_tokens"] = min(usage.reasoning_tokens, usage.output_tokens)
    return counts


def price_usage(rates: tuple[Rate, ...], usage: Usage) -> Decimal | None:
    """Return what one answer cost at these rates; None where a count or a price is not known."""
    counts = counts_of(usage)
    return None if counts is None else bill(rates, counts).total
