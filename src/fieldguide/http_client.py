"""The only maker of HTTP clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fieldguide import __version__

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT_S = 10.0


def new_session() -> aiohttp.ClientSession:
    """Return a client session; aiohttp is imported here and not before.

    It keeps connections open, does not limit their number (the evaluation bounds what is in flight), takes proxies
    from the user's environment as other tools do, stores no cookies, and sets no total time-out: each request brings
    its own deadline.
    """
    import aiohttp

    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"fieldguide/{__version__}"},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
        trust_env=True,
    )


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
