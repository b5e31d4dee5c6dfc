"""How far the files of one order have come, together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

_TOLD_EVERY_S = 0.1

Told: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes that are here and their total (None: not known), at most ten times a second."""


@dataclass(slots=True)
class Progress:
    """Adds up the files of one order."""

    told: Told
    files: int
    _done: dict[int, int] = field(default_factory=dict)
    _totals: dict[int, int | None] = field(default_factory=dict)
    _at: float = 0.0

    def note(self, number: int, done: int, total: int | None, *, now: bool = False) -> None:
        self._done[number], self._totals[number] = done, total
        clock = time.monotonic()
        if not now and clock - self._at < _TOLD_EVERY_S:
            return
        self._at = clock
        totals = list(self._totals.values())
        known = len(totals) == self.files and None not in totals
        self.told(sum(self._done.values()), sum(each or 0 for each in totals) if known else None)
