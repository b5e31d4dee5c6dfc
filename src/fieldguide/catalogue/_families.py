"""Reading `families/*.yaml` and the files beside them, by way of a fast copy where one is at hand: `_compiled.py`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.catalogue._alias import Alias
from fieldguide.catalogue._compiled import compiled
from fieldguide.catalogue._contradictions import contradictions, places_shared
from fieldguide.catalogue._family import Family, LicenceTerms, Member, Size
from fieldguide.catalogue._governance import Rule
from fieldguide.catalogue._read import read_yaml, validated
from fieldguide.errors import CatalogueError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """A member with the size and the family that it belongs to."""

    family: Family
    size: Size
    member: Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """The whole catalogue of families."""

    families: tuple[Family, ...]
    licences: dict[str, LicenceTerms]
    rules: tuple[Rule, ...] = ()
    aliases: tuple[Alias, ...] = ()

    def models(self) -> tuple[CatalogueModel, ...]:
        """Return every member of every size, by family."""
        return tuple(
            CatalogueModel(family=family, size=size, member=member)
            for family in self.families
            for size in family.sizes
            for member in size.members
        )


def families(copies: Path | None = None) -> Families:
    """Return the families that are shipped; `copies` is a folder where a fast copy may be kept.

    Raises:
        CatalogueError: A file is malformed, or two facts contradict each other.
    """
    return _shipped(copies)


@cache
def _shipped(copies: Path | None) -> Families:
    return read_families(files("fieldguide.catalogue"), copies)


def read_families(folder: Traversable, copies: Path | None = None) -> Families:
    """Return what the YAML files in `folder` say; see `families`."""
    items = sorted(
        (item for item in folder.joinpath("families").iterdir() if item.name.endswith(".yaml")),
        key=lambda item: item.name,
    )
    beside = [folder.joinpath("licences.yaml"), folder.joinpath("governance.yaml")]
    if (of_aliases := folder.joinpath("aliases.yaml")).is_file():
        beside.append(of_aliases)
    made: Families = compiled(copies, "catalogue", [*items, *beside], Families, lambda: _read(items, beside))
    return made


def _read(items: list[Traversable], beside: list[Traversable]) -> Families:
    licences: dict[str, LicenceTerms] = _by_id(beside[0], tuple[LicenceTerms, ...])
    rules: dict[str, Rule] = _by_id(beside[1], tuple[Rule, ...])
    found = tuple(_family(item, licences) for item in items)
    _no_name_twice(found)
    for family, key, wrong in places_shared(found):
        raise CatalogueError(f"{family}.yaml", key, wrong)
    aliases = _aliases(beside[2], found) if len(beside) > 2 else ()
    return Families(families=found, licences=licences, rules=tuple(rules.values()), aliases=aliases)


def _by_id(item: Traversable, schema: Any) -> dict[str, Any]:
    """Return the entries of a file by their ids."""
    made: dict[str, Any] = {}
    for number, each in enumerate(validated(item.name, read_yaml(item), schema)):
        if each.id in made:
            raise CatalogueError(item.name, f"{number}.id", f"{each.id} is given twice")
        made[each.id] = each
    return made


def _family(item: Traversable, licences: dict[str, LicenceTerms]) -> Family:
    family: Family = validated(item.name, read_yaml(item), Family)
    if item.name != f"{family.name}.yaml":
        raise CatalogueError(item.name, "name", f"the file must be called {family.name}.yaml")
    for key, wrong in contradictions(family, licences):
        raise CatalogueError(item.name, key, wrong)
    return family


def _no_name_twice(found: tuple[Family, ...]) -> None:
    owners: dict[str, str] = {family.name: family.name for family in found}
    for family in found:
        for number, size in enumerate(family.sizes):
            for index, member in enumerate(size.members):
                owner = owners.setdefault(member.name, family.name)
                if owner != family.name:
                    key = f"sizes.{number}.members.{index}.name"
                    raise CatalogueError(f"{family.name}.yaml", key, f"{member.name} is a name of {owner} too")


def _aliases(item: Traversable, found: tuple[Family, ...]) -> tuple[Alias, ...]:
    aliases: tuple[Alias, ...] = validated(item.name, read_yaml(item), tuple[Alias, ...])
    members = {member.name for family in found for size in family.sizes for member in size.members}
    seen: set[str] = set()
    for number, alias in enumerate(aliases):
        if alias.member not in members:
            raise CatalogueError(item.name, f"{number}.member", f"{alias.member} is no member of any family")
        if alias.name in seen or (alias.name in members and alias.name != alias.member):
            raise CatalogueError(item.name, f"{number}.name", f"{alias.name} is given twice")
        seen.add(alias.name)
    return aliases
