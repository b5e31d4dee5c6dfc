"""Which listings are of a model, provider by provider and book by book."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fieldguide.catalogue.prices._book import Book, Entry, by_provider, squeezed
from fieldguide.catalogue.prices._listing import Listing
from fieldguide.catalogue.prices._providers import provider_name

_WEIGHTS = frozenset({"hf", "modelscope"})
"""Places whose names say which weights a model is, so that sellers of open models use them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A model under all the names it goes by."""

    names: tuple[str, ...]
    """What it may be called at any provider, best first."""
    at: tuple[tuple[str, str], ...] = ()
    """(place, id): what it is called at one place."""
    by_rule: bool = False
    """Whether the rules of a source may decide that `names` are covered; else only whole names count."""

    def called(self, provider: str) -> list[str]:
        """Return what it may be called at a provider, in lower case, the provider's own name for it first."""
        own = [name for place, name in self.at if provider_name(place) == provider]
        return [name.lower() for name in (*own, *self.names)]

    def known_as(self, provider: str) -> list[str]:
        """Return the names on which the rules of a source may be tried."""
        own = [name.lower() for place, name in self.at if provider_name(place) == provider]
        return own + [name.lower() for name in self.names] * self.by_rule

    def alike(self) -> set[str]:
        """Return its names without owners, dashes and the like."""
        return {squeezed(name) for name in (*self.names, *(name for place, name in self.at if place in _WEIGHTS))}


def listings_by_provider(
    books: Iterable[Book], wanted: Wanted, provider: str | None = None
) -> dict[str, list[Listing]]:
    """Return the listings of a model by provider, at most one from each book, in the order of the books.

    In each book the provider's own name for the model goes first, then a rule of the source that covers it, then a name
    that differs in its owner, capitals or punctuation only.

    Raises:
        CatalogueError: A line of a book is malformed.
    """
    alike = wanted.alike()
    found: dict[str, list[Listing]] = {}
    for book in books:
        for name, entries in by_provider(book):
            if provider in (None, name) and (entry := _best(entries, wanted, name, alike)) is not None:
                found.setdefault(name, []).append(book.listing(entry))
    return found


def _best(entries: list[Entry], wanted: Wanted, provider: str, alike: set[str]) -> Entry | None:
    for called in wanted.called(provider):
        if entry := _first(entries, lambda each, name=called: name in each.names):  # type: ignore[misc]
            return entry
    for called in wanted.known_as(provider):
        if entry := _first(entries, lambda each, name=called: each.covers(name)):  # type: ignore[misc]
            return entry
    return _first(entries, lambda each: squeezed(each.model) in alike)


def _first(entries: list[Entry], holds: Callable[[Entry], bool]) -> Entry | None:
    return next((entry for entry in entries if holds(entry)), None)
