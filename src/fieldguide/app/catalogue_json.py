"""The catalogue's facts to the JSON that programs read. Unknown is null and never 0."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from fieldguide.app.find import FoundModels, kinds_of, modalities_in, modalities_out, released
from fieldguide.app.show import ACT_SOURCE, Page, training_compute
from fieldguide.catalogue import CatalogueModel, Fact, Family, LicenceTerms, Member, ModelEntry, Size

if TYPE_CHECKING:
    from fieldguide.app.fitting import BestFit
    from fieldguide.app.live_search import LiveFound


def found_json(found: FoundModels, live: LiveFound | None = None) -> dict[str, Any]:
    """Return the result of `find`; what the hubs have, where they were asked, stands behind the catalogue's own."""
    own = [_model_json(model, found.licences.licences) for model in found.models]
    for each in own if found.fits else ():
        each["fit"] = _fit_json(found.fits[each["name"]])
    return {
        "models": own if live is None else [*own, *live.as_json()],
        "live": None if live is None else {"total": len(live.models), "note": live.note},
        "total": found.total,
        "left_out": {
            "unknown_size": found.unknown_size,
            "unknown_licence": found.unknown_licence,
            "too_large": found.too_large,
            "unknown_fit": found.unknown_fit,
        },
        "nearest": list(found.nearest),
        "corrected": dict(found.corrected),
    }


def _fit_json(fit: BestFit) -> dict[str, Any]:
    return {
        "quantization": fit.quantization,
        "total_bytes": fit.total_bytes,
        "context_tokens": fit.context_tokens,
        "decode_tokens_per_s": None if fit.decode is None else fit.decode.as_json(),
    }


def page_json(page: Page) -> dict[str, Any]:
    """Return the result of `show`; every fact carries its source and the day it was read."""
    family = page.family
    sizes: dict[int, dict[str, Any]] = {}
    for size, member in page.members:
        if id(size) not in sizes:
            sizes[id(size)] = {**_size_json(size, page), "members": []}
        sizes[id(size)]["members"].append(_member_json(family, size, member, page.stored.get(member.name)))
    only = page.members[0] if not page.is_family else None
    shown = (
        sorted(family.kinds) if only is None else kinds_of(CatalogueModel(family=family, size=only[0], member=only[1]))
    )
    return {
        "name": page.name,
        "what": "family" if page.is_family else "model",
        "title": family.title if only is None else only[1].title,
        "family": family.name,
        "kinds": shown,
        "publisher": _fact(family.publisher),
        "released": _fact(family.released if only is None else family.release_of(only[1])),
        "trained_from": _fact(family.trained_from),
        "trained_for": _fact(family.trained_for),
        "modalities_in": _fact(family.modalities_in if only is None else only[1].modalities_in or family.modalities_in),
        "modalities_out": _fact(
            family.modalities_out if only is None else only[1].modalities_out or family.modalities_out
        ),
        "languages": _fact(family.languages),
        "tool_use": _fact(family.tool_use if only is None else only[1].tool_use or family.tool_use),
        "good_for": list(family.good_for),
        "note_on_sizes": _fact(family.note_on_sizes),
        "note": page.note,
        "sizes": list(sizes.values()),
    }


def licence_json(terms: LicenceTerms) -> dict[str, Any]:
    """Return the facts about a licence; not legal advice."""
    facts: dict[str, Any] = _plain(terms)
    return facts


def _model_json(model: CatalogueModel, licences: dict[str, LicenceTerms]) -> dict[str, Any]:
    family, size, member = model.family, model.size, model.member
    terms = licences[size.licence.value] if size.licence else None
    return {
        "name": member.name,
        "title": member.title,
        "family": family.name,
        "publisher": family.publisher.value,
        "kinds": kinds_of(model),
        "size": size.size,
        "parameters": size.parameters.value if size.parameters else None,
        "active_parameters": size.active_parameters.value if size.active_parameters else None,
        "context_length": member.context_length.value if member.context_length else None,
        "modalities_in": sorted(modalities_in(model)),
        "modalities_out": sorted(modalities_out(model)),
        "licence": terms.id if terms else None,
        "commercial_use": terms.commercial_use if terms else None,
        "released": day.isoformat() if (day := released(model)) else None,
        "hosted_only": size.hosted_only(member),
        "places": [{"hub": place.hub, "id": place.id} for place in member.places],
        "live": False,
    }


def _size_json(size: Size, page: Page) -> dict[str, Any]:
    compute = training_compute(size)
    rules = page.rules_for(size, compute)
    licence = None
    if size.licence is not None:
        licence = {**licence_json(page.licences[size.licence.value]), "stated_by": size.licence.source}
    return {
        "size": size.size,
        "parameters": _fact(size.parameters),
        "parameters_exact": size.parameters_exact if size.parameters else None,
        "parameters_note": size.parameters_note,
        "active_parameters": _fact(size.active_parameters),
        "architecture": _fact(size.architecture),
        "images": _fact(size.images),
        "licence": licence,
        "training_tokens": _fact(size.training_tokens),
        "training_compute": compute
        and {
            "flop": compute.flop,
            "basis": compute.basis,
            "above_1e25": compute.presumed_systemic,
            "rule": ACT_SOURCE,
            "rules": [_plain(rule) for rule in rules],
        },
    }


def _member_json(family: Family, size: Size, member: Member, stored: ModelEntry | None) -> dict[str, Any]:
    return {
        "name": member.name,
        "title": member.title,
        "tuning": member.tuning,
        "released": _fact(family.release_of(member)),
        "context_length": _fact(member.context_length),
        "extended_context_length": _fact(member.extended_context_length),
        "output_tokens": _fact(member.output_tokens),
        "modalities_in": _fact(member.modalities_in or family.modalities_in),
        "modalities_out": _fact(member.modalities_out or family.modalities_out),
        "tool_use": _fact(member.tool_use or family.tool_use),
        "aliases": _fact(member.aliases),
        "hosted_only": size.hosted_only(member),
        "places": [_plain(place) for place in member.places],
        "pull": stored.name if stored else None,
    }


def _fact(fact: Fact[Any] | None) -> dict[str, Any] | None:
    return None if fact is None else _plain(fact)


def _plain(value: Any) -> Any:
    """Return a value in terms of JSON."""
    if dataclasses.is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
