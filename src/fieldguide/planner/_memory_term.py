"""One line of a memory plan: bytes with the formula, the inputs and the source they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTerm:
    """One part of the whole. `low_bytes` and `high_bytes` differ from `bytes` where the truth is a range."""

    name: str
    bytes: int
    low_bytes: int
    high_bytes: int
    formula: str
    inputs: Mapping[str, int | float | str] = field(default_factory=dict)
    source: str


def term(
    name: str,
    likely: float,
    *,
    formula: str,
    source: str,
    inputs: Mapping[str, int | float | str] | None = None,
    low: float | None = None,
    high: float | None = None,
) -> MemoryTerm:
    """Return a term of whole bytes; without `low` and `high` it is one number."""
    return MemoryTerm(
        name=name,
        bytes=round(likely),
        low_bytes=round(likely if low is None else low),
        high_bytes=round(likely if high is None else high),
        formula=formula,
        inputs=dict(inputs or {}),
        source=source,
    )
