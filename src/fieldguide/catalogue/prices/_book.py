"""A book of prices: everything one source lists, as gzipped lines of JSON, read when it is needed.

The first line says whose it is, each further one is a listing. A line is turned into values only when its model is
looked for: there are ten thousand of them, and a look-up needs a handful.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from fieldguide.catalogue.prices._clauses import covers
from fieldguide.catalogue.prices._listing import (
    DatedRates,
    Listing,
    PriceSource,
    Variant,
    rates_from_json,
    rates_to_json,
)
from fieldguide.errors import CatalogueError

_FORMAT = 1
_LONGEST_NAME = 300
MOST_BYTES = 64_000_000
"""Of an unpacked book; ours have a few million."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a book, before anyone asks for it."""

    provider: str
    model: str
    rule: dict[str, Any] | None
    """Which names it covers, where the source says so; else its own only."""
    names: tuple[str, ...]
    """Whole names that it covers, in lower case, its own among them."""
    line: Mapping[str, Any]

    def covers(self, name: str) -> bool:
        """Whether the source's rule covers a name in lower case."""
        return self.rule is not None and covers(self.rule, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What one source lists."""

    source: PriceSource
    entries: tuple[Entry, ...]
    facts: Mapping[str, Any]
    """What else its first line holds, such as the tag of the copy it was made from."""

    def listing(self, entry: Entry) -> Listing:
        """Return one of its lines as a value.

        Raises:
            CatalogueError: The line is malformed.
        """
        line = entry.line
        try:
            return Listing(
                source=self.source,
                provider=entry.provider,
                model=entry.model,
                prices=tuple(_dated(each) for each in line["d"]),
                variants=tuple(Variant(name=each["n"], rates=_dated(each)) for each in line.get("v", ())),
                currency=line.get("cur", "USD"),
                not_read=tuple(line.get("not", ())),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CatalogueError(self.source.name, f"{entry.provider}:{entry.model}", f"malformed: {error}") from error


def read_book(content: bytes, name: str) -> Book:
    """Return the book that a file holds.

    Raises:
        CatalogueError: It is not one, or it is cut.
    """
    try:
        unpacker = zlib.decompressobj(wbits=31)
        text = unpacker.decompress(content, MOST_BYTES)
        if not unpacker.eof:
            raise ValueError("cut, or too large")
        first, *lines = text.decode("utf-8").splitlines()
        head = json.loads(first)
        if head.pop("format") != _FORMAT or head.pop("listings") != len(lines):
            raise ValueError("of another version, or cut")
        source = PriceSource(
            name=head.pop("name"), url=head.pop("url"), licence=head.pop("licence"), read=_day(head.pop("read"))
        )
        return Book(source=source, entries=tuple(map(_entry, json.loads(f"[{','.join(lines)}]"))), facts=head)
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, RecursionError) as error:
        raise CatalogueError(name, "(top)", f"not a book of prices: {error}") from error


def write_book(source: PriceSource, listings: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> bytes:
    """Return a book as a file; the same content gives the same bytes."""
    lines = [_packed(line) for line in listings]
    head = {
        "format": _FORMAT,
        "listings": len(lines),
        "name": source.name,
        "url": source.url,
        "licence": source.licence,
        "read": source.read.isoformat(),
        **facts,
    }
    return gzip.compress("\n".join([_packed(head), *lines]).encode(), compresslevel=9, mtime=0)


def line_of(
    provider: str,
    model: str,
    prices: Iterable[DatedRates],
    *,
    variants: Iterable[Variant] = (),
    rule: dict[str, Any] | None = None,
    names: Iterable[str] = (),
    not_read: Iterable[str] = (),
) -> dict[str, Any]:
    """Return a listing as a line of a book; what is unknown is left out.

    Raises:
        ValueError: A name is empty, too long, or would do something to a terminal.
    """
    for name in (provider, model):
        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME:
            raise ValueError(f"not a name: {name[:40]!r}")
    line: dict[str, Any] = {
        "p": provider,
        "m": model,
        "a": sorted({name.lower() for name in names} - {model.lower()}),
        "k": rule,
        "d": [_dated_json(each) for each in prices],
        "v": [{"n": each.name, **_dated_json(each.rates)} for each in variants],
        "not": list(not_read),
    }
    return {key: value for key, value in line.items() if value not in (None, [])}


def book_of(source: PriceSource, lines: Iterable[Mapping[str, Any]]) -> Book:
    """Return a book of lines that are at hand."""
    return Book(source=source, entries=tuple(map(_entry, lines)), facts={})


def _entry(line: Mapping[str, Any]) -> Entry:
    model = line["m"]
    return Entry(
        provider=line["p"], model=model, rule=line.get("k"), names=(model.lower(), *line.get("a", ())), line=line
    )


def _packed(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _dated_json(dated: DatedRates) -> dict[str, Any]:
    made: dict[str, Any] = {"r": rates_to_json(dated.rates)}
    if dated.valid_from:
        made["from"] = dated.valid_from.isoformat()
    if dated.valid_until:
        made["until"] = dated.valid_until.isoformat()
    if dated.hours:
        made["hours"] = [each.isoformat("minutes") for each in dated.hours]
    if dated.cited:
        made["url"] = dated.cited
    if dated.read:
        made["read"] = dated.read.isoformat()
    return made


def _dated(value: Mapping[str, Any]) -> DatedRates:
    hours = value.get("hours")
    return DatedRates(
        rates=rates_from_json(value["r"]),
        valid_from=_day(value["from"]) if "from" in value else None,
        valid_until=_day(value["until"]) if "until" in value else None,
        hours=(time.fromisoformat(hours[0]), time.fromisoformat(hours[1])) if hours else None,
        cited=value.get("url"),
        read=_day(value["read"]) if "read" in value else None,
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def squeezed(name: str) -> str:
    """Return what is left of a model's name without its owner, capitals, dashes and the like."""
    return re.sub(r"[^a-z0-9:]", "", name.lower().rpartition("/")[2])


def by_provider(book: Book) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the entries of each provider, in the order of the book."""
    found: dict[str, list[Entry]] = {}
    for entry in book.entries:
        found.setdefault(entry.provider, []).append(entry)
    yield from found.items()
