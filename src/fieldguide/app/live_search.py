"""What the hubs have for a request at this moment, beside what the catalogue has."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fieldguide import catalogue
from fieldguide.app.find import COMMERCIAL, FindRequest, FoundModels, hub_of, kinds_of, modalities_in
from fieldguide.app.licences import terms_of_tag
from fieldguide.app.wiring import House
from fieldguide.catalogue import CatalogueModel, LicenceTerms, ModelName
from fieldguide.errors import FieldguideError, MissingDependencyError, UnknownNameError
from fieldguide.sources.hub_search import ADDRESSES, HUBS, HubModel, search_hub

WAIT_S = 10.0
_KINDS = {"coder": "code", "math": "maths", "vl": "vision-language"}
_MODALITIES = {"vl": "image", "audio": "audio", "image": "image", "video": "video"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveModel:
    """A repository that a hub has, and what its name and tags say."""

    found: HubModel
    name: ModelName
    model: CatalogueModel | None
    """The entry of the catalogue that it is a copy of."""
    licence: LicenceTerms | None
    """Where the owner's tag is of a licence known here."""

    @property
    def parameters(self) -> int | None:
        """Total as the name has it, else as the catalogue has it of the same model."""
        counted = None if self.model is None else self.model.size.parameters
        return self.name.parameters or (counted.value if counted else None)

    @property
    def kinds(self) -> tuple[str, ...]:
        """As the catalogue has them of the same model, else as far as the name says."""
        if self.model is not None:
            return tuple(kinds_of(self.model))
        return tuple(_KINDS.get(kind, kind) for kind in self.name.kinds if kind not in {"base", "chat", "instruct"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFound:
    """The answer of the hubs."""

    models: tuple[LiveModel, ...]
    note: str | None
    """What could not be asked, in one sentence."""

    def as_json(self) -> list[dict[str, Any]]:
        """Return rows with the keys of the catalogue's own, and what only a hub knows."""
        return [_row_json(row) for row in self.models]


def search_live(house: House, request: FindRequest, local: FoundModels, *, wait_s: float = WAIT_S) -> LiveFound:
    """Return what Hugging Face and ModelScope have for a request; whatever fails there becomes a note.

    A limit on size, licence, kind or modality keeps only repositories of which it is known that they hold it.
    """
    wanted = {hub_of(place) for place in request.at}
    hubs = [hub for hub in HUBS if not wanted or hub in wanted]
    if not request.text:
        return LiveFound(models=(), note="The hubs are searched by words, and there are none.")
    endpoints = {hub: house.endpoint(hub) for hub in HUBS}

    def ask(hub: str) -> tuple[HubModel, ...] | FieldguideError:
        endpoint = endpoints[hub]
        direct = house.proxy_for(endpoint or ADDRESSES[hub]) is None
        try:
            return search_hub(hub, request.text, most=request.most, wait_s=wait_s, endpoint=endpoint, direct=direct)
        except FieldguideError as error:
            return error

    with ThreadPoolExecutor(max_workers=len(HUBS)) as pool:
        answers = list(pool.map(ask, hubs))
    resolver = catalogue.Resolver(local.licences)
    rows = [_row(found, resolver, local) for answer in answers if isinstance(answer, tuple) for found in answer]
    limit = None if request.max_parameters is None else catalogue.amount(request.max_parameters, "--max-parameters")
    faults = [_sentence(answer) for answer in answers if isinstance(answer, FieldguideError)]
    return LiveFound(
        models=tuple(row for row in rows if _fits(row, request, limit)),
        note=f"Not searched live: {' '.join(faults)}" if faults else None,
    )


def _row(found: HubModel, resolver: catalogue.Resolver, local: FoundModels) -> LiveModel:
    try:
        model = resolver.resolve(found.id).model
    except UnknownNameError:
        model = None
    licence = terms_of_tag(found.licence_tag, local.licences.licences)
    return LiveModel(found=found, name=catalogue.parse_name(found.id), model=model, licence=licence)


def _fits(row: LiveModel, request: FindRequest, limit: float | None) -> bool:
    if limit is not None and not (row.parameters is not None and row.parameters <= limit):
        return False
    if request.licence is not None:
        if row.licence is None:
            return False
        if request.licence == COMMERCIAL and not row.licence.allows_commercial_use:
            return False
        if request.licence not in {COMMERCIAL, row.licence.id}:
            return False
    if not {kind.lower() for kind in request.kinds} <= set(row.kinds):
        return False
    known = {_MODALITIES[kind] for kind in row.name.kinds if kind in _MODALITIES}
    if row.model is not None:
        known |= modalities_in(row.model) | row.model.family.modalities_out.value
    return {each.lower() for each in request.modalities} <= known


def _sentence(error: FieldguideError) -> str:
    return f"{error.message} {error.hint}." if isinstance(error, MissingDependencyError) else error.message


def _row_json(row: LiveModel) -> dict[str, Any]:
    name, model = row.name, row.model
    return {
        "name": row.found.id,
        "title": row.found.id.rpartition("/")[2],
        "family": None if model is None else model.family.name,
        "publisher": row.found.id.rpartition("/")[0] or None,
        "kinds": list(row.kinds),
        "size": None,
        "parameters": row.parameters,
        "active_parameters": name.active_parameters,
        "context_length": None,
        "modalities_in": None if model is None else sorted(modalities_in(model)),
        "modalities_out": None if model is None else sorted(model.family.modalities_out.value),
        "licence": row.licence and row.licence.id,
        "commercial_use": row.licence and row.licence.commercial_use,
        "released": None,
        "places": [{"hub": row.found.hub, "id": row.found.id}],
        "live": True,
        "same_as": model and model.member.name,
        "format": name.format,
        "quantization": name.quantization,
        "licence_tag": row.found.licence_tag,
        "downloads": row.found.downloads,
        "updated": row.found.updated and row.found.updated.isoformat(),
        "task": row.found.task,
        "gated": row.found.gated,
    }
