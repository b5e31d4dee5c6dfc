"""The guide as it is looked at: families by kind and size, and everything about a family or a model on one page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fieldguide import catalogue
from fieldguide.app.catalogue_json import page_json
from fieldguide.app.claims import Ledger, ledger_json, look_up_claims
from fieldguide.app.cost import Costs, Workload, price_workload
from fieldguide.app.cost_json import costs_json
from fieldguide.app.find import COMMERCIAL, compiled_folder, kinds_of, modalities_in, modalities_out
from fieldguide.app.fitting import BestFit, Fitting, fitting_for
from fieldguide.app.hardware import HERE
from fieldguide.app.here import measured_at
from fieldguide.app.show import Page, show_model
from fieldguide.app.sizes import Sizes, explain_sizes, sizes_json
from fieldguide.app.wiring import House
from fieldguide.catalogue import CatalogueModel, Families, Family, Size
from fieldguide.errors import FieldguideError, UnknownNameError
from fieldguide.registry import nearest

_EDGES = (1e9, 4e9, 10e9, 40e9, 150e9)
"""Where one column of the map ends and the next begins (weights)."""
COLUMNS = ("under 1B", "1B to 4B", "4B to 10B", "10B to 40B", "40B to 150B", "over 150B", "not known")
_KINDS = ("reasoning", "code", "maths", "vision-language", "audio", "speech", "image", "embedding", "general")
"""The most telling first: a family stands under the first that it is of."""
_OTHER = "foundation"
_SAMPLE = Workload(input_tokens=1000, output_tokens=1000, requests=1000)
"""A million tokens in and a million out, in requests too small for the dearer tiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRow:
    """One family: its sizes, each in the column that its number of weights belongs to."""

    family: Family
    columns: tuple[tuple[Size, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """A family or a model with all that the guide knows of it."""

    page: Page
    sizes: Sizes
    ledger: Ledger | None
    """Published scores and our own runs; None where there are none, and of a whole family."""
    costs: Costs | None
    """A million tokens in and a million out; None of a whole family, and where no source knows the name."""
    fits: tuple[HereFit, ...]
    """How it fits this machine, size by size; empty where this machine is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HereFit:
    """How one size fits this machine."""

    label: str
    model: str
    fit: BestFit


def family_map(house: House) -> dict[str, tuple[MapRow, ...]]:
    """Return the families by the most telling of their kinds, newest first; each stands there once."""
    return _laid_out(catalogue.families(compiled_folder(house.settings.home))).map


def facets(house: House) -> dict[str, list[str]]:
    """Return what can be chosen in a search: the values that some model has."""
    return _laid_out(catalogue.families(compiled_folder(house.settings.home))).facets


@dataclass(frozen=True, slots=True, kw_only=True)
class _LaidOut:
    """What is made of a whole catalogue and stays as long as it does."""

    whole: Families
    map: dict[str, tuple[MapRow, ...]]
    facets: dict[str, list[str]]


_kept: _LaidOut | None = None


def _laid_out(whole: Families) -> _LaidOut:
    global _kept
    kept = _kept
    if kept is None or kept.whole is not whole:
        kept = _kept = _LaidOut(whole=whole, map=_map(whole), facets=_facets(whole))
    return kept


def _map(whole: Families) -> dict[str, tuple[MapRow, ...]]:
    rows: dict[str, list[MapRow]] = {kind: [] for kind in (*_KINDS, _OTHER)}
    for family in sorted(whole.families, key=_newest):
        kind = next((each for each in _KINDS if each in family.kinds), _OTHER)
        rows[kind].append(MapRow(family=family, columns=_columns(family.sizes)))
    return {kind: tuple(several) for kind, several in rows.items() if several}


def _facets(whole: Families) -> dict[str, list[str]]:
    models = whole.models()
    taken = {each for model in models for each in modalities_in(model) | modalities_out(model)}
    return {
        "kinds": sorted({kind for model in models for kind in kinds_of(model)}),
        "modalities": sorted(taken),
        "licences": [COMMERCIAL, *sorted({model.size.licence.value for model in models if model.size.licence})],
        "places": sorted({place.hub for model in models for place in model.member.places}),
    }


def guide_to(house: House, name: str) -> Guide:
    """Return everything about a family or a model.

    Raises:
        UnknownNameError: There is none of that name; the nearest are given.
        CatalogueError: A file of the catalogue is malformed.
    """
    home = house.settings.home
    page = show_model(home, name)
    sizes = explain_sizes(page, home)
    fits = _fits(house, page)
    if page.is_family:
        return Guide(page=page, sizes=sizes, ledger=None, costs=None, fits=fits)
    ledger, costs = _ledger(house, page.name), _costs(house, page.name)
    return Guide(page=page, sizes=sizes, ledger=ledger, costs=costs, fits=fits)


def guide_json(guide: Guide) -> dict[str, Any]:
    """Return the page as programs read it."""
    return {
        "model": page_json(guide.page),
        "sizes_explained": sizes_json(guide.sizes),
        "ledger": None if guide.ledger is None else ledger_json(guide.ledger),
        "costs": None if guide.costs is None else costs_json(guide.costs),
        "fits_here": [
            {
                "size": each.label,
                "model": each.model,
                "state": each.fit.state,
                "quantization": each.fit.quantization,
                "total_bytes": each.fit.total_bytes,
                "context_tokens": each.fit.context_tokens,
                "sentence": each.fit.sentence,
            }
            for each in guide.fits
        ],
    }


def map_json(
    rows: dict[str, tuple[MapRow, ...]], *, kind: str | None = None, start: int = 0, most: int = 1_000_000
) -> list[dict[str, Any]]:
    """Return the map as programs read it: of each kind so many families, or of one kind those from a place on.

    Raises:
        UnknownNameError: No family is of this kind.
    """
    if kind is not None and kind not in rows:
        raise UnknownNameError("kind", kind, nearest(kind, list(rows)), hint=f"Known: {', '.join(rows)}.")
    return [
        {
            "kind": each,
            "total": len(several),
            "from": start,
            "families": [_row_json(row) for row in several[start : start + most]],
        }
        for each, several in rows.items()
        if kind in (None, each)
    ]


def fitting_of(house: House, name: str) -> Fitting:
    """Return what tells which models fit hardware or an amount of memory; that of a name is kept.

    Raises:
        UnknownNameError: There is no such hardware.
        UsageError: It is no amount, or the memory of the hardware is not known.
    """
    return _fitting(house, name.strip().lower(), measured_at(house))


@lru_cache(maxsize=32)
def _fitting(house: House, name: str, at: float | None) -> Fitting:
    del at  # part of the key: once this machine is measured, speeds are known
    return fitting_for(house, name)


def _fits(house: House, page: Page) -> tuple[HereFit, ...]:
    try:
        here = fitting_of(house, HERE)
    except FieldguideError:
        return ()
    first: dict[int, HereFit] = {}
    for size, member in page.members:
        if id(size) not in first:
            model = CatalogueModel(family=page.family, size=size, member=member)
            first[id(size)] = HereFit(label=size.size or member.title, model=member.name, fit=here.of(model))
    return tuple(first.values())


def _row_json(row: MapRow) -> dict[str, Any]:
    family = row.family
    return {
        "name": family.name,
        "title": family.title,
        "publisher": family.publisher.value,
        "released": family.released.value.isoformat() if family.released else None,
        "kinds": sorted(family.kinds),
        "sizes": [
            {"column": column, "label": size.size or size.members[0].title, "model": size.members[-1].name}
            for column, sizes in zip(COLUMNS, row.columns, strict=True)
            for size in sizes
        ],
    }


def _newest(family: Family) -> tuple[int, str]:
    return (0 if family.released is None else -family.released.value.toordinal(), family.name)


def _columns(sizes: Iterable[Size]) -> tuple[tuple[Size, ...], ...]:
    found: list[list[Size]] = [[] for _ in COLUMNS]
    for size in sizes:
        count = size.parameters.value if size.parameters else size.label_parameters
        found[-1 if count is None else sum(count >= edge for edge in _EDGES)].append(size)
    return tuple(tuple(each) for each in found)


def _ledger(house: House, name: str) -> Ledger | None:
    try:
        return look_up_claims(house, [name], suggest=False)
    except UnknownNameError:
        return None


def _costs(house: House, name: str) -> Costs | None:
    try:
        return price_workload(house.settings.home, [name], _SAMPLE)
    except UnknownNameError:
        return None
