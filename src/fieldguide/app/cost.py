"""What a workload costs: over models, at every provider that sells them, every source of prices side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from fieldguide import registry
from fieldguide.app.prices import names_of, price_books
from fieldguide.catalogue import CatalogueModel
from fieldguide.catalogue.prices import BATCH, Listing, Offer, Shelf, listings_by_provider, offer, provider_name
from fieldguide.errors import UnknownNameError, UsageError

_LOCAL = ("llama.cpp", "recorded", "ollama", "hf", "modelscope", "package", "file", "ollama-registry")
_WEIGHTS = frozenset({"hf", "modelscope", "ollama"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Requests that are alike. Every count is of one request; cached and written tokens are part of its input."""

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 1
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    batch: bool = False
    images: int = 0
    """Images that an image model makes, and to any other model images that are sent."""
    audio_seconds: Decimal = Decimal(0)
    """Audio that is sent; to a model that only makes it, audio that is made."""

    def counts(self, listings: Sequence[Listing]) -> dict[str, int | Decimal]:
        """Return the counts of one request by unit, as far as these listings can tell images and audio apart."""
        counts: dict[str, int | Decimal] = {"input_tokens": self.input_tokens, "output_tokens": self.output_tokens}
        if self.cached_tokens:
            counts["cached_input_tokens"] = self.cached_tokens
        if self.cache_write_tokens:
            counts["cache_write_input_tokens"] = self.cache_write_tokens
        units = {rate.unit.name for listing in listings for dated in listing.prices for rate in dated.rates}
        if self.images:
            counts["output_images" if "output_images" in units else "input_images"] = self.images
        if self.audio_seconds:
            made = "audio_output_seconds" in units and "audio_input_seconds" not in units
            counts["audio_seconds"] = self.audio_seconds
            counts["audio_output_seconds" if made else "audio_input_seconds"] = self.audio_seconds
        return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedModel:
    """One model at one provider, or a model that nobody sells."""

    model: str
    offer: Offer | None
    requests: int
    notes: tuple[str, ...]

    @property
    def per_request(self) -> Decimal | None:
        """In the currency of the price used; None where it is not known."""
        return None if self.offer is None or self.offer.used is None else self.offer.used.total

    def times(self, amount: Decimal | None) -> Decimal | None:
        """Return an amount of one request for all of them."""
        return None if amount is None else amount * self.requests

    @property
    def currency(self) -> str | None:
        """Of the price used."""
        return None if self.offer is None or self.offer.used is None else self.offer.used.listing.currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Everything one call has priced, the cheapest first."""

    models: tuple[PricedModel, ...]
    workload: Workload
    at: date | datetime
    warnings: tuple[str, ...]


def price_workload(
    home: Path,
    models: Sequence[str],
    workload: Workload,
    *,
    provider: str | None = None,
    at: date | datetime | None = None,
) -> Costs:
    """Return what a workload costs with each model at each provider.

    Raises:
        UsageError: A count is below 0, or the parts of the input are more than it.
        UnknownNameError: Neither the catalogue nor any source of prices knows a model or the provider.
        CatalogueError: A book of prices is malformed.
    """
    _check(workload)
    books = price_books(home)
    when = at or datetime.now(UTC)
    only = None if provider is None else _known_provider(books, provider)
    found = [each for name in models for each in _priced(home, books, name, workload, only, when)]
    return Costs(models=tuple(sorted(found, key=_rank)), workload=workload, at=when, warnings=books.warnings)


def _check(workload: Workload) -> None:
    counts: dict[str, int | Decimal] = {
        "--input-tokens": workload.input_tokens,
        "--output-tokens": workload.output_tokens,
        "--cached-tokens": workload.cached_tokens,
        "--cache-write-tokens": workload.cache_write_tokens,
        "--images": workload.images,
        "--audio-seconds": workload.audio_seconds,
    }
    for option, count in counts.items():
        if count < 0:
            raise UsageError(f"{option} takes a number of at least 0, not {count}.")
    if workload.requests <= 0:
        raise UsageError(f"--requests takes a number above 0, not {workload.requests}.")
    parts = workload.cached_tokens + workload.cache_write_tokens
    if parts > workload.input_tokens:
        raise UsageError(
            f"Cached and written tokens are part of the input: {parts} are more than {workload.input_tokens}.",
            hint="--input-tokens counts every token of the prompt, those from the cache too.",
        )
    if not any(counts.values()):
        raise UsageError("There is nothing to price.", hint="Give at least --input-tokens or --output-tokens.")


def _priced(
    home: Path, books: Shelf, name: str, workload: Workload, only: str | None, when: date | datetime
) -> Iterable[PricedModel]:
    place, colon, rest = name.partition(":")
    if colon and provider_name(place) in _providers(books):
        name, only = rest, provider_name(place)
    wanted, entry = names_of(home, name, by_rule=only is not None)
    by_provider = listings_by_provider(books.books, wanted, only)
    made = [
        offer(provider, listings, workload.counts(listings), when, variant=BATCH if workload.batch else None)
        for provider, listings in by_provider.items()
    ]
    told = [each for each in made if only is not None or any(quote.listing.prices_anything for quote in each.quotes)]
    if told:
        return [
            PricedModel(model=name, offer=each, requests=workload.requests, notes=tuple(_hints(each, workload)))
            for each in told
        ]
    return [PricedModel(model=name, offer=None, requests=workload.requests, notes=_unsold(books, name, entry, only))]


def _hints(made: Offer, workload: Workload) -> Iterable[str]:
    yield from made.notes
    for quote in made.quotes:
        if made.used is None:
            yield from (f"{quote.listing.source.name}: {note}" for note in quote.notes)
    if made.used is None and (workload.images or workload.audio_seconds):
        yield "most models count images and audio as input tokens: give them in --input-tokens"


def _unsold(books: Shelf, name: str, entry: CatalogueModel | None, only: str | None) -> tuple[str, ...]:
    plan = f"it runs on your own hardware: see `fieldguide plan {name}`"
    sold = f"no source lists a price of it{f' at {only}' if only else ''}"
    if entry is not None:
        places = {place.hub for place in entry.member.places}
        return (sold, plan) if places & _WEIGHTS or entry.size.parameters else (sold,)
    if name.partition(":")[0] in _LOCAL or name.lower().endswith(".gguf"):
        return ("it has no price per token", plan)
    if any(name.lower() in each.names for book in books.books for each in book.entries):
        return (sold,)
    known = sorted({entry.model for book in books.books for entry in book.entries if only in (None, entry.provider)})
    raise UnknownNameError("model with a price", name, registry.nearest(name, known))


def _providers(books: Shelf) -> set[str]:
    return {entry.provider for book in books.books for entry in book.entries}


def _known_provider(books: Shelf, provider: str) -> str:
    ours, known = provider_name(provider), sorted(_providers(books))
    if ours not in known:
        raise UnknownNameError("provider with prices", provider, registry.nearest(ours, known))
    return ours


def _rank(priced: PricedModel) -> tuple[bool, bool, Decimal, str, str]:
    """Return the place of a row: known before unknown, something before nothing, cheap before dear."""
    total, made = priced.per_request, priced.offer
    nothing = made is not None and made.used is not None and made.used.at_nothing
    return (total is None, nothing, total or Decimal(0), priced.model, made.provider if made else "")
