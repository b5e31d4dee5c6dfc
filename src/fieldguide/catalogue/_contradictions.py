"""The facts of one family held against each other: which two cannot both be true."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TypeAlias

from fieldguide.catalogue._entry import Fact
from fieldguide.catalogue._family import PROPRIETARY, Family, LicenceTerms, Member, Size
from fieldguide.domain import active_parameters, total_parameters

_LABEL_TOLERANCE = 1.35
"""How far a count may lie from its label: Gemma-2-2B, the furthest so far, has 2.61 billion."""
_COMPUTE_TOLERANCE = 4.0
"""How far published training compute may lie from 6 x parameters x tokens: several epochs and reruns are not errors."""

_SIZE_IN_NAME = re.compile(r"(?<![a-z0-9.])(?:\d+x)?\d+(?:\.\d+)?[mb](?![a-z0-9])")
_TUNED = re.compile(r"-(?:instruct|it|chat)(?:-|$)")

Contradiction: TypeAlias = tuple[str, str]
"""Key of the fact, and what is wrong with it."""


def contradictions(family: Family, licences: dict[str, LicenceTerms]) -> Iterator[Contradiction]:
    """Yield (key, what is wrong) for every two facts of a family that cannot both hold."""
    yield from _kinds(family)
    yield from _dates("released", family.released)
    names: set[str] = set()
    places: dict[tuple[str, str], str] = {}
    for number, size in enumerate(family.sizes):
        for key, wrong in _of_size(size, licences):
            yield f"sizes.{number}.{key}", wrong
        for index, member in enumerate(size.members):
            here = f"sizes.{number}.members.{index}"
            if member.name in names:
                yield f"{here}.name", f"{member.name} is given twice"
            names.add(member.name)
            for key, wrong in _of_member(member, size):
                yield f"{here}.{key}", wrong
            for order, place in enumerate(member.places):
                owner = places.setdefault((place.hub, place.id), member.name)
                if owner != member.name or place in member.places[:order]:
                    yield f"{here}.places.{order}", f"{place.hub}:{place.id} is a place of {owner} already"


def _kinds(family: Family) -> Iterator[Contradiction]:
    known = set(family.modalities_in.value | family.modalities_out.value)
    for member in (member for size in family.sizes for member in size.members):
        for modalities in (member.modalities_in, member.modalities_out):
            known |= modalities.value if modalities else set()
    for kind, modality in (("vision-language", "image"), ("audio", "audio"), ("speech", "audio"), ("image", "image")):
        if kind in family.kinds and modality not in known:
            yield "kinds", f"{kind}, yet no {modality} goes in or out"


def _of_size(size: Size, licences: dict[str, LicenceTerms]) -> Iterator[Contradiction]:
    total = size.parameters.value if size.parameters else None
    active = size.active_parameters.value if size.active_parameters else None
    if total is not None and active is not None and active > total:
        yield "active_parameters", f"{active} of {total} parameters cannot be active"
    for key, count, label in (
        ("parameters", total, size.label_parameters),
        ("active_parameters", active, size.label_active_parameters),
    ):
        if count is not None and label is not None and not 1 / _LABEL_TOLERANCE < count / label < _LABEL_TOLERANCE:
            yield key, f"{count} parameters do not fit the label {size.size}"
    yield from _licence(size, licences)
    yield from _shape(size, total, active)
    counted = active or total
    if size.training_flop is not None and size.training_tokens is not None and counted is not None:
        ratio = size.training_flop.value / (6.0 * counted * size.training_tokens.value)
        if not 1 / _COMPUTE_TOLERANCE < ratio < _COMPUTE_TOLERANCE:
            yield "training_flop", f"{ratio:.2g} times what parameters and training_tokens give; mend one"


def _licence(size: Size, licences: dict[str, LicenceTerms]) -> Iterator[Contradiction]:
    if size.licence is None:
        return
    if size.licence.value not in licences:
        yield "licence", f"{size.licence.value} is not in licences.yaml"
    if size.licence.value == PROPRIETARY:
        for member in size.members:
            if member.weights_fetchable:
                yield "licence", f"proprietary, yet the weights of {member.name} can be fetched"


def _shape(size: Size, total: int | None, active: int | None) -> Iterator[Contradiction]:
    if size.architecture is None or size.parameters_note is not None:
        return
    shape = size.architecture.value
    computed = total_parameters(shape)
    if total is not None and size.parameters_exact and total != computed:
        yield "parameters", f"{total} published, {computed} from the architecture; mend one, or say why in a note"
    if active is not None and active != active_parameters(shape):
        yield "active_parameters", f"{active} published, {active_parameters(shape)} from the architecture"


def _of_member(member: Member, size: Size) -> Iterator[Contradiction]:
    if member.tuning == "base" and _TUNED.search(member.name):
        yield "tuning", f"base, yet it is called {member.name}"
    in_name = _SIZE_IN_NAME.findall(member.name)
    label = (size.size or "").lower().partition("-a")[0]
    if in_name and size.label_parameters is not None and label not in in_name:
        yield "name", f"{member.name} does not fit the label {size.size}"
    yield from _lengths(member)
    if member.released is not None and member.released_unknown:
        yield "released_unknown", "yet released is given"
    yield from _dates("released", member.released)


def _lengths(member: Member) -> Iterator[Contradiction]:
    if member.context_length is None:
        return
    context = member.context_length.value
    if member.output_tokens is not None and member.output_tokens.value > context:
        yield "output_tokens", f"{member.output_tokens.value} against a context_length of {context}"
    if member.extended_context_length is not None and member.extended_context_length.value <= context:
        yield (
            "extended_context_length",
            f"{member.extended_context_length.value}, no more than context_length {context}",
        )


def _dates(key: str, fact: Fact[date] | None) -> Iterator[Contradiction]:
    """A fact cannot have been read before it came about."""
    if fact is not None and fact.value > fact.as_of:
        yield key, f"{fact.value}, yet it was read on {fact.as_of}"


def weights_published(size: Size) -> bool:
    """Whether the weights of any member can be fetched somewhere we know of."""
    return any(member.weights_fetchable for member in size.members)


def places_shared(families: Iterable[Family]) -> Iterator[tuple[str, str, str]]:
    """Yield (family, key, what is wrong) for each place that members of two families claim."""
    owners: dict[tuple[str, str], tuple[str, str]] = {}
    for family in families:
        for number, size in enumerate(family.sizes):
            for index, member in enumerate(size.members):
                for order, place in enumerate(member.places):
                    name, owner = owners.setdefault((place.hub, place.id), (family.name, member.name))
                    if name != family.name:
                        key = f"sizes.{number}.members.{index}.places.{order}"
                        yield family.name, key, f"{place.hub}:{place.id} is a place of {owner} too"
