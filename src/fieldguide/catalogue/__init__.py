"""Curated facts about models, each with its source; YAML in `facts/`, validated when it is first read."""

from fieldguide.catalogue._entry import Fact, Licence, ModelEntry, ModelKind, Place, PlacePart
from fieldguide.catalogue._read import entries, entry, read_entries

__all__ = [
    "Fact",
    "Licence",
    "ModelEntry",
    "ModelKind",
    "Place",
    "PlacePart",
    "entries",
    "entry",
    "read_entries",
]
