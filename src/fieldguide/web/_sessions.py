"""Sessions of people who signed in, and how often somebody may try to.

A session is 256 random bits in a cookie; here only their digest is kept, with the digest of the key. Sessions live in
memory: a server that is started again asks everybody to sign in again, and loses nothing else.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from fieldguide.errors import KeyLimitError

IDLE_S = 3600.0
"""A session ends this long after it was last used."""
LONGEST_S = 12 * 3600.0
"""And so long after it began, however much it is used."""
_MOST_SESSIONS = 10_000
_TRIES_A_MINUTE = 10
"""Of one address."""
_TRIES_OF_ALL = 200
_MOST_PEERS = 10_000


@dataclass(slots=True)
class _Session:
    key_digest: str
    began_s: float
    used_s: float


class Sessions:
    """Who is signed in."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that only rise."""
        self._clock = clock
        self._kept: OrderedDict[str, _Session] = OrderedDict()

    def begin(self, key_digest: str) -> str:
        """Begin a session and return what its cookie holds."""
        token, now_s = secrets.token_urlsafe(32), self._clock()
        self._kept[_digest(token)] = _Session(key_digest, now_s, now_s)
        while len(self._kept) > _MOST_SESSIONS:
            self._kept.popitem(last=False)
        return token

    def key_digest(self, token: str) -> str | None:
        """Return the digest of the key that a session was begun with; None where it has ended or never was."""
        name = _digest(token)
        found, now_s = self._kept.get(name), self._clock()
        if found is None:
            return None
        if now_s - found.used_s > IDLE_S or now_s - found.began_s > LONGEST_S:
            del self._kept[name]
            return None
        found.used_s = now_s
        self._kept.move_to_end(name)
        return found.key_digest

    def end(self, token: str) -> None:
        """End a session."""
        self._kept.pop(_digest(token), None)


class Throttle:
    """Counts keys that were no good: so many a minute from one address, and from all together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[tuple[str, int], int] = OrderedDict()

    def check(self, peer: str | None) -> None:
        """Refuse a further try.

        Raises:
            KeyLimitError: There were too many in this minute.
        """
        now_s = self._clock()
        minute = int(now_s // 60)
        tried, of_all = self._failures.get((_place(peer), minute), 0), self._failures.get(("", minute), 0)
        if tried >= _TRIES_A_MINUTE or of_all >= _TRIES_OF_ALL:
            raise KeyLimitError("Too many keys were tried that are no good.", retry_after_s=60.0 - now_s % 60.0)

    def failed(self, peer: str | None) -> None:
        """Count a key that was no good."""
        minute = int(self._clock() // 60)
        for slot in ((_place(peer), minute), ("", minute)):
            self._failures[slot] = self._failures.pop(slot, 0) + 1
        while len(self._failures) > _MOST_PEERS:
            self._failures.popitem(last=False)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _place(peer: str | None) -> str:
    """Return what stands for an address: of IPv6 the network, of which one household has a great many addresses."""
    try:
        address = ipaddress.ip_address((peer or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
