"""One page about a family or a model: every fact with its source and date."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fieldguide import catalogue, registry
from fieldguide.app.find import compiled_folder
from fieldguide.catalogue import Families, Family, LicenceTerms, Member, ModelEntry, Size
from fieldguide.errors import UnknownNameError

SYSTEMIC_RISK_FLOP = 1e25
"""Training compute above which the EU AI Act presumes high impact (Art. 51(2)), in FLOP."""
ACT_SOURCE = "EU AI Act, Art. 51(2): ai-act-law.eu/article/51"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingCompute:
    """How much arithmetic went into a model, as far as that is known."""

    flop: float
    basis: str
    """Who says so, or how it was computed."""

    @property
    def presumed_systemic(self) -> bool:
        """Whether it lies above the presumption of the AI Act; computed, never a legal finding."""
        return self.flop > SYSTEMIC_RISK_FLOP


@dataclass(frozen=True, slots=True, kw_only=True)
class SizePrice:
    """What a model costs at one provider."""

    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    source: str
    """Who says so, for whom, and when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is known of a family, or of one member of it."""

    name: str
    family: Family
    members: tuple[tuple[Size, Member], ...]
    """Every member of a family, or the one that was asked for."""
    licences: dict[str, LicenceTerms]
    stored: dict[str, ModelEntry]
    """By member: files that `pull` can fetch."""

    @property
    def is_family(self) -> bool:
        """Whether the whole family was asked for."""
        return self.name == self.family.name


def show_model(home: Path, name: str) -> Page:
    """Return the page of a family or a model, found by its name, its title or its name at any place.

    Raises:
        UnknownNameError: There is none; the nearest names are given.
        CatalogueError: A file of the catalogue is malformed.
    """
    whole = catalogue.families(compiled_folder(home))
    for family in whole.families:
        if name.lower() in {family.name, family.title.lower()}:
            members = tuple((size, member) for size in family.sizes for member in size.members)
            return _page(family.name, family, members, whole)
    known = _aliases(whole)
    found = known.get(name.lower()) or known.get(_squeezed(name))
    if found is None:
        names = [model.member.name for model in whole.models()] + [family.name for family in whole.families]
        raise UnknownNameError("model", name, registry.nearest(name, names))
    family, size, member = found
    return _page(member.name, family, ((size, member),), whole)


def training_compute(size: Size) -> TrainingCompute | None:
    """Return the training compute of a network: as a named source has it, else 6 x parameters x tokens."""
    if size.training_flop is not None:
        return TrainingCompute(flop=size.training_flop.value, basis=size.training_flop.source)
    counted = size.active_parameters or size.parameters
    if counted is None or size.training_tokens is None:
        return None
    return TrainingCompute(
        flop=6.0 * counted.value * size.training_tokens.value,
        basis=f"6 x (active) parameters x training tokens; tokens: {size.training_tokens.source}",
    )


def price_of(member: Member) -> SizePrice | None:
    """Return what a member costs where it can be called; None where no price is known."""
    return None


def _page(name: str, family: Family, members: tuple[tuple[Size, Member], ...], whole: Families) -> Page:
    wanted = {_squeezed(member.name): member.name for _, member in members}
    stored = {wanted[key]: entry for entry in catalogue.entries() if (key := _squeezed(entry.name)) in wanted}
    return Page(name=name, family=family, members=members, licences=whole.licences, stored=stored)


def _aliases(whole: Families) -> dict[str, tuple[Family, Size, Member]]:
    """Return every name under which a member is known, folded; a catalogue name is never another's alias."""
    known: dict[str, tuple[Family, Size, Member]] = {}
    models = whole.models()
    for model in models:
        known[model.member.name] = (model.family, model.size, model.member)
    for model in models:
        for alias in _names_of(model.member):
            known.setdefault(alias.lower(), (model.family, model.size, model.member))
    return known


def _names_of(member: Member) -> Iterable[str]:
    yield member.title
    yield _squeezed(member.name)
    for place in member.places:
        yield place.id
        yield place.id.rpartition("/")[2]


def _squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9.]", "", name.lower())
