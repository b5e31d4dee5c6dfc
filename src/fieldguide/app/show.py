"""One page about a family or a model: every fact with its source and date."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from fieldguide import catalogue
from fieldguide.app.find import compiled_folder
from fieldguide.catalogue import Families, Family, LicenceTerms, Member, ModelEntry, Resolved, Rule, Size

SYSTEMIC_RISK_FLOP = 1e25
"""Training compute above which the EU AI Act presumes high impact (Art. 51(2)), in FLOP."""
ACT_SOURCE = "EU AI Act, Art. 51(2): https://ai-act-law.eu/article/51/"


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
    provider: str
    """Who sells it at that price."""
    source: str
    """Who says so, for whom, and when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is known of a family, or of one member of it."""

    name: str
    is_family: bool
    """Whether the whole family was asked for."""
    family: Family
    members: tuple[tuple[Size, Member], ...]
    """Every member of a family, or the one that was asked for."""
    licences: dict[str, LicenceTerms]
    rules: tuple[Rule, ...]
    stored: dict[str, ModelEntry]
    """By member: files that `pull` can fetch."""
    note: str | None = None
    """One sentence, where the name that was asked for and this page are not plainly the same."""

    def rules_for(self, size: Size, compute: TrainingCompute | None) -> tuple[Rule, ...]:
        """Return the rules of authorities that a network is of interest to; facts, never a legal finding."""
        flop = None if compute is None else compute.flop
        return catalogue.rules_for(self.rules, self.family, size, flop, self.licences)


def show_model(home: Path, name: str, *, suggest: bool = True) -> Page:
    """Return the page of a family or a model, found by any of its names; see `catalogue.resolve_model`.

    Raises:
        UnknownNameError: There is none; the nearest names are given, with `suggest`.
        CatalogueError: A file of the catalogue is malformed.
    """
    whole = catalogue.families(compiled_folder(home))
    found = catalogue.resolve_model(whole, name, family_first=True, suggest=suggest)
    if found.model is None:
        members = tuple((size, member) for size in found.family.sizes for member in size.members)
        return _page(found.family.name, found, members, whole)
    return _page(found.model.member.name, found, ((found.model.size, found.model.member),), whole)


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


def price_of(home: Path, member: Member) -> SizePrice | None:
    """Return the lowest known price of a member, at a place of its own before other sellers; None where none is known.

    Raises:
        CatalogueError: A book of prices is malformed.
    """
    from fieldguide.app.prices import price_of_member

    known = price_of_member(home, member)
    if known is None:
        return None
    ingoing, outgoing = known.amount_of("input_tokens"), known.amount_of("output_tokens")
    if ingoing is None or outgoing is None:
        return None
    return SizePrice(
        input_usd_per_mtok=ingoing,
        output_usd_per_mtok=outgoing,
        provider=known.provider,
        source=known.description,
    )


def _page(name: str, found: Resolved, members: tuple[tuple[Size, Member], ...], whole: Families) -> Page:
    wanted = {catalogue.folded(member.name): member.name for _, member in members}
    pulled = {key: each for each in catalogue.entry_names() if (key := catalogue.folded(each)) in wanted}
    stored = {wanted[key]: catalogue.entry(each) for key, each in pulled.items()}
    return Page(
        name=name,
        is_family=found.model is None,
        family=found.family,
        members=members,
        licences=whole.licences,
        rules=whole.rules,
        stored=stored,
        note=found.note,
    )
