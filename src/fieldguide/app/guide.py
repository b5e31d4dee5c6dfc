"""The guide as it is looked at: families by kind and size, and everything about a family or a model on one page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fieldguide import catalogue
from fieldguide.app.catalogue_json import page_json
from fieldguide.app.claims import Ledger, ledger_json, look_up_claims
from fieldguide.app.cost import Costs, Workload, price_workload
from fieldguide.app.cost_json import costs_json
from fieldguide.app.find import COMMERCIAL, compiled_folder, kinds_of, modalities_in, modalities_out
from fieldguide.app.show import Page, show_model
from fieldguide.app.sizes import Sizes, explain_sizes, sizes_json
from fieldguide.app.wiring import House
from fieldguide.catalogue import Family, Size
from fieldguide.errors import UnknownNameError

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


def family_map(house: House) -> dict[str, tuple[MapRow, ...]]:
    """Return the families by the most telling of their kinds, newest first; each stands there once."""
    whole = catalogue.families(compiled_folder(house.settings.home))
    rows: dict[str, list[MapRow]] = {kind: [] for kind in (*_KINDS, _OTHER)}
    for family in sorted(whole.families, key=_newest):
        kind = next((each for each in _KINDS if each in family.kinds), _OTHER)
        rows[kind].append(MapRow(family=family, columns=_columns(family.sizes)))
    return {kind: tuple(several) for kind, several in rows.items() if several}


def facets(house: House) -> dict[str, list[str]]:
    """Return what can be chosen in a search: the values that some model has."""
    whole = catalogue.families(compiled_folder(house.settings.home))
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
    if page.is_family:
        return Guide(page=page, sizes=sizes, ledger=None, costs=None)
    return Guide(page=page, sizes=sizes, ledger=_ledger(house, page.name), costs=_costs(house, page.name))


def guide_json(guide: Guide) -> dict[str, Any]:
    """Return the page as programs read it."""
    return {
        "model": page_json(guide.page),
        "sizes_explained": sizes_json(guide.sizes),
        "ledger": None if guide.ledger is None else ledger_json(guide.ledger),
        "costs": None if guide.costs is None else costs_json(guide.costs),
    }


def map_json(rows: dict[str, tuple[MapRow, ...]]) -> list[dict[str, Any]]:
    """Return the map as programs read it."""
    return [{"kind": kind, "families": [_row_json(row) for row in several]} for kind, several in rows.items()]


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
        return look_up_claims(house, [name])
    except UnknownNameError:
        return None


def _costs(house: House, name: str) -> Costs | None:
    try:
        return price_workload(house.settings.home, [name], _SAMPLE)
    except UnknownNameError:
        return None
