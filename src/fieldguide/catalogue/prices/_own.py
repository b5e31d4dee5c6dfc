"""Prices that we read ourselves: YAML in `own/`, one file per provider, each price with its page and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from fieldguide.catalogue._read import read_yaml, validated
from fieldguide.catalogue.prices._book import Book, book_of, line_of
from fieldguide.catalogue.prices._listing import BATCH, DatedRates, PriceSource, Variant, rates_from_json
from fieldguide.errors import CatalogueError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_CLOSED = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPrice:
    """What one page said that a model costs."""

    __pydantic_config__ = _CLOSED

    source: str
    as_of: date
    """Day on which the page was read, or of the copy of it that was."""
    valid_from: date
    """First day on which it is known to have held."""
    valid_until: date | None = None
    """Last day on which it is known to have held, where later ones differ or are not known."""
    rates: dict[str, str]
    """By unit."""
    batch: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """One model of a provider."""

    __pydantic_config__ = _CLOSED

    model: str
    prices: tuple[OwnPrice, ...]
    """Oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnProvider:
    """One file."""

    __pydantic_config__ = _CLOSED

    provider: str
    models: tuple[OwnModel, ...]


@cache
def own_books() -> tuple[Book, ...]:
    """Return our own prices, a book for each page that was read on a day.

    Raises:
        CatalogueError: A file is malformed.
    """
    return read_own(files("fieldguide.catalogue.prices").joinpath("own"))


def read_own(folder: Traversable) -> tuple[Book, ...]:
    """Return what the YAML files in `folder` say; see `own_books`."""
    books = []
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.name.endswith(".yaml"):
            content: OwnProvider = validated(item.name, read_yaml(item), OwnProvider)
            if item.name != f"{content.provider}.yaml":
                raise CatalogueError(item.name, "provider", f"the file must be called {content.provider}.yaml")
            books.append(_book(item.name, content))
    return tuple(books)


def _book(file: str, content: OwnProvider) -> Book:
    newest = max(price.as_of for model in content.models for price in model.prices)
    source = PriceSource(
        name=f"fieldguide {content.provider}", url=f"catalogue/prices/own/{file}", licence="facts", read=newest
    )
    return book_of(source, [_line(file, content.provider, model) for model in content.models])


def _line(file: str, provider: str, model: OwnModel) -> dict[str, Any]:
    days = [price.valid_from for price in model.prices]
    if days != sorted(set(days)):
        raise CatalogueError(file, f"{model.model}.prices", "must stand oldest first, each day once")
    try:
        prices = [_dated(price, price.rates) for price in model.prices]
        batch = [Variant(name=BATCH, rates=_dated(each, each.batch)) for each in model.prices if each.batch]
    except ValueError as error:
        raise CatalogueError(file, model.model, str(error)) from error
    return line_of(provider, model.model, prices, variants=reversed(batch))


def _dated(price: OwnPrice, rates: dict[str, str]) -> DatedRates:
    return DatedRates(
        rates=rates_from_json(rates),
        valid_from=price.valid_from,
        valid_until=price.valid_until,
        cited=price.source,
        read=price.as_of,
    )
