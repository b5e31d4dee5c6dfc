"""How often asking again is worth it, and how long to wait before."""

from __future__ import annotations

import random
from dataclasses import dataclass

from fieldguide.sources.transfer._refusals import FaultError
from fieldguide.sources.transfer._remote import TransferSettings

_PROGRESS_BYTES = 64 << 10
"""Less than this between two faults is no progress."""


@dataclass(slots=True)
class Faults:
    """Faults in a row of one worker."""

    settings: TransferSettings
    in_row: int = 0

    def count(self, fault: FaultError, *, gained: int) -> float | None:
        """Return how long to wait (seconds); None where it has happened too often."""
        self.in_row = 1 if gained >= min(_PROGRESS_BYTES, self.settings.chunk_bytes) else self.in_row + 1
        if self.in_row >= self.settings.most_faults:
            return None
        wait = min(self.settings.first_wait_s * 2 ** (self.in_row - 1), self.settings.longest_wait_s)
        return max(random.uniform(0, wait), fault.retry_after_s or 0.0)  # noqa: S311 - jitter, not a secret
