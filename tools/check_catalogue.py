"""Check the catalogue: every derived number, every two facts against each other, every place, date, licence and source.

    python tools/check_catalogue.py [FOLDER]

FOLDER is laid out as `src/fieldguide/catalogue` is. Prints what was checked with counts, then what is wrong, with file
and key; exits 1 where anything is. Reading the catalogue refuses the first contradiction; this names them all.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import fieldguide.catalogue
from fieldguide.app.show import SYSTEMIC_RISK_FLOP, training_compute
from fieldguide.catalogue import Family, LicenceTerms, ModelEntry, Rule, Size, read_entries
from fieldguide.catalogue._contradictions import contradictions, places_shared
from fieldguide.catalogue._read import read_yaml, validated
from fieldguide.domain import active_parameters, total_parameters
from fieldguide.errors import CatalogueError


@dataclasses.dataclass(slots=True, kw_only=True)
class Report:
    """What was checked, and what is wrong."""

    checked: Counter[str] = dataclasses.field(default_factory=Counter)
    problems: list[str] = dataclasses.field(default_factory=list)


def check(folder: Path, today: date) -> Report:
    """Return what holds and what does not in the catalogue in `folder`; no fact may be younger than `today`."""
    report = Report()
    licences = {terms.id: terms for terms in _read_all(report, folder / "licences.yaml", tuple[LicenceTerms, ...])}
    rules: list[Rule] = _read_all(report, folder / "governance.yaml", tuple[Rule, ...])
    families = []
    for file in sorted((folder / "families").glob("*.yaml")):
        families += _read_all(report, file, Family)
    for family in families:
        for key, wrong in contradictions(family, licences):
            report.problems.append(f"{family.name}.yaml: {key}: {wrong}")
        for size in family.sizes:
            _count_size(report, size)
    report.problems += [f"{name}.yaml: {key}: {wrong}" for name, key, wrong in places_shared(families)]
    _check_names(report, families)
    _check_entries(report, folder, families)
    for where, thing in [*((f"{f.name}.yaml", f) for f in families), *((t.id, t) for t in licences.values())]:
        _check_dates(report, where, thing, today)
    for rule in rules:
        _check_dates(report, rule.id, rule, today)
    report.checked.update(families=len(families), licences=len(licences), rules=len(rules))
    return report


def _read_all(report: Report, file: Path, schema: object) -> list[Any]:
    """Return what a file holds as a list; one that cannot be read is a problem of its own."""
    try:
        made = validated(file.name, read_yaml(file), schema)
    except CatalogueError as error:
        report.problems.append(str(error))
        return []
    return list(made) if isinstance(made, tuple) else [made]


def _count_size(report: Report, size: Size) -> None:
    shape = size.architecture.value if size.architecture else None
    if shape is not None and size.parameters is not None and size.parameters_exact:
        same = size.parameters.value == total_parameters(shape)
        report.checked["exact counts equal to the closed form" if same else "exact counts that a note explains"] += 1
    if shape is not None and size.active_parameters is not None:
        report.checked["active counts equal to the closed form"] += size.active_parameters.value == active_parameters(
            shape
        )
    report.checked["counts that fit their label"] += bool(size.parameters and size.label_parameters)
    report.checked["sizes of unknown licence"] += size.licence is None
    if (compute := training_compute(size)) is not None:
        report.checked["training computes known or derived"] += 1
        report.checked["of them above 10^25 FLOP"] += compute.flop > SYSTEMIC_RISK_FLOP
    for member in size.members:
        report.checked["models"] += 1
        report.checked["places"] += len(member.places)
        report.checked["hosted only"] += size.hosted_only(member) is True
        report.checked["models without a place"] += not member.places


def _check_names(report: Report, families: list[Family]) -> None:
    """A name leads to one model, and an alias too; a family may bear the alias of one of its own."""
    owners = {family.name: family.name for family in families}
    for family in families:
        for member in (member for size in family.sizes for member in size.members):
            if owners.setdefault(member.name, family.name) != family.name:
                report.problems.append(f"{family.name}.yaml: {member.name} is a name of {owners[member.name]} too")
    for family in families:
        for member in (member for size in family.sizes for member in size.members):
            for alias in member.aliases.value if member.aliases else ():
                report.checked["aliases"] += 1
                if owners.setdefault(alias, member.name) not in {member.name, family.name}:
                    report.problems.append(f"{family.name}.yaml: alias {alias} of {member.name} is taken")


def _check_entries(report: Report, folder: Path, families: list[Family]) -> None:
    """What `pull` says of a model cannot differ from what its family says."""
    known = {member.name: size for family in families for size in family.sizes for member in size.members}
    entries: tuple[ModelEntry, ...] = ()
    try:
        entries = read_entries(folder / "facts") if (folder / "facts").is_dir() else ()
    except CatalogueError as error:
        report.problems.append(f"facts/{error}")
    for entry in entries:
        size = known.get(entry.name)
        if size is None or size.parameters is None:
            continue
        report.checked["models that pull and a family both describe"] += 1
        if entry.parameters.value != size.parameters.value:
            told = f"{entry.parameters.value} parameters, {size.parameters.value} in its family"
            report.problems.append(f"facts/{entry.name}.yaml: parameters: {told}")


def _check_dates(report: Report, where: str, thing: object, today: date) -> None:
    for path, found in _sourced(thing):
        report.checked["facts with source and date"] += 1
        if found > today:
            report.problems.append(f"{where}: {path}as_of: {found} is yet to come")


def _sourced(thing: object, path: str = "") -> Iterator[tuple[str, date]]:
    """Yield (path, day of reading) for every sourced value below `thing`."""
    if dataclasses.is_dataclass(thing):
        if isinstance(day := getattr(thing, "as_of", None), date):
            yield path, day
        for field in dataclasses.fields(thing):
            yield from _sourced(getattr(thing, field.name), f"{path}{field.name}.")
    elif isinstance(thing, tuple):
        for number, each in enumerate(thing):
            yield from _sourced(each, f"{path}{number}.")


def main(arguments: list[str]) -> int:
    """Print the report; return 1 where anything is wrong."""
    folder = Path(arguments[0]) if arguments else Path(fieldguide.catalogue.__file__).parent
    report = check(folder, date.today())
    for what, count in report.checked.items():
        print(f"{count:>7,} {what}")
    for problem in report.problems:
        print(f"wrong: {problem}", file=sys.stderr)
    print(f"{len(report.problems):>7,} problems")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
