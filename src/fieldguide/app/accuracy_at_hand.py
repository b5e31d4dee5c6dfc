"""The accuracy of models on a benchmark that is at hand: measured here, else as published, with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.app.claims import look_up_claims
from fieldguide.app.wiring import House
from fieldguide.catalogue.claims import Claim
from fieldguide.errors import UnknownNameError

_KINDS = ("measured", "recomputed", "published", "imported")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """One accuracy and who says so."""

    fraction: float
    model: str
    source: str


def accuracies(
    house: House, benchmark: str, one: str, other: str
) -> tuple[Accuracy | None, Accuracy | None, list[str]]:
    """Return the accuracy of two models, from one table where both stand in one, and what to say of them.

    Raises:
        UnknownNameError: There is no such benchmark.
    """
    first, second = _claims(house, benchmark, one), _claims(house, benchmark, other)
    if one != other:
        tables = {_row(claim) for claim in first} & {_row(claim) for claim in second}
        shared = [claim for claim in first if _row(claim) in tables]
        if shared:
            first = shared[:1]
            second = [claim for claim in second if _row(claim) == _row(first[0])]
    found = _accuracy(first), _accuracy(second)
    notes = []
    for name, each in zip(dict.fromkeys((one, other)), found, strict=False):
        if each is None:
            notes.append(f"no accuracy of {name} on {benchmark} is at hand: `fieldguide evaluate` measures one")
        else:
            notes.append(f"{each.model} answers {100 * each.fraction:.1f} % of {benchmark} right ({each.source})")
    if None not in found and first[0] is not second[0] and _row(first[0]) != _row(second[0]):
        notes.append("the two accuracies come from different tables, whose protocols may differ")
    return *found, notes


def _claims(house: House, benchmark: str, model: str) -> list[Claim]:
    """Return the claims about a model, what was measured here first."""
    try:
        judged = look_up_claims(house, [model], benchmark=benchmark).claims
    except UnknownNameError as error:
        if error.kind == "benchmark" and not _known(house, benchmark):
            raise
        return []
    kept = [each.claim for each in judged if each.claim.unit == "percent" and each.claim.metric in (None, "pass@1")]
    return sorted(kept, key=lambda claim: _KINDS.index(claim.kind))


def _known(house: House, benchmark: str) -> bool:
    try:
        look_up_claims(house, [], benchmark=benchmark)
    except UnknownNameError:
        return False
    return True


def _row(claim: Claim) -> tuple[object, ...]:
    return claim.collection, claim.benchmark, claim.subset, claim.protocol, claim.window


def _accuracy(found: Sequence[Claim]) -> Accuracy | None:
    if not found:
        return None
    claim = found[0]
    return Accuracy(fraction=float(claim.value) / 100, model=claim.model, source=f"{claim.kind}: {claim.source}")
