"""Where an answer has its words from, out of what each provider says of it in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.domain import Block


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A page that a stretch of an answer rests on."""

    url: str
    title: str | None = None


def citations_of(blocks: Sequence[Block]) -> list[Source]:
    """Return the pages that an answer names."""
    return []
