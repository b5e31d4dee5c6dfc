"""Prices for every use case: the price of a model at a provider, under whatever name it goes by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

from fieldguide import catalogue
from fieldguide.app.find import compiled_folder
from fieldguide.catalogue import CatalogueModel
from fieldguide.catalogue.prices import (
    DatedRates,
    PriceSource,
    Rate,
    Shelf,
    Wanted,
    counts_of,
    listings_by_provider,
    offer,
    price_usage,
    provider_name,
    shelf,
)
from fieldguide.domain import Usage
from fieldguide.errors import UnknownNameError, UsageError

_SAMPLE = {"input_tokens": 1000, "output_tokens": 1000}
"""What sources are held against each other with where no workload is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPrice:
    """The price of one model at one provider, as one named source has it."""

    provider: str
    provider_model: str
    rates: tuple[Rate, ...]
    currency: str
    source: PriceSource
    cited: str | None
    valid_from: date | None
    notes: tuple[str, ...]
    """Doubts among them: other sources that disagree, tiers, hours."""

    def cost_of(self, usage: Usage) -> Decimal | None:
        """Return what an answer cost; None where a count or a price is not known."""
        return price_usage(self.rates, usage)

    def amount_of(self, unit: str) -> Decimal | None:
        """Return the lowest tier's price of a unit; None where it has none."""
        return next((rate.amount for rate in self.rates if rate.unit.name == unit), None)

    @property
    def description(self) -> str:
        """The source in words, as a run keeps it."""
        since = f", valid from {self.valid_from}" if self.valid_from else ""
        return f"{self.source.name}, read {self.source.read}{since}: {self.provider}:{self.provider_model}"


def price_of(home: Path, provider: str, model: str, at: date | datetime | None = None) -> KnownPrice | None:
    """Return the price that is used for a model at a provider; None where no source has one that can be believed.

    A price of 0 counts as not known: it stands for trial quotas and monthly plans, and a budget cannot rest on it.

    Args:
        home: The user folder, where refreshed prices are kept.
        provider: Who sells it, under any of its names.
        model: The provider's id, or a name of the catalogue.
        at: When; None is now.

    Raises:
        CatalogueError: A book of prices is malformed.
    """
    ours = provider_name(provider)
    wanted, _ = names_of(home, model, by_rule=True)
    listings = listings_by_provider(price_books(home).books, wanted, ours).get(ours, [])
    made = offer(ours, listings, _SAMPLE, at or datetime.now(UTC))
    quote = made.used
    if quote is None or quote.rates is None or quote.at_nothing:
        return None
    rates: DatedRates = quote.rates
    return KnownPrice(
        provider=ours,
        provider_model=quote.listing.model,
        rates=rates.rates,
        currency=quote.listing.currency,
        source=quote.listing.source,
        cited=rates.cited,
        valid_from=rates.valid_from,
        notes=made.notes,
    )


@cache
def price_books(home: Path) -> Shelf:
    """Return the books of prices in use, read once."""
    return shelf(home)


def names_of(home: Path, name: str, *, by_rule: bool = False) -> tuple[Wanted, CatalogueModel | None]:
    """Return a model under the names it goes by at its places, and its entry where the catalogue knows it.

    Where it does not, or `by_rule` says so, the rules of a source may decide that the name is covered.
    """
    try:
        best = catalogue.resolve_model(catalogue.families(compiled_folder(home)), name).model
    except UnknownNameError:
        best = None
    if best is None:
        return Wanted(names=(name,), by_rule=True), None
    names = tuple(dict.fromkeys((name, best.member.name)))
    places = tuple((place.hub, place.id) for place in best.member.places)
    return Wanted(names=names, at=places, by_rule=by_rule), best


def moment(text: str | None) -> date | datetime | None:
    """Return a day (`2026-01-31`) or a time (`2026-01-31T18:00`, UTC unless it says otherwise); None for none.

    Raises:
        UsageError: It is neither.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text) if len(text) <= len("2026-01-31") else datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--at takes a day or a time, such as 2026-01-31 or 2026-01-31T18:00, not {text!r}."
        ) from error


__all__ = ["KnownPrice", "counts_of", "moment", "names_of", "price_books", "price_of", "price_usage"]
