"""From a list as it was fetched to a book that may be put to use, and what is different in it. Knows no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

from fieldguide.catalogue.prices import _genai, _modelsdev
from fieldguide.catalogue.prices._book import Book, read_book, write_book
from fieldguide.catalogue.prices._listing import Listing, PriceSource
from fieldguide.catalogue.prices._offer import FAR_APART, implausible
from fieldguide.errors import CatalogueError

FETCHED = ("genai-prices", "models.dev")
"""Sources that can be refreshed."""

_MOST_MALFORMED = 0.05
_MOST_IMPLAUSIBLE = 0.01
_MOST_FAR = 0.05
"""Shares of a list above which it is refused as a whole; single bad prices are caught where they are used."""
_LEAST_KEPT = 0.5
"""Share of the listings in use below which a new list is taken for a cut one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """One rate that is different in the new list (None: there is none)."""

    provider: str
    model: str
    unit: str
    old: Decimal | None
    new: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookChanges:
    """What is different."""

    new: tuple[tuple[str, str], ...]
    """(provider, model) that were not listed before."""
    removed: tuple[tuple[str, str], ...]
    changed: tuple[PriceChange, ...]
    new_providers: tuple[str, ...]


def book_from_list(name: str, content: bytes, day: date, facts: Mapping[str, Any]) -> bytes:
    """Return the book, as a file, of a list that was fetched.

    Raises:
        CatalogueError: It is not JSON, not of the shape that we know, or cut.
    """
    malformed: list[str] = []
    try:
        value = json.loads(content.decode("utf-8"), parse_float=Decimal, parse_constant=_no_number)
        if name == "genai-prices":
            lines = _genai.lines_of(_of(list, value), malformed)
            source = _genai.source_of(lines, name, day)
        else:
            lines = _modelsdev.lines_of(_of(dict, value), malformed)
            source = PriceSource(name=name, url=_modelsdev.MODELSDEV_URL, licence="MIT", read=day)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        why = str(error) or type(error).__name__
        raise CatalogueError(name, "(top)", f"not the list that it should be: {why}") from error
    if not lines or len(malformed) > _MOST_MALFORMED * (len(lines) + len(malformed)):
        such = f", such as {malformed[0]}" if malformed else ""
        raise CatalogueError(name, "(top)", f"{len(malformed)} of its models cannot be read{such}")
    return write_book(source, lines, dict(facts))


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} was expected")
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no price")


def checked_changes(old: Book | None, content: bytes, day: date) -> BookChanges:
    """Return what is different in a new book, which must be believable beside the one in use.

    Raises:
        CatalogueError: It has far fewer listings, prices that cannot be right, or prices that have all jumped.
    """
    new = read_book(content, "the new list")
    name = new.source.name
    after = _rates(new, day)
    odd = sum(1 for listing, _ in after.values() if _odd(listing, day))
    if odd > _MOST_IMPLAUSIBLE * len(after):
        raise CatalogueError(name, "(top)", f"{odd} of {len(after)} listings have prices that cannot be right")
    before = {} if old is None else _rates(old, day)
    if len(after) < _LEAST_KEPT * len(before):
        raise CatalogueError(name, "(top)", f"{len(after)} listings where there were {len(before)}: it looks cut")
    both = before.keys() & after.keys()
    changed = [change for key in both for change in _changes(key, before[key][1], after[key][1])]
    far = {(change.provider, change.model) for change in changed if _far(change)}
    if len(far) > _MOST_FAR * max(1, len(both)):
        raise CatalogueError(name, "(top)", f"{len(far)} prices have changed more than {FAR_APART} times over")
    providers = {provider for provider, _ in after} - {provider for provider, _ in before}
    return BookChanges(
        new=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(changed, key=lambda change: (change.provider, change.model, change.unit))),
        new_providers=tuple(sorted(providers)),
    )


def _rates(book: Book, day: date) -> dict[tuple[str, str], tuple[Listing, dict[str, Decimal]]]:
    """Return each listing with its rates on a day, by provider and model."""
    found = {}
    for entry in book.entries:
        listing = book.listing(entry)
        held = listing.rates_on(day)
        rates = {rate.unit.name: rate.amount for rate in held[-1].rates} if held else {}
        found[entry.provider, entry.model] = (listing, rates)
    return found


def _odd(listing: Listing, day: date) -> bool:
    return any(implausible(each.rates, listing.currency) for each in listing.rates_on(day))


def _changes(key: tuple[str, str], old: Mapping[str, Decimal], new: Mapping[str, Decimal]) -> list[PriceChange]:
    provider, model = key
    return [
        PriceChange(provider=provider, model=model, unit=unit, old=old.get(unit), new=new.get(unit))
        for unit in old.keys() | new.keys()
        if old.get(unit) != new.get(unit)
    ]


def _far(change: PriceChange) -> bool:
    if not change.old or not change.new:
        return False
    return not change.old < FAR_APART * change.new < FAR_APART * FAR_APART * change.old


def renewed(book: Book, day: date, facts: Mapping[str, Any]) -> bytes:
    """Return a book of which its source says that nothing has changed, read today."""
    source = PriceSource(name=book.source.name, url=book.source.url, licence=book.source.licence, read=day)
    return write_book(source, [entry.line for entry in book.entries], {**book.facts, **facts})
