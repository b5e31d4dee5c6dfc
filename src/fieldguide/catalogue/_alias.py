"""Names that move. The same class is the schema of `aliases.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A name of which its provider decides what it means, and what it meant when that was read."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, not a field

    name: str
    member: str
    """Catalogue name of what it means."""
    snapshot: str
    """The provider's id of the dated snapshot."""
    source: str
    as_of: date
