"""What comes in and what goes out: requests and replies of the gateway, apart from how they travel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from fieldguide.app.gateway import Identity

JSON = "application/json"
FORM = "multipart/form-data"
EVENTS = "text/event-stream; charset=utf-8"
LINES = "application/x-ndjson"


@dataclass(slots=True, kw_only=True)
class Head:
    """A request as far as its head tells."""

    method: str
    target: str
    """What the request line names, as it stands."""
    headers: Mapping[str, str]
    """By name in lower case; of a header that came twice the values, joined by a comma."""
    repeated: frozenset[str] = frozenset()
    """Names of headers that came more than once."""
    peer: str = ""
    """Address of the client."""

    @property
    def path(self) -> str:
        """The target without its query; never decoded, since routes are compared as they stand."""
        return self.target.partition("?")[0]


@dataclass(slots=True, kw_only=True)
class Call:
    """A whole request of someone who may make it."""

    head: Head
    identity: Identity
    body: bytes
    request_id: str


@dataclass(slots=True, kw_only=True)
class Reply:
    """A whole response."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    close: bool = False
    """Whether the connection ends with it."""


@dataclass(slots=True, kw_only=True)
class StreamReply:
    """A response that is sent piece by piece."""

    pieces: AsyncIterator[bytes]
    content_type: str = EVENTS
    headers: Mapping[str, str] = field(default_factory=dict)
    heartbeat: bytes | None = None
    """Sent where nothing else is for a while, so that nobody on the way takes silence for the end."""


class BrokenOffError(Exception):
    """Raised among the pieces of a stream whose form has no word for an error: its connection ends without an end."""


AnyReply: TypeAlias = Reply | StreamReply
