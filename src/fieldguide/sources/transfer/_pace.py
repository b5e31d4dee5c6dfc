"""How fast bytes may come, and how fast they do."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 10.0
_SHORTEST_S = 0.2


class SpeedLimit:
    """A bucket that fills with the bytes that may be read; at most a quarter of a second's worth lies in it."""

    def __init__(self, bytes_per_s: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Limit to `bytes_per_s`; None does not limit."""
        self._rate = bytes_per_s
        self._clock = clock
        self._allowance = 0.0
        self._at = clock()

    async def take(self, count: int) -> None:
        """Wait until `count` bytes that were read are within the limit."""
        if self._rate is None:
            return
        now = self._clock()
        self._allowance = min(self._rate / 4, self._allowance + (now - self._at) * self._rate) - count
        self._at = now
        if self._allowance < 0:
            import asyncio

            await asyncio.sleep(-self._allowance / self._rate)


class Pace:
    """The rate of the last ten seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing has come yet."""
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, done_bytes: int) -> None:
        """Record how many bytes have come so far."""
        now = self._clock()
        if self._seen and now - self._seen[-1][0] < _SHORTEST_S:
            return
        self._seen.append((now, done_bytes))
        while now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()

    @property
    def bytes_per_s(self) -> float | None:
        """None before enough was seen."""
        if len(self._seen) < 2:
            return None
        (first, start), (last, end) = self._seen[0], self._seen[-1]
        return (end - start) / (last - first) if last > first else None

    def left_s(self, done_bytes: int, total_bytes: int | None) -> float | None:
        """Return the seconds that are left at this rate; None where nothing can be said."""
        rate = self.bytes_per_s
        if total_bytes is None or not rate:
            return None
        return max(0, total_bytes - done_bytes) / rate
