"""The only maker of HTTP clients: sessions for everything, and lines for what is asked thousands of times a second."""

from fieldguide.http_client._faults import LineBrokenError, UnreachedError
from fieldguide.http_client._lines import Lines
from fieldguide.http_client._session import CONNECT_TIMEOUT_S, LazySession, new_session, proxy_for

__all__ = [
    "CONNECT_TIMEOUT_S",
    "LazySession",
    "LineBrokenError",
    "Lines",
    "UnreachedError",
    "new_session",
    "proxy_for",
]
