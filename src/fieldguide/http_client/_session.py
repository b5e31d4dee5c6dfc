"""Sessions of aiohttp, and which proxy an address is reached through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fieldguide import __version__

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_S = 10.0


def new_session() -> aiohttp.ClientSession:
    """Return a client session; aiohttp is imported here and not before.

    It keeps connections open, does not limit their number (the evaluation bounds what is in flight), stores no
    cookies, and sets no total time-out: each request brings its own deadline, and its own proxy (`proxy_for`). Left to
    look both up, aiohttp asks for the environment's proxy and for .netrc in a thread, anew for every request.
    """
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"fieldguide/{__version__}"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
    )


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """Return the proxy that the variables `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` name for an address.

    Lower case goes before upper case, as in curl; None where the address is reached directly.
    """
    parts = urlsplit(url)
    proxy = _variable(f"{parts.scheme}_proxy", environment) or _variable("all_proxy", environment)
    if not proxy or not parts.hostname:
        return None
    direct = (entry.strip().lower().lstrip(".") for entry in (_variable("no_proxy", environment) or "").split(","))
    host = parts.hostname.lower()
    for entry in direct:
        if entry and (entry in {"*", host, f"{host}:{parts.port}"} or host.endswith(f".{entry}")):
            return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(name: str, environment: Mapping[str, str]) -> str | None:
    return environment.get(name) or environment.get(name.upper())


class LazySession:
    """One shared session, made when the first request needs it."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._session: aiohttp.ClientSession | None = None

    def __call__(self) -> aiohttp.ClientSession:
        """Return the session; call it inside a running event loop."""
        if self._session is None:
            self._session = new_session()
        return self._session

    async def close(self) -> None:
        """Close it, if it was ever opened."""
        if self._session is not None:
            await self._session.close()
            self._session = None
