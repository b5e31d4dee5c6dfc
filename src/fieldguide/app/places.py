"""From a bare name of the catalogue to the best place where its weights can be fetched."""

from __future__ import annotations

from pathlib import Path

from fieldguide import catalogue, registry
from fieldguide.app.find import compiled_folder
from fieldguide.app.wiring import House
from fieldguide.catalogue import Member
from fieldguide.errors import UnknownNameError, UnsupportedError

_BEST = (("ollama", "ollama-registry"), ("hf", "hf"), ("modelscope", "modelscope"))
"""Hubs of the catalogue and our sources for them: first what runs here as it comes, a GGUF file."""


def place_of_name(house: House, reference: str) -> tuple[str, str | None]:
    """Return a reference that can be fetched, and for a bare name a sentence on which place was taken.

    A reference, and a name whose file the catalogue pins, are returned as they stand; a path becomes `file:PATH`.

    Raises:
        UnknownNameError: The catalogue has no such model; the nearest are given.
        UnsupportedError: No place is known where its weights can be fetched.
    """
    if reference.partition(":")[0] in registry.names("sources") and ":" in reference:
        return reference, None
    if reference.lower().endswith(".gguf") or ("/" in reference and Path(reference).expanduser().exists()):
        return f"file:{reference}", None
    kept = {catalogue.folded(entry.name): entry.name for entry in catalogue.entries()}
    if (entry := kept.get(catalogue.folded(reference))) is not None:
        return entry, None
    try:
        found = catalogue.resolve_model(catalogue.families(compiled_folder(house.settings.home)), reference)
    except UnknownNameError as error:
        if house.models.find(reference) is not None:
            return reference, None
        matches = list(dict.fromkeys([*registry.nearest(reference, list(kept.values())), *error.close_matches]))[:3]
        raise UnknownNameError("model", reference, matches, hint=None if matches else error.hint) from error
    if found.model is None:
        members = [member.name for size in found.family.sizes for member in size.members]
        raise UnsupportedError(
            f"{found.family.title}, a whole family,", "being fetched", hint=f"Name one: {', '.join(members[:6])}."
        )
    member = found.model.member
    if (entry := kept.get(catalogue.folded(member.name))) is not None and not _quantization(reference):
        return entry, None
    place = _best_place(member, reference)
    if place is None:
        known = ", ".join(f"{each.hub}:{each.id}" for each in member.places) or "none"
        raise UnsupportedError(
            member.name,
            "being fetched: the catalogue knows no hub that has its weights",
            hint=f"Places that are known: {known}. Give a reference, such as `hf:OWNER/NAME#*q4_k_m.gguf`.",
        )
    return place, f"{reference} is taken from {place}"


def _best_place(member: Member, name: str) -> str | None:
    ids: dict[str, str] = {place.hub: place.id for place in reversed(member.places)}
    for hub, source in _BEST:
        if "/" in name and ids.get(hub, "").lower() == name.lower():
            return f"{source}:{ids[hub]}"  # Named as it is named there.
    for hub, source in _BEST:
        if hub not in ids or (_quantization(name) and hub != "ollama"):
            continue
        tag = ids[hub]
        if hub == "ollama" and ":" in name:
            tag = name.rpartition("/")[2]  # A tag names its quantization too.
        elif hub == "ollama" and _quantization(name):
            continue
        return f"{source}:{tag}"
    return None


def _quantization(name: str) -> str | None:
    return catalogue.parse_name(name).quantization
