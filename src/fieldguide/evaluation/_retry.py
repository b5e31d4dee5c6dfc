"""When to ask again, and how long to wait before."""

from __future__ import annotations

import random
from dataclasses import dataclass

from fieldguide.errors import (
    AuthenticationError,
    FieldguideError,
    InvalidRequestError,
    MissingDependencyError,
    ModelLoadError,
    QuotaExhaustedError,
    StoreError,
    UnsupportedError,
)

FATAL = (
    AuthenticationError,
    InvalidRequestError,
    MissingDependencyError,
    ModelLoadError,
    QuotaExhaustedError,
    StoreError,
    UnsupportedError,
)
"""Errors that the next item would meet again: the run stops, and what is finished stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Full jitter over exponential waits; what the provider asks for goes before."""

    tries: int = 5
    """Most requests for one attempt (count, >= 1)."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    longest_retry_after_s: float = 300.0
    """Cap on what a provider may ask for (seconds)."""

    def wait_s(self, error: FieldguideError, try_number: int, *, uniform: random.Random) -> float | None:
        """Return the seconds to wait before try `try_number` + 1, or None where asking again is not worth it.

        Args:
            error: Why the last try failed.
            try_number: Tries made so far (from 1).
            uniform: Source of the jitter.
        """
        if not error.retryable or try_number >= self.tries:
            return None
        asked = getattr(error, "retry_after_s", None)
        if asked is not None:
            return min(max(float(asked), 0.0), self.longest_retry_after_s)
        return uniform.uniform(0, min(self.longest_wait_s, self.first_wait_s * 2.0 ** (try_number - 1)))
