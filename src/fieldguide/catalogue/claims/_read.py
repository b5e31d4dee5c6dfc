"""Reading the tables of claims, by way of a fast copy where one is at hand: `catalogue/_compiled.py`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.catalogue._compiled import compiled
from fieldguide.catalogue._read import read_yaml, validated
from fieldguide.catalogue.claims._claim import Claim, Collection
from fieldguide.catalogue.claims._imports import shipped_imports
from fieldguide.errors import CatalogueError, UnknownNameError
from fieldguide.registry import nearest

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@cache
def claims(copies: Path | None = None) -> tuple[Claim, ...]:
    """Return every claim of the ledger: the tables of the catalogue, then what was taken over from others.

    `copies` is a folder where a fast copy may be kept. The same tuple is returned each time, so that what is made of
    it can be kept beside it.

    Raises:
        CatalogueError: A file is malformed.
    """
    return tuple(claim for table in collections(copies) for claim in table.claims()) + shipped_imports()


@cache
def collections(copies: Path | None = None) -> tuple[Collection, ...]:
    """Return the tables of the catalogue, by name; see `claims`.

    Raises:
        CatalogueError: A file is malformed.
    """
    folder = files("fieldguide.catalogue.claims").joinpath("data")
    schema = tuple[Collection, ...]
    made: tuple[Collection, ...] = compiled(
        copies, "claims", _tables_in(folder), schema, lambda: read_collections(folder)
    )
    return made


def collection(name: str) -> Collection:
    """Return the table called `name`.

    Raises:
        UnknownNameError: There is none; the nearest names are given.
        CatalogueError: A file is malformed.
    """
    known = {table.name: table for table in collections()}
    if name.lower() not in known:
        hint = f"Tables: {', '.join(known)}."
        raise UnknownNameError("table of claims", name, nearest(name, sorted(known)), hint=hint)
    return known[name.lower()]


def read_collections(folder: Traversable) -> tuple[Collection, ...]:
    """Return the tables that the YAML files in `folder` describe, by name.

    Raises:
        CatalogueError: A file is not YAML, repeats or misses a key, has one we do not know, or a value is not possible.
    """
    return tuple(_read_one(item) for item in _tables_in(folder))


def _tables_in(folder: Traversable) -> list[Traversable]:
    return sorted((item for item in folder.iterdir() if item.name.endswith(".yaml")), key=lambda item: item.name)


def _read_one(item: Traversable) -> Collection:
    table: Collection = validated(item.name, read_yaml(item), Collection)
    if item.name != f"{table.name}.yaml":
        raise CatalogueError(item.name, "name", f"the file must be called {table.name}.yaml")
    return table
