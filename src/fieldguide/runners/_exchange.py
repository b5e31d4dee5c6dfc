"""One exchange over HTTP: over a session of aiohttp, where that is needed, or over lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from fieldguide.http_client import CONNECT_TIMEOUT_S

if TYPE_CHECKING:
    import aiohttp


class Exchange(Protocol):
    """An answer whose head is there."""

    @property
    def status(self) -> int:
        """Its status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers; names in whichever case."""

    @property
    def at_end(self) -> bool:
        """Whether everything has come and been read."""

    async def read(self, until_s: float) -> bytes:
        """Return what has come of the body, waiting for some until `until_s` (loop time); nothing at its end."""

    def linger(self) -> None:
        """Say that what follows does not matter, so that the connection may be kept once it has come."""

    def release(self) -> None:
        """Give the connection back, or cut it where the answer has not ended."""


class OverSession:
    """An exchange over a session of aiohttp."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    @property
    def at_end(self) -> bool:
        """Whether everything has come and been read."""
        return self._response.content.at_eof()

    async def read(self, until_s: float) -> bytes:
        """Return what has come of the body."""
        async with asyncio.timeout_at(until_s):
            return await self._response.content.readany()

    def linger(self) -> None:
        """Do nothing: the session cuts what has not ended."""

    def release(self) -> None:
        """Give the connection back, or cut it."""
        self._response.release()


async def over_session(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    data: bytes | aiohttp.FormData | None,
    proxy: str | None,
    until_s: float,
) -> OverSession:
    """Send a request over a session and return the answer, once its head is there."""
    import aiohttp

    async with asyncio.timeout_at(until_s):
        response = await session.request(
            method,
            url,
            data=data,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            proxy=proxy,
            allow_redirects=False,
        )
    return OverSession(response)
