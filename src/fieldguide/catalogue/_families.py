"""Reading `families/*.yaml` and the files beside them, by way of a compiled copy where one is at hand.

YAML takes a tenth of a second for a few hundred kilobytes even in C, so what was read and found valid is kept as JSON
under the hash of the files. The copy goes through the same validation: a spoiled one is read from YAML again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.catalogue._alias import Alias
from fieldguide.catalogue._contradictions import contradictions, places_shared
from fieldguide.catalogue._family import Family, LicenceTerms, Member, Size
from fieldguide.catalogue._governance import Rule
from fieldguide.catalogue._read import adapter, read_yaml, validated
from fieldguide.errors import CatalogueError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_FORMAT = 3
"""Of the compiled copy; part of its name."""


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


def families(compiled: Path | None = None) -> Families:
    """Return the families that are shipped; `compiled` is a folder where a fast copy may be kept.

    Raises:
        CatalogueError: A file is malformed, or two facts contradict each other.
    """
    return _shipped(compiled)


@cache
def _shipped(compiled: Path | None) -> Families:
    return read_families(files("fieldguide.catalogue"), compiled)


def read_families(folder: Traversable, compiled: Path | None = None) -> Families:
    """Return what the YAML files in `folder` say; see `families`."""
    items = sorted(
        (item for item in folder.joinpath("families").iterdir() if item.name.endswith(".yaml")),
        key=lambda item: item.name,
    )
    beside = [folder.joinpath("licences.yaml"), folder.joinpath("governance.yaml")]
    if (of_aliases := folder.joinpath("aliases.yaml")).is_file():
        beside.append(of_aliases)
    copy = None if compiled is None else compiled / f"catalogue-{_FORMAT}-{_hash([*items, *beside])}.json"
    if copy is not None and (kept := _from_copy(copy)) is not None:
        return kept
    licences: dict[str, LicenceTerms] = _by_id(beside[0], tuple[LicenceTerms, ...])
    rules: dict[str, Rule] = _by_id(beside[1], tuple[Rule, ...])
    found = tuple(_family(item, licences) for item in items)
    _no_name_twice(found)
    for family, key, wrong in places_shared(found):
        raise CatalogueError(f"{family}.yaml", key, wrong)
    made = Families(families=found, licences=licences, rules=tuple(rules.values()), aliases=_aliases(of_aliases, found))
    if copy is not None:
        _keep(copy, made)
    return made


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
    if not item.is_file():
        return ()
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


def _hash(items: list[Traversable]) -> str:
    made = hashlib.sha256()
    for item in items:
        content = item.read_bytes() if item.is_file() else b""
        made.update(f"{item.name}\0{len(content)}\0".encode())
        made.update(content)
    return made.hexdigest()[:32]


def _from_copy(copy: Path) -> Families | None:
    try:
        made: Families = adapter(Families).validate_json(copy.read_bytes(), strict=True)
    except (OSError, ValueError):
        return None
    return made


def _keep(copy: Path, made: Families) -> None:
    """Write the copy whole or not at all; a folder that cannot be written to only costs time."""
    with contextlib.suppress(OSError):
        copy.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=copy.parent, prefix=".catalogue-")
        with os.fdopen(handle, "wb") as file:
            file.write(adapter(Families).dump_json(made))
        Path(part).replace(copy)
        for old in copy.parent.glob("catalogue-*.json"):
            if old != copy:
                old.unlink(missing_ok=True)
