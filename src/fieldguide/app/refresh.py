"""Bring newer prices and providers into the user folder, and say what data are in use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from fieldguide import catalogue
from fieldguide.app.find import compiled_folder
from fieldguide.app.prices import price_books
from fieldguide.app.wiring import House
from fieldguide.catalogue.claims import claims
from fieldguide.catalogue.prices import (
    FETCHED,
    Book,
    BookChanges,
    Shelf,
    book_from_list,
    checked_changes,
    refreshed_book,
    refreshed_path,
    renewed,
)
from fieldguide.errors import CatalogueError, FieldguideError, SourceError
from fieldguide.sources import fetch_price_list, keep_price_list

_NOTHING = BookChanges(new=(), removed=(), changed=(), new_providers=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What became of one source."""

    source: str
    url: str
    changed: BookChanges | None
    """None where nothing was put in place."""
    unchanged: bool
    """Whether its address says that nothing is new."""
    listings: int | None
    """In use now; None where there are none."""
    read: date | None
    error: FieldguideError | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataInUse:
    """What the catalogue rests on."""

    families: int
    models: int
    families_read: date | None
    """Newest day on which a fact was read."""
    claims: int
    claims_read: date | None
    prices: Shelf


async def refresh_prices(house: House) -> tuple[Refreshed, ...]:
    """Fetch every list that can be refreshed, check it, and put it in the place of the old one.

    Whatever goes wrong with one, what was in use stays in use, and the others are tried.
    """
    urls = {"genai-prices": house.settings.genai_prices_url, "models.dev": house.settings.models_dev_url}
    try:
        return tuple(await asyncio.gather(*(_refresh(house, name, urls[name]) for name in FETCHED)))
    finally:
        price_books.cache_clear()


async def _refresh(house: House, name: str, url: str) -> Refreshed:
    home = house.settings.home
    old, kept = await asyncio.to_thread(_books, home, name)
    try:
        etag = kept.facts.get("etag") if kept is not None and kept.facts.get("address") == url else None
        fetched = await fetch_price_list(house.session(), url, etag=etag, proxy=house.proxy_for(url))
        facts = {"etag": fetched.etag, "address": url}
        return await asyncio.to_thread(_put, home, name, url, fetched.content, facts, old, kept)
    except FieldguideError as error:
        said = error
        if isinstance(error, CatalogueError):
            said = SourceError(
                f"What {url} sent is not used: {error.message}.",
                hint="Try again later; the data that were there are still in use.",
            )
        return _told(name, url, old, changed=None, unchanged=False, error=said)


def _books(home: Path, name: str) -> tuple[Book | None, Book | None]:
    """Return the book of a source that is in use, and the one that an earlier refresh has brought."""
    shelf = price_books(home)
    old = next((book for book in shelf.books if book.source.name.split(" ")[0] == name), None)
    try:
        return old, refreshed_book(home, name)
    except CatalogueError:
        return old, None


def _put(
    home: Path, name: str, url: str, content: bytes | None, facts: dict[str, str | None],
    old: Book | None, kept: Book | None,
) -> Refreshed:  # fmt: skip
    today = datetime.now(UTC).date()
    if content is None and kept is not None:
        made, changes = renewed(kept, today, facts), _NOTHING
    else:
        made = book_from_list(name, content or b"", today, facts)
        changes = checked_changes(old, made, today)
    keep_price_list(home, refreshed_path(home, name), made)
    return _told(name, url, refreshed_book(home, name), changed=changes, unchanged=content is None, error=None)


def _told(
    name: str,
    url: str,
    book: Book | None,
    *,
    changed: BookChanges | None,
    unchanged: bool,
    error: FieldguideError | None,
) -> Refreshed:
    return Refreshed(
        source=name,
        url=url,
        changed=changed,
        unchanged=unchanged,
        listings=None if book is None else len(book.entries),
        read=None if book is None else book.source.read,
        error=error,
    )


def data_in_use(home: Path) -> DataInUse:
    """Return what the catalogue rests on, with dates and counts.

    Raises:
        CatalogueError: A file of the catalogue is malformed.
    """
    whole = catalogue.families(compiled_folder(home))
    read = [place.as_of for model in whole.models() for place in model.member.places]
    ledger = claims()
    return DataInUse(
        families=len(whole.families),
        models=len(whole.models()),
        families_read=max(read, default=None),
        claims=len(ledger),
        claims_read=max((claim.date for claim in ledger if claim.date is not None), default=None),
        prices=price_books(home),
    )
