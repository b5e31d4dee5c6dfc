"""What can be chosen to be measured: models that can be had or called from here, benchmarks and their protocols."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any, cast

from fieldguide import catalogue, registry
from fieldguide.app.exams import protocols_of
from fieldguide.app.find import compiled_folder
from fieldguide.app.wiring import House
from fieldguide.errors import FieldguideError
from fieldguide.runners import OpenRunner

_SECRET = ("KEY", "TOKEN")
_MOST_OF_A_PROVIDER = 30


def choices_json(house: House) -> dict[str, Any]:
    """Return models with where each is, benchmarks, and protocols by benchmark."""
    protocols = _protocols()
    return {
        "models": [*_here(house), *_embedded(), *_called(house)],
        "benchmarks": list(protocols),
        "protocols": {name: list(known) for name, known in protocols.items()},
    }


def _here(house: House) -> list[dict[str, str]]:
    try:
        stored = house.models.list()
    except FieldguideError:  # a damaged manifest is the business of the page of models
        return []
    names = {entry.name for entry in catalogue.entries(house.copies)}
    return [
        {"model": each.name if each.name in names else each.reference, "where": "on this machine"}
        for each in stored
        if each.kind == "gguf"
    ]


def _embedded() -> list[dict[str, str]]:
    return [{"model": entry.name, "where": "fetched first, then run here"} for entry in catalogue.entries()]


def _called(house: House) -> list[dict[str, str]]:
    """Return models of the catalogue at providers whose key is set."""
    counts = dict.fromkeys(_with_key(house), 0)
    found = []
    if counts:
        for each in catalogue.families(compiled_folder(house.settings.home)).models():
            for place in each.member.places:
                if counts.get(place.hub, _MOST_OF_A_PROVIDER) < _MOST_OF_A_PROVIDER and not place.keeps_weights:
                    counts[place.hub] += 1
                    found.append({"model": f"{place.hub}:{place.id}", "where": f"called at {place.hub}"})
    return found


def _with_key(house: House) -> list[str]:
    """Return the providers of which a secret is in the environment."""
    return [name for name, variables in _secrets().items() if house.variables(variables)]


@cache
def _secrets() -> dict[str, tuple[str, ...]]:
    """Return the variables that hold a secret, by runner."""
    found = {}
    for name in registry.names("runners"):
        try:
            open_runner = cast(OpenRunner, registry.load("runners", name))
        except FieldguideError:
            continue
        module = sys.modules.get(getattr(open_runner, "__module__", ""))
        variables = tuple(each for each in getattr(module, "VARIABLES", ()) if each.endswith(_SECRET))
        if variables:
            found[name] = variables
    return found


@cache
def _protocols() -> dict[str, tuple[str, ...]]:
    found = {}
    for name in registry.names("benchmarks"):
        try:
            found[name] = protocols_of(name)
        except FieldguideError:
            continue
    return found
