"""Keys of the gateway: made, listed, limited, revoked. A key is shown once, and only its digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from fieldguide.app.gateway._identity import Identity, KeyLimits, Role, limits_from_json
from fieldguide.app.wiring import House
from fieldguide.errors import InvalidKeyError, UnknownNameError
from fieldguide.registry import nearest
from fieldguide.store import GatewayRecords, KeyRow

PREFIX = "sk-fg-"
_TRUSTED_S = 1.0
"""How long a key that was found good is not looked up again: a key that is revoked works at most so much longer."""
_REFUSED = "This gateway wants a key, and there is none or it is not good."


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made."""

    row: KeyRow
    key: str
    """The key itself: it is kept nowhere."""


def create_key(house: House, name: str, *, role: Role, limits: KeyLimits, expires_at: str | None) -> NewKey:
    """Make a key of 256 random bits.

    Raises:
        StoreError: It cannot be kept.
    """
    key_id = secrets.token_hex(4)
    prefix = f"{PREFIX}{key_id}"
    key = f"{prefix}-{secrets.token_urlsafe(32)}"
    row = KeyRow(
        key_id=key_id,
        name=name,
        prefix=prefix,
        digest=digest_of(key),
        role=role,
        created_at=_now(),
        expires_at=expires_at,
        limits=limits.as_json(),
    )
    house.gateway_records.add_key(row)
    return NewKey(row=row, key=key)


def digest_of(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def key_named(house: House, name: str) -> KeyRow:
    """Return a key by its id, its prefix, or a name that no other key in force has.

    Raises:
        UnknownNameError: There is none, or several.
    """
    rows = house.gateway_records.all_keys()
    found = [row for row in rows if name in {row.key_id, row.prefix}] or [
        row for row in rows if row.name == name and row.revoked_at is None
    ]
    if len(found) == 1:
        return found[0]
    if found:
        ids = " and ".join(row.key_id for row in found)
        raise UnknownNameError("single key", name, hint=f"Several keys have this name: {ids}. Give the id of one.")
    known = sorted({row.name for row in rows} | {row.key_id for row in rows})
    raise UnknownNameError("key", name, nearest(name, known), hint="See `fieldguide keys list`.")


def limit_key(house: House, name: str, *, limits: KeyLimits, expires_at: str | None) -> KeyRow:
    """Give a key new limits.

    Raises:
        UnknownNameError: There is no such key.
    """
    row = key_named(house, name)
    house.gateway_records.change_key(row.key_id, limits=limits.as_json(), expires_at=expires_at)
    return key_named(house, row.key_id)


def revoke_key(house: House, name: str) -> KeyRow:
    """Make a key useless; servers that run notice within a second.

    Raises:
        UnknownNameError: There is no such key.
    """
    row = key_named(house, name)
    house.gateway_records.revoke_key(row.key_id, at=_now())
    return key_named(house, row.key_id)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def in_force(row: KeyRow, *, now: datetime) -> bool:
    """Whether a key is good: not revoked, and not run out."""
    return row.revoked_at is None and (row.expires_at is None or datetime.fromisoformat(row.expires_at) > now)


class KeyRing:
    """Tells who asks by their key. What was found good is believed for a second; what was not, never."""

    def __init__(self, records: GatewayRecords) -> None:
        self._records = records
        self._known: dict[str, tuple[float, Identity]] = {}

    def identity(self, key: str | None, *, now_s: float) -> Identity:
        """Return who has this key.

        Args:
            key: As the client sent it; None where it sent none.
            now_s: Now (seconds since 1970).

        Raises:
            InvalidKeyError: It is not good; the same words whatever is wrong with it.
        """
        if not key:
            raise InvalidKeyError(_REFUSED)
        return self.of_digest(digest_of(key), now_s=now_s)

    def of_digest(self, digest: str, *, now_s: float) -> Identity:
        """Return who has the key with this digest, for those that keep no key themselves.

        Raises:
            InvalidKeyError: It is not good, or no longer.
        """
        known = self._known.get(digest)
        if known is not None and now_s - known[0] < _TRUSTED_S:
            return known[1]
        self._known.pop(digest, None)
        row = self._records.key_of(digest)
        if row is None or not hmac.compare_digest(row.digest, digest):
            raise InvalidKeyError(_REFUSED)
        if not in_force(row, now=datetime.fromtimestamp(now_s, UTC)):
            raise InvalidKeyError(_REFUSED)
        identity = Identity(key_id=row.key_id, name=row.name, role=row.role, limits=limits_from_json(row.limits))
        self._known[digest] = (now_s, identity)
        return identity
