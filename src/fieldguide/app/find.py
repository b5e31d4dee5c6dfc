"""Looking models up by free words and facets."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import catalogue, registry
from fieldguide.catalogue import CatalogueModel, Families, Query, SearchIndex, SearchRecord
from fieldguide.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from fieldguide.app.fitting import BestFit, Fitting

COMMERCIAL = "commercial"
"""What `--licence` takes beside the id of a licence."""

_WEIGHTS = ("weights", "to be had")
_HUB_ALIASES = {"huggingface": "hf", "hugging-face": "hf", "google": "gemini", "alibaba": "model-studio"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FindRequest:
    """What a person looks for; everything must hold."""

    text: str = ""
    kinds: tuple[str, ...] = ()
    max_parameters: str | None = None
    licence: str | None = None
    modalities: tuple[str, ...] = ()
    at: tuple[str, ...] = ()
    on_premises: bool = False
    """Only models whose weights can be had."""
    fits: Fitting | None = None
    """Only models that fit this."""
    most: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModels:
    """The models found."""

    models: tuple[CatalogueModel, ...]
    total: int
    unknown_size: int
    """Left out only because their size is not known."""
    unknown_licence: int
    """Left out only because the terms of their commercial use are not known."""
    nearest: tuple[str, ...]
    """Where nothing was found, or only by other words: names that look like the words."""
    licences: Families
    corrected: tuple[tuple[str, str], ...] = ()
    """Misspelled words, and what they were taken for."""
    fits: dict[str, BestFit] = field(default_factory=dict)
    """By member, where it was asked what fits."""
    too_large: int = 0
    """Left out because they do not fit."""
    unknown_fit: int = 0
    """Left out because what they need is not known."""


def compiled_folder(home: Path) -> Path:
    """Return where a fast copy of the catalogue is kept."""
    return home / "cache"


def find_models(home: Path, request: FindRequest) -> FoundModels:
    """Return what the catalogue has for a request, best first.

    Raises:
        UnknownNameError: No model has such a kind, licence, modality or place; the nearest are given.
        UsageError: The size is no size, or no model may be shown.
        CatalogueError: A file of the catalogue is malformed.
    """
    if request.most < 1:
        raise UsageError(f"--limit takes a number of at least 1, not {request.most}.")
    whole = catalogue.families(compiled_folder(home))
    models, index = _indexed(whole)
    facets = [
        *(_facet(index, "kind", value) for value in request.kinds),
        *(_facet(index, "modality", value) for value in request.modalities),
        *(_facet(index, "at", hub_of(value)) for value in request.at),
        *((_WEIGHTS,) if request.on_premises else ()),
    ]
    limit = None if request.max_parameters is None else catalogue.amount(request.max_parameters, "--max-parameters")
    licensed = [] if request.licence is None else [_facet(index, "licence", request.licence)]
    most = request.most if request.fits is None else len(models)
    found = index.find(Query(text=request.text, facets=[*facets, *licensed], max_parameters=limit), most=most)
    shown = [models[number] for number in found.numbers]
    fits = {} if request.fits is None else {model.member.name: request.fits.of(model) for model in shown}
    states = [fit.state for fit in fits.values()]
    if request.fits is not None:
        shown = [model for model in shown if fits[model.member.name].state == "fits"]
    unknown_licence = 0
    if licensed == [("licence", COMMERCIAL)]:
        open_facets = [*facets, ("licence", "unknown")]
        unknown_licence = index.find(Query(text=request.text, facets=open_facets, max_parameters=limit), most=1).total
    return FoundModels(
        models=tuple(shown[: request.most]),
        total=found.total if request.fits is None else len(shown),
        unknown_size=found.unknown_size,
        unknown_licence=unknown_licence,
        nearest=()
        if (found.total and not found.corrected) or not request.text
        else tuple(registry.nearest(request.text, _names(whole, models))),
        licences=whole,
        corrected=found.corrected,
        fits={name: fit for name, fit in fits.items() if fit.state == "fits"},
        too_large=states.count("too large"),
        unknown_fit=states.count("unknown"),
    )


def hub_of(place: str) -> str:
    """Return the catalogue's name of a place: `huggingface` is `hf`."""
    return _HUB_ALIASES.get(place.lower(), place.lower())


def kinds_of(model: CatalogueModel) -> list[str]:
    """Return the kinds of a model: its family's, but for those that its own modalities rule out."""
    taken = modalities_in(model) | modalities_out(model)
    needs = {"vision-language": "image", "audio": "audio"}
    return sorted(kind for kind in model.family.kinds if needs.get(kind, "text") in taken | {"text"})


def modalities_in(model: CatalogueModel) -> frozenset[str]:
    """Return what a model takes."""
    return frozenset((model.member.modalities_in or model.family.modalities_in).value)


def modalities_out(model: CatalogueModel) -> frozenset[str]:
    """Return what a model makes."""
    return frozenset((model.member.modalities_out or model.family.modalities_out).value)


def released(model: CatalogueModel) -> date | None:
    """Return when a model came out, where that is known."""
    fact = model.family.release_of(model.member)
    return None if fact is None else fact.value


_kept: tuple[Families, list[CatalogueModel], SearchIndex] | None = None


def _indexed(whole: Families) -> tuple[list[CatalogueModel], SearchIndex]:
    """Return every model in order, and an index over them; those of the last catalogue are kept."""
    global _kept
    kept = _kept
    if kept is None or kept[0] is not whole:
        models = _in_order(whole)
        kept = _kept = (whole, models, SearchIndex.of(_record(whole, model) for model in models))
    return kept[1], kept[2]


def _names(whole: Families, models: list[CatalogueModel]) -> list[str]:
    return [model.member.name for model in models] + [family.name for family in whole.families]


def _in_order(whole: Families) -> list[CatalogueModel]:
    """Return every model, newest first and small before large; those of an unknown day come last."""

    def rank(model: CatalogueModel) -> tuple[int, str, float, str]:
        size = model.size.parameters.value if model.size.parameters else float("inf")
        day = released(model)
        return (0 if day is None else -day.toordinal(), model.family.name, size, model.member.name)

    return sorted(whole.models(), key=rank)


def _record(whole: Families, model: CatalogueModel) -> SearchRecord:
    family, size, member = model.family, model.size, model.member
    facets = {("kind", kind) for kind in kinds_of(model)}
    facets |= {("modality", each) for each in modalities_in(model) | modalities_out(model)}
    facets |= {("at", place.hub) for place in member.places}
    if member.weights_fetchable:
        facets.add(_WEIGHTS)
    terms = None if size.licence is None else whole.licences[size.licence.value]
    if terms is None or terms.commercial_use is None:
        facets.add(("licence", "unknown"))
    if terms is not None:
        facets.add(("licence", terms.id))
        if terms.allows_commercial_use:
            facets.add(("licence", COMMERCIAL))
    counted = float(size.parameters.value) if size.parameters else None
    sizes = [value for value in (counted, size.label_parameters) if value is not None]
    places = (place.id for place in member.places)
    words = (member.title, family.title, family.publisher.value, member.tuning or "", *family.kinds, *family.good_for)
    return SearchRecord(
        name=member.name,
        words=" ".join((*words, *places)),
        facets=frozenset(facets),
        parameters=min(sizes, default=None),  # an 8B model of 8.03 billion is one of at most 8B
    )


def _facet(index: SearchIndex, name: str, value: str) -> tuple[str, str]:
    known = index.facet_values(name)
    if value.lower() not in known:
        hint = None if registry.nearest(value, known) else f"Known: {', '.join(known)}."
        raise UnknownNameError("place" if name == "at" else name, value, registry.nearest(value, known), hint=hint)
    return (name, value.lower())
