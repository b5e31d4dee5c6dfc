"""Curated facts about models, each with its source; YAML in `facts/` and `families/`, validated when first read.

A module is loaded when one of its names is first used: `list` needs two of them, and all take a fifth of a second.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fieldguide.catalogue._alias import Alias
    from fieldguide.catalogue._entry import Fact, Licence, ModelEntry, ModelKind, Place, PlacePart
    from fieldguide.catalogue._families import CatalogueModel, Families, families, read_families
    from fieldguide.catalogue._family import Family, LicenceTerms, Member, Size, Where
    from fieldguide.catalogue._governance import Rule, rules_for
    from fieldguide.catalogue._hardware import HardwareTable, find_hardware, hardware_table
    from fieldguide.catalogue._jobs import Evidence, Job, JobGuide, JobMatch, Matter, job_guide, read_jobs
    from fieldguide.catalogue._read import entries, entry, entry_names, read_entries
    from fieldguide.catalogue._resolve import Resolved, Resolver, folded, resolve_model
    from fieldguide.catalogue._search import Found, Query, SearchIndex, SearchRecord, amount
    from fieldguide.catalogue._speech import SpeechEntry, speech_entry
    from fieldguide.catalogue.names import ModelName, parse_name

__all__ = [
    "Alias",
    "CatalogueModel",
    "Evidence",
    "Fact",
    "Families",
    "Family",
    "Found",
    "HardwareTable",
    "Job",
    "JobGuide",
    "JobMatch",
    "Licence",
    "LicenceTerms",
    "Matter",
    "Member",
    "ModelEntry",
    "ModelKind",
    "ModelName",
    "Place",
    "PlacePart",
    "Query",
    "Resolved",
    "Resolver",
    "Rule",
    "SearchIndex",
    "SearchRecord",
    "Size",
    "SpeechEntry",
    "Where",
    "amount",
    "entries",
    "entry",
    "entry_names",
    "families",
    "find_hardware",
    "folded",
    "hardware_table",
    "job_guide",
    "parse_name",
    "read_entries",
    "read_families",
    "read_jobs",
    "resolve_model",
    "rules_for",
    "speech_entry",
]

_MODULES = {
    name: module
    for module, names in {
        "_alias": "Alias",
        "_entry": "Fact Licence ModelEntry ModelKind Place PlacePart",
        "_families": "CatalogueModel Families families read_families",
        "_family": "Family LicenceTerms Member Size Where",
        "_governance": "Rule rules_for",
        "_hardware": "HardwareTable find_hardware hardware_table",
        "_jobs": "Evidence Job JobGuide JobMatch Matter job_guide read_jobs",
        "_read": "entries entry entry_names read_entries",
        "_resolve": "Resolved Resolver folded resolve_model",
        "_search": "Found Query SearchIndex SearchRecord amount",
        "_speech": "SpeechEntry speech_entry",
        "names": "ModelName parse_name",
    }.items()
    for name in names.split()
}
"""The module of each name."""


def __getattr__(name: str) -> Any:
    """Load the module of a name, which then stands here."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
