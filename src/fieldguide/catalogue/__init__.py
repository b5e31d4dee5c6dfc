"""Curated facts about models, each with its source; YAML in `facts/` and `families/`, validated when first read."""

from fieldguide.catalogue._entry import Fact, Licence, ModelEntry, ModelKind, Place, PlacePart
from fieldguide.catalogue._families import CatalogueModel, Families, families, read_families
from fieldguide.catalogue._family import Family, LicenceTerms, Member, Size, Where
from fieldguide.catalogue._hardware import HardwareTable, find_hardware, hardware_table
from fieldguide.catalogue._names import ModelName, parse_name
from fieldguide.catalogue._read import entries, entry, read_entries
from fieldguide.catalogue._search import Found, Query, SearchIndex, SearchRecord, amount

__all__ = [
    "CatalogueModel",
    "Fact",
    "Families",
    "Family",
    "Found",
    "HardwareTable",
    "Licence",
    "LicenceTerms",
    "Member",
    "ModelEntry",
    "ModelKind",
    "ModelName",
    "Place",
    "PlacePart",
    "Query",
    "SearchIndex",
    "SearchRecord",
    "Size",
    "Where",
    "amount",
    "entries",
    "entry",
    "families",
    "find_hardware",
    "hardware_table",
    "parse_name",
    "read_entries",
    "read_families",
]
