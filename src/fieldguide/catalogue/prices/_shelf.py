"""Which books of prices are in use, in the order in which they are believed.

1. Our own, each price read at the provider's page. 2. genai-prices, whose prices are dated and reviewed. 3. litellm and
models.dev, the one read later first. Of two copies of one source the one read later is taken: what `catalogue refresh`
brought, or what came with the program and its packages.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from fieldguide.catalogue.prices._book import Book, read_book, write_book
from fieldguide.catalogue.prices._own import own_books
from fieldguide.errors import CatalogueError

BOOKS = ("genai-prices", "litellm", "models.dev")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Every book in use, in order."""

    books: tuple[Book, ...]
    refreshed: frozenset[str]
    """Names of the sources whose copy `catalogue refresh` brought."""
    warnings: tuple[str, ...]


def shelf(home: Path) -> Shelf:
    """Return the books in use; `home` is the user folder, which need not be there.

    Raises:
        CatalogueError: A book that comes with the program is malformed.
    """
    chosen: dict[str, Book] = {}
    refreshed, warnings = set(), []
    for name in BOOKS:
        shipped = _package(home) if name == "genai-prices" else _shipped(name)
        brought = None
        try:
            brought = refreshed_book(home, name)
        except CatalogueError as error:
            warnings.append(
                f"{error.message} (in {refreshed_path(home, name)}); `fieldguide catalogue refresh` mends it"
            )
        if brought is not None and (shipped is None or brought.source.read >= shipped.source.read):
            chosen[name] = brought
            refreshed.add(name)
        elif shipped is not None:
            chosen[name] = shipped
    if "genai-prices" not in chosen:
        warnings.append("genai-prices is not installed: pip install 'fieldguide[prices]' adds dated, reviewed prices")
    others = sorted((chosen[name] for name in BOOKS[1:] if name in chosen), key=lambda each: each.source.read)
    dated = [chosen["genai-prices"]] if "genai-prices" in chosen else []
    books = (*own_books(), *dated, *reversed(others))
    return Shelf(books=books, refreshed=frozenset(refreshed), warnings=tuple(warnings))


def refreshed_path(home: Path, name: str) -> Path:
    """Return where a refreshed book lies."""
    return home / "prices" / f"{name}.jsonl.gz"


def refreshed_book(home: Path, name: str) -> Book | None:
    """Return what `catalogue refresh` has brought of a source; None where it has not.

    Raises:
        CatalogueError: The file is malformed.
    """
    path = refreshed_path(home, name)
    try:
        return read_book(path.read_bytes(), path.name)
    except OSError:
        return None


def _shipped(name: str) -> Book:
    item = files("fieldguide.catalogue.prices").joinpath("data", f"{name}.jsonl.gz")
    return read_book(item.read_bytes(), item.name)


def _package(home: Path) -> Book | None:
    """Return genai-prices as installed, by way of a copy in our own form: importing it takes a third of a second."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        installed = version("genai-prices")
    except PackageNotFoundError:
        return None
    copy = home / "cache" / f"genai-prices-{installed}-1.jsonl.gz"
    with contextlib.suppress(OSError, CatalogueError):
        return read_book(copy.read_bytes(), copy.name)
    from fieldguide.catalogue.prices._genai import from_package

    try:
        source, lines = from_package()
    except Exception:  # a package that is broken, or of another shape than we know, is one that is not there
        return None
    content = write_book(source, lines, {})
    _keep(copy, content)
    return read_book(content, copy.name)


def _keep(copy: Path, content: bytes) -> None:
    with contextlib.suppress(OSError):
        copy.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=copy.parent, prefix=".genai-prices-")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(part).replace(copy)
        for old in copy.parent.glob("genai-prices-*.jsonl.gz"):
            if old != copy:
                old.unlink(missing_ok=True)
