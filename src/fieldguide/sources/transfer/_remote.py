"""What is to be brought, and how."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

CHUNK_BYTES = 8 << 20
"""What is asked for, recorded and repaired as one: the most that a connection sends again after a kill."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """One file on a server."""

    url: str
    name: str
    """For messages and progress."""
    size_bytes: int | None = None
    """As its source promises it; None where it does not say."""
    sha256: str | None = None
    """64 hex digits; None where the source promises nothing."""
    git_sha1: str | None = None
    """Object id of a file that git itself keeps (40 hex digits): sha1 of `blob <size>\\0` and the bytes."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent to the origin of `url` alone, and to no other that it redirects to: a token belongs here."""

    @property
    def address(self) -> str:
        """What the address is known by where it is written down (64 hex digits)."""
        return hashlib.sha256(self.url.encode("utf-8", "surrogatepass")).hexdigest()

    def __post_init__(self) -> None:
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ValueError("sha256 must be 64 lower-case hex digits")
        if self.git_sha1 is not None and not _SHA1.fullmatch(self.git_sha1):
            raise ValueError("git_sha1 must be 40 lower-case hex digits")
        if self.size_bytes is not None and self.size_bytes < 0:
            raise ValueError("size_bytes must be at least 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferSettings:
    """How files are brought."""

    new_session: Callable[[], aiohttp.ClientSession]
    """Makes the HTTP client; the transfer closes it."""
    proxy_for: Callable[[str], str | None] = lambda url: None
    """Returns the proxy through which an address is to be reached; None reaches it directly."""
    connections: int = 4
    """Ranges asked for at once, over all files (count, > 0)."""
    chunk_bytes: int = CHUNK_BYTES
    idle_timeout_s: float = 30.0
    """Longest silence before a connection is given up and made anew (seconds)."""
    most_faults: int = 8
    """Faults in a row, without one new chunk's worth of bytes between them, after which the transfer ends."""
    first_wait_s: float = 0.5
    """Pause after a first fault; it doubles with each further one, up to `longest_wait_s`, with full jitter."""
    longest_wait_s: float = 30.0
    limit_bytes_per_s: float | None = None
    """Speed limit over all connections; None sets none."""
