"""The guide: families as a map, search with facets, and a page for each family and model."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from fieldguide.app.catalogue_json import found_json
from fieldguide.app.find import FindRequest, find_models
from fieldguide.app.guide import COLUMNS, facets, family_map, fitting_of, guide_json, guide_to, map_json
from fieldguide.app.sizes import size_chart
from fieldguide.catalogue import hardware_table
from fieldguide.reporting import SizeChart, draw_sizes
from fieldguide.web._page import Asked, Page, Shown

_CHARTS_AT_ONCE = 2
_FACTS = ("publisher", "released", "trained_from", "trained_for", "modalities_in", "modalities_out", "languages")
_MOST = 200
_OF_EACH_KIND = 24
_OF_ONE_KIND = 100


@lru_cache(maxsize=1)
def device_names() -> list[str]:
    """Return the names of the hardware that is known."""
    return sorted(device.name for device in hardware_table().devices)


def request_of(asked: Asked, *, most: int | None = None) -> FindRequest:
    """Return what the fields of a search ask for."""
    return FindRequest(
        text=asked.text("q"),
        kinds=asked.every("kind"),
        max_parameters=asked.one("max_parameters"),
        licence=asked.one("licence"),
        modalities=asked.every("modality"),
        at=asked.every("at"),
        on_premises=asked.one("weights") is not None,
        fits=None if (fits := asked.one("fits")) is None else fitting_of(asked.house, fits),
        most=most or min(asked.count("limit") or 50, _MOST),
    )


def filled(asked: Asked) -> dict[str, Any]:
    """Return the fields of a search as they were filled in."""
    return {
        "q": asked.text("q"),
        "kind": list(asked.every("kind")),
        "max_parameters": asked.text("max_parameters"),
        "licence": asked.text("licence"),
        "modality": list(asked.every("modality")),
        "at": list(asked.every("at")),
        "weights": asked.one("weights") is not None,
        "fits": asked.text("fits"),
    }


FIELDS = {
    "q": "free words, such as `qwen coder 7b`",
    "kind": "such as `code`; several may be given and all must hold",
    "max_parameters": "largest number of weights, such as `8B`",
    "licence": "`commercial`, or the id of a licence",
    "modality": "what it takes or gives, such as `image`; several may be given",
    "at": "a place that has it, such as `hf` or `ollama`; several may be given",
    "weights": "any value: only models whose weights can be had",
    "fits": "only models that fit `here`, hardware such as `rtx4090`, or memory such as `24GB`, with how they do",
}
_OF_MAP = {
    "map": "only this kind of the map, such as `code`",
    "from": "how many of its newest families to skip",
}


def _home(asked: Asked) -> Shown:
    searched = bool(set(asked.query) & set(FIELDS))
    kind, start = asked.one("map"), asked.count("from") or 0
    most = _OF_EACH_KIND if kind is None else _OF_ONE_KIND
    found = found_json(find_models(asked.house.settings.home, request_of(asked))) if searched else None
    return Shown(
        title="Search" if searched else "Guide",
        context={
            "search": filled(asked),
            "facets": facets(asked.house),
            "found": found,
            "columns": list(COLUMNS),
            "map": None if searched else map_json(family_map(asked.house), kind=kind, start=start, most=most),
        },
        drawn={"at_once": most, "only": kind, "devices": device_names()},
    )


def _model(asked: Asked) -> Shown:
    guide = guide_to(asked.house, asked.parts["name"])
    context = guide_json(guide)
    series = guide.sizes.series
    row = asked.count("row")
    chosen = series[:_CHARTS_AT_ONCE] if row is None else series[row : row + 1]
    charts, missing = _drawn(tuple(size_chart(each, guide.sizes) for each in chosen))
    drawn = {
        "charts": charts,
        "charts_missing": missing,
        "rows": [(number, size_chart(each, guide.sizes).title) for number, each in enumerate(series)],
        "row": row,
        "fact_names": _FACTS,
    }
    return Shown(title=str(context["model"]["title"]), context=context, drawn=drawn)


@lru_cache(maxsize=256)
def _drawn(charts: tuple[SizeChart, ...]) -> Any:
    return draw_sizes(charts)


HOME = Page(
    name="home",
    path="/",
    template="home.html.j2",
    about="Families as a map by kind and size, and search with facets.",
    make=_home,
    keys={
        "search": "the fields of the search as they were filled in",
        "facets": "what can be chosen: kinds, modalities, licences, places",
        "found": "what `find --json` gives; null where nothing was searched for",
        "columns": "names of the columns of the map",
        "map": "of each kind the newest families, their sizes by column, `total` of them; null in a search",
    },
    fields=FIELDS | _OF_MAP,
    slow_fields=frozenset({"fits"}),
    nav="Guide",
)
MODEL = Page(
    name="model",
    path="/models/{name:.+}",
    template="model.html.j2",
    about="Everything about a family or a model: what it is, sizes, places, licence, price, claims, measurements.",
    make=_model,
    keys={
        "model": "what `show --json` gives",
        "sizes_explained": "what its sizes mean, and rows of tables that hold several of them",
        "ledger": "what `claims --json` gives, our own runs among it; null of a family or where nothing is stated",
        "costs": "what `cost --json` gives for a million tokens in and out; null of a family or without any price",
        "fits_here": "how each size fits this machine: state, best quantization, bytes, in a sentence",
    },
    fields={"row": "which row of the tables over sizes is drawn, from 0"},
)
