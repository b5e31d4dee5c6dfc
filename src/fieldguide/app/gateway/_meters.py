"""Limits that hold across processes, and cost a request nothing but arithmetic.

Each process sets a part of every limit aside in the records (a lease) before it uses any of it, and takes requests out
of that part in memory. What was used is committed with the rows that account for it, many times a second. So the sum of
what all processes may use never exceeds the limit, also when one is killed: its lease then counts as used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fieldguide.store import GatewayRecords, MeterKey, UsageRow

LEASE_S = 60.0
"""How long a lease lasts without being renewed: so long a killed process holds up what it set aside."""
RENEW_S = 15.0
_IDLE_S = 2.0
"""How long a lease is kept that nobody uses."""
_MOST_TIMES = 1024


@dataclass(slots=True)
class _Pool:
    """What this process has set aside of one limit."""

    leased: int = 0
    held: int = 0
    """Taken by requests that have not ended."""
    used: int = 0
    """Used since the last commit."""
    times: int = 1
    """How many requests a lease is made for; doubles while leases come quickly."""
    leased_at_s: float = -1e9
    touched_s: float = 0.0
    requests: int = 0
    """Those that have taken of it, be it nothing, or wait to."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def free(self) -> int:
        return self.leased - self.held - self.used

    @property
    def empty(self) -> bool:
        """Whether nothing is lost with it."""
        return not (self.leased or self.held or self.used or self.requests)


class Want(NamedTuple):
    """An amount that a request may use of a limit."""

    meter: MeterKey
    limit: int
    amount: int


class Held:
    """What one request has taken, until it is settled."""

    __slots__ = ("amounts",)

    def __init__(self, amounts: list[tuple[MeterKey, int]]) -> None:
        self.amounts = amounts


class Meters:
    """The limits of all keys, as one process sees them."""

    def __init__(self, records: GatewayRecords, *, process: str, clock: Callable[[], float]) -> None:
        """`process` names this process among all that serve; `clock` gives seconds since 1970."""
        self._records, self._process, self._clock = records, process, clock
        self._pools: dict[MeterKey, _Pool] = {}
        self._usage: list[UsageRow] = []
        self._renewed_s = clock()
        self._committing = asyncio.Lock()

    async def take(self, wants: Sequence[Want]) -> Held | Want:
        """Take all amounts, or none: then the want that its limit does not leave is returned.

        Raises:
            StoreError: The records cannot be written, so that no limit can be held.
        """
        taken: list[tuple[MeterKey, int]] = []
        for want in wants:
            pool = self._pools.get(want.meter)
            if pool is None:
                pool = self._pools.setdefault(want.meter, _Pool())
            pool.requests += 1
            try:
                enough = pool.free >= want.amount or await self._lease(pool, want)
            except BaseException:
                pool.requests -= 1
                self._give_back(taken)
                raise
            if not enough:
                pool.requests -= 1
                self._give_back(taken)
                return want
            pool.held += want.amount
            pool.touched_s = self._clock()
            taken.append((want.meter, want.amount))
        return Held(taken)

    async def _lease(self, pool: _Pool, want: Want) -> bool:
        async with pool.lock:
            missing = want.amount - pool.free
            if missing <= 0:
                return True
            now_s = self._clock()
            pool.times = min(2 * pool.times, _MOST_TIMES) if now_s - pool.leased_at_s < 1.0 else 1
            pool.leased_at_s = now_s
            granted = await self._records.lease(
                want.meter,
                process=self._process,
                limit=want.limit,
                needed=missing,
                wanted=missing + want.amount * pool.times,
                now_s=now_s,
                expires_s=now_s + LEASE_S,
            )
            pool.leased += granted  # read after the wait: a commit may have changed it meanwhile
            return pool.free >= want.amount

    def _give_back(self, taken: list[tuple[MeterKey, int]]) -> None:
        for meter, amount in taken:
            self._pools[meter].held -= amount
            self._pools[meter].requests -= 1

    def settle(self, held: Held, used: Callable[[MeterKey], int], row: UsageRow) -> None:
        """Note what a request has used, beside the row that accounts for it."""
        for meter, amount in held.amounts:
            pool = self._pools[meter]
            pool.held -= amount
            pool.requests -= 1
            pool.used += used(meter)
        held.amounts = []
        self._usage.append(row)

    @property
    def pending(self) -> int:
        """Rows that are not committed yet."""
        return len(self._usage)

    async def commit(self) -> None:
        """Commit what was used since the last time, and give back what nobody uses.

        Raises:
            StoreError: It could not be committed; it stays, to be tried again.
        """
        async with self._committing:
            now_s = self._clock()
            self._forget(now_s - _IDLE_S)
            rows, self._usage = self._usage, []
            used = {meter: pool.used for meter, pool in self._pools.items() if pool.used}
            idle = {
                meter: pool.free
                for meter, pool in self._pools.items()
                if pool.leased and not pool.requests and now_s - pool.touched_s > _IDLE_S
            }
            renew = self._pools and now_s - self._renewed_s > RENEW_S
            if not (rows or used or idle or renew):
                return
            await self._write(rows, used, idle, renew_until_s=now_s + LEASE_S if renew else None)
            if renew:
                self._renewed_s = now_s

    async def close(self) -> None:
        """Commit everything and give every lease back.

        Raises:
            StoreError: It could not be committed.
        """
        async with self._committing:
            rows, self._usage = self._usage, []
            used = {meter: pool.used for meter, pool in self._pools.items() if pool.used}
            await self._write(rows, used, {meter: pool.leased - pool.used for meter, pool in self._pools.items()}, None)
            self._pools.clear()

    async def _write(
        self,
        rows: list[UsageRow],
        used: Mapping[MeterKey, int],
        returned: Mapping[MeterKey, int],
        renew_until_s: float | None,
    ) -> None:
        before = {meter: self._pools[meter].leased for meter in {**used, **returned}}
        for meter, amount in used.items():
            self._pools[meter].used -= amount
        for meter in before:
            gone = used.get(meter, 0) + returned.get(meter, 0)
            self._pools[meter].leased = max(before[meter] - gone, 0)  # a request may use more than it had set aside
        taken = {meter: before[meter] - self._pools[meter].leased for meter in before}
        try:
            await self._records.settle(
                process=self._process, used=used, returned=returned, usage=rows, renew_until_s=renew_until_s
            )
        except BaseException:
            self._usage = rows + self._usage
            for meter, amount in used.items():
                self._pools[meter].used += amount
            for meter, amount in taken.items():
                self._pools[meter].leased += amount
            raise

    def _forget(self, before_s: float) -> None:
        """Drop pools that are empty and were not used lately: every minute has its own, and many end used up."""
        for meter in [meter for meter, pool in self._pools.items() if pool.empty and pool.touched_s < before_s]:
            del self._pools[meter]
