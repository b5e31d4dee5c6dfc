"""Rules that public authorities set for models, and which of them a model falls under. Facts, never legal advice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from fieldguide.catalogue._contradictions import weights_published
from fieldguide.catalogue._family import Family, LicenceTerms, Size

_GENERATES = frozenset({"text", "audio", "image", "video"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, as a source that we read puts it. The same class is the schema of `governance.yaml`."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    id: str
    rule: str
    """Citation, such as `EU AI Act, Art. 51(2)`."""
    says: str
    above_flop: float
    """Training compute above which it is of interest (FLOP)."""
    up_to_flop: float | None = None
    """Training compute up to which it is of interest (FLOP)."""
    open_licence_only: bool = False
    """Whether it is about published weights under a licence without conditions on use."""
    confidence: Literal["high", "medium", "low"]
    source: str
    as_of: date

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise ValueError("a rule needs a source")
        if self.above_flop <= 0 or (self.up_to_flop is not None and self.up_to_flop <= self.above_flop):
            raise ValueError("0 < above_flop < up_to_flop must hold")


def rules_for(
    rules: Iterable[Rule], family: Family, size: Size, flop: float | None, licences: dict[str, LicenceTerms]
) -> tuple[Rule, ...]:
    """Return the rules that a network of `flop` training compute is of interest to; none where that is unknown.

    They concern models that generate language, images or video: an embedding model falls under none.
    """
    if flop is None or "embedding" in family.kinds or not family.modalities_out.value & _GENERATES:
        return ()
    terms = licences.get(size.licence.value) if size.licence else None
    is_open = weights_published(size) and terms is not None and terms.commercial_use == "yes"
    return tuple(
        rule
        for rule in rules
        if rule.above_flop < flop
        and (rule.up_to_flop is None or flop <= rule.up_to_flop)
        and (is_open or not rule.open_licence_only)
    )
