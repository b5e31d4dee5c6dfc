"""Keys of the gateway, what each may use and has used: SQLite, shared by every process that serves."""

from __future__ import annotations

import functools
import itertools
import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from fieldguide.domain import JsonValue
from fieldguide.store._connection import connect
from fieldguide.store._faults import store_error
from fieldguide.store._gateway_schema import prepare_gateway
from fieldguide.store._writer import Writer

Outcome = Literal["answered", "failed", "abandoned"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A key as it is kept: its digest, never the key itself."""

    key_id: str
    name: str
    prefix: str
    """The first characters of the key, by which a person tells keys apart."""
    digest: str
    """SHA-256 of the key (64 hex digits)."""
    role: Literal["admin", "user"]
    created_at: str
    expires_at: str | None = None
    revoked_at: str | None = None
    limits: Mapping[str, JsonValue]


class MeterKey(NamedTuple):
    """One limit in one window of time; two processes that name the same one share it.

    A tuple and no dataclass, as `UsageRow`: several are made and hashed for every request.
    """

    key_id: str
    meter: str
    """Such as `usd`, `usd:MODEL`, `requests`."""
    window: str
    """Such as `2026-11-25`, or empty for all time."""


class UsageRow(NamedTuple):
    """One request that the gateway has handled; None where it is not known."""

    at: str
    key_id: str | None
    model: str
    reference: str | None
    endpoint: str
    outcome: Outcome
    error_type: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost_usd: str | None = None
    ttft_s: float | None = None
    seconds: float | None = None
    tries: int = 1


_USAGE_COLUMNS = UsageRow._fields
_MOST_ROWS = 64
"""Rows that are inserted by one statement: each statement gives the interpreter away once, however many rows it has."""
_SUMS = (
    "count(*) AS requests, sum(outcome = 'answered') AS answered, sum(outcome = 'failed') AS failed,"
    " sum(outcome = 'abandoned') AS abandoned, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,"
    " sum(cached_input_tokens) AS cached_input_tokens, sum(reasoning_tokens) AS reasoning_tokens,"
    " sum(outcome = 'answered' AND cost_usd IS NULL) AS unpriced"
)


class GatewayRecords:
    """The gateway's records in one file. Writes are on the disk before they count, grouped by one writer thread."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`.

        Raises:
            StoreError: It cannot be opened, or was written by a newer Fieldguide.
        """
        self.path = path
        prepare_gateway(path)
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer = Writer(path)

    def close(self) -> None:
        """Finish queued writes and close every connection."""
        self._writer.close()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    # -- keys ---------------------------------------------------------------------------------------------------

    def add_key(self, key: KeyRow) -> None:
        """Keep a new key."""
        values = (
            key.key_id,
            key.name,
            key.prefix,
            key.digest,
            key.role,
            key.created_at,
            key.expires_at,
            key.revoked_at,
            json.dumps(key.limits),
        )
        self._writer.submit(
            lambda connection: connection.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        ).result()

    def change_key(self, key_id: str, *, limits: Mapping[str, JsonValue], expires_at: str | None) -> None:
        """Give a key other limits and another end."""
        values = (json.dumps(limits), expires_at, key_id)
        self._writer.submit(
            lambda connection: connection.execute("UPDATE keys SET limits = ?, expires_at = ? WHERE key_id = ?", values)
        ).result()

    def revoke_key(self, key_id: str, *, at: str) -> None:
        """Make a key useless from now on; again changes nothing."""
        self._writer.submit(
            lambda connection: connection.execute(
                "UPDATE keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL", (at, key_id)
            )
        ).result()

    def all_keys(self) -> list[KeyRow]:
        """Return all keys, oldest first, revoked ones too."""
        return [_key(row) for row in self._read("SELECT * FROM keys ORDER BY created_at, key_id")]

    def key_of(self, digest: str) -> KeyRow | None:
        """Return the key with a digest; None where there is none."""
        rows = self._read("SELECT * FROM keys WHERE digest = ?", digest)
        return _key(rows[0]) if rows else None

    def has_keys(self) -> bool:
        """Return whether any key was ever made."""
        return bool(self._read("SELECT 1 FROM keys LIMIT 1"))

    # -- meters -------------------------------------------------------------------------------------------------

    async def lease(
        self, meter: MeterKey, *, process: str, limit: int, needed: int, wanted: int, now_s: float, expires_s: float
    ) -> int:
        """Set aside a part of what a limit leaves, for one process, and return how much; 0 where it is not enough.

        Leases that their process has not renewed in time (it was killed) count as used: what they were used for is
        not known, and a budget must not be exceeded.

        Args:
            meter: Which limit.
            process: Who sets it aside.
            limit: The most that may be used in the meter's window, by all processes.
            needed: What must be there at least.
            wanted: What is taken where there is plenty: at most a twentieth of the rest beyond `needed`.
            now_s: Now (seconds since 1970).
            expires_s: When the lease ends unless it is renewed.

        Raises:
            StoreError: It cannot be recorded; nothing may be used then.
        """
        key = tuple(meter)

        def write(connection: sqlite3.Connection) -> int:
            _count_lost(connection, key, now_s)
            used = _number(connection.execute(_USED, key).fetchone())
            out = _number(connection.execute(_LEASED, key).fetchone())
            rest = limit - used - out
            if rest < needed:
                return 0
            amount = max(needed, min(wanted, needed + (rest - needed) // 20))
            connection.execute(
                "INSERT INTO leases (process, key_id, meter, window, amount, expires_s) VALUES (?, ?, ?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, expires_s = excluded.expires_s",
                (process, *key, amount, expires_s),
            )
            return amount

        return await self._writer.write(write)

    async def settle(
        self,
        *,
        process: str,
        used: Mapping[MeterKey, int],
        returned: Mapping[MeterKey, int],
        usage: Sequence[UsageRow],
        renew_until_s: float | None = None,
    ) -> None:
        """Commit what was used since the last time, in one piece: meters, leases and the rows that account for them.

        Args:
            process: Whose leases.
            used: Amounts that were used; they leave the lease and join what is used.
            returned: Amounts that leave the lease unused.
            usage: One row for each request that has ended.
            renew_until_s: New end of all leases of this process; None leaves it.

        Raises:
            StoreError: Nothing of it could be committed.
        """

        def write(connection: sqlite3.Connection) -> None:
            _insert_usage(connection, usage)
            for meter, amount in used.items():
                key = tuple(meter)
                connection.execute(_ADD_USED, (*key, amount))
            for meter in {**used, **returned}:
                amount = used.get(meter, 0) + returned.get(meter, 0)
                key = tuple(meter)
                connection.execute(
                    _LESSEN,
                    (amount, *key, process),
                )
            if returned:
                connection.execute("DELETE FROM leases WHERE process = ? AND amount = 0", (process,))
            if renew_until_s is not None:
                connection.execute("UPDATE leases SET expires_s = ? WHERE process = ?", (renew_until_s, process))

        await self._writer.write(write)

    def used(self, key_id: str) -> dict[tuple[str, str], int]:
        """Return what a key has used, by meter and window; leases are counted as used while they last."""
        sql = (
            "SELECT meter, window, sum(amount) AS amount FROM (SELECT meter, window, used AS amount FROM meters"
            " WHERE key_id = ? UNION ALL SELECT meter, window, amount FROM leases WHERE key_id = ?)"
            " GROUP BY meter, window"
        )
        return {(row["meter"], row["window"]): row["amount"] for row in self._read(sql, key_id, key_id)}

    # -- usage --------------------------------------------------------------------------------------------------

    def usage_sums(self, *, since: str | None, key_id: str | None, by: Sequence[str]) -> list[dict[str, Any]]:
        """Return requests, tokens and cost, summed by columns (`key_id`, `model`, `day`), dearest first.

        Costs are added exactly, in nano-dollars; `unpriced` counts answers whose cost is not known.
        """
        columns = {"key_id": "key_id", "model": "model", "day": "substr(at, 1, 10)"}
        chosen = ", ".join(f"{columns[name]} AS {name}" for name in by) + ", " if by else ""
        groups = f" GROUP BY {', '.join(columns[name] for name in by)}" if by else ""
        where = " WHERE (? IS NULL OR at >= ?) AND (? IS NULL OR key_id = ?)"
        nano = "sum(CAST(round(CAST(cost_usd AS REAL) * 1e9) AS INTEGER)) AS nano_usd"
        sql = f"SELECT {chosen}{_SUMS}, {nano} FROM usage{where}{groups} ORDER BY nano_usd DESC, requests DESC"  # noqa: S608
        return [dict(row) for row in self._read(sql, since, since, key_id, key_id)]

    def _read(self, sql: str, *parameters: object) -> list[sqlite3.Row]:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = connect(self.path)
                self._connections.append(connection)
            return connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error


_OF = "WHERE key_id = ? AND meter = ? AND window = ?"
_USED = f"SELECT used FROM meters {_OF}"  # noqa: S608
_LEASED = f"SELECT sum(amount) FROM leases {_OF}"  # noqa: S608
_LOST = f"{_LEASED} AND expires_s < ?"
_DROP_LOST = f"DELETE FROM leases {_OF} AND expires_s < ?"  # noqa: S608
_LESSEN = f"UPDATE leases SET amount = max(amount - ?, 0) {_OF} AND process = ?"  # noqa: S608
_ADD_USED = (
    "INSERT INTO meters (key_id, meter, window, used) VALUES (?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET used = used + excluded.used"
)


def _insert_usage(connection: sqlite3.Connection, rows: Sequence[UsageRow]) -> None:
    for start in range(0, len(rows), _MOST_ROWS):
        part = rows[start : start + _MOST_ROWS]
        connection.execute(_insert_of(len(part)), list(itertools.chain.from_iterable(part)))


@functools.cache
def _insert_of(rows: int) -> str:
    """Return the statement that inserts so many rows."""
    row = f"({', '.join('?' * len(_USAGE_COLUMNS))})"
    return f"INSERT INTO usage ({', '.join(_USAGE_COLUMNS)}) VALUES {', '.join([row] * rows)}"  # noqa: S608


def _count_lost(connection: sqlite3.Connection, key: tuple[str, ...], now_s: float) -> None:
    """Count leases of processes that are gone as used."""
    lost = _number(connection.execute(_LOST, (*key, now_s)).fetchone())
    if lost:
        connection.execute(_ADD_USED, (*key, lost))
        connection.execute(_DROP_LOST, (*key, now_s))


def _number(row: sqlite3.Row | None) -> int:
    return 0 if row is None or row[0] is None else int(row[0])


def _key(row: sqlite3.Row) -> KeyRow:
    return KeyRow(**{**dict(row), "limits": json.loads(row["limits"])})
