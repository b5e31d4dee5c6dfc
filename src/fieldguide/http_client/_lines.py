"""HTTP/1.1 over lines that are kept open, with nothing that a gateway's requests do not need.

aiohttp's client costs more of the processor than everything else that the gateway does for a request. This one sends a
body and reads an answer: no redirects, cookies, proxies, multipart forms or retries, which are aiohttp's work
(`new_session`). Parsing is llhttp's, TLS is asyncio's, and both ways to an address are tried as aiohttp tries them.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from fieldguide import __version__
from fieldguide.http_client._faults import UnreachedError
from fieldguide.http_client._session import CONNECT_TIMEOUT_S

if TYPE_CHECKING:
    import asyncio
    import ssl

    from fieldguide.http_client._line import Answer, Line

_KEPT_S = 30.0
"""How long a line is kept that nobody uses."""
_SWEEP_S = 5.0
_MOST_ROUNDS = 100
"""Rounds of the event loop in which cut connections have to end: each takes one or two."""
_SECOND_WAY_S = 0.25
"""How long the first of several addresses of a host has before the next is tried beside it (RFC 8305)."""


class _Target(NamedTuple):
    """An address taken apart."""

    host: str
    port: int
    secure: bool
    named: str
    """What the Host header says."""
    path: str


class Lines:
    """Connections to every host that was asked, kept for the next request."""

    def __init__(self) -> None:
        """Nothing is opened yet."""
        self._idle: dict[tuple[str, int, bool], list[Line]] = {}
        self._all: set[Line] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._tls: ssl.SSLContext | None = None

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._all)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, until_s: float) -> Answer:
        """Send a request and return the answer to it, once its head is there.

        Args:
            method: Such as `POST`.
            url: An http or https address.
            headers: Checked by the caller: no value may hold a line break.
            body: Sent as it stands.
            until_s: When the waiting ends (the event loop's time).

        Raises:
            UnreachedError: There was no connection within ten seconds.
            LineBrokenError: The other side closed the connection, or answered with something that is not HTTP.
            TimeoutError: It is too late.
        """
        target = _target(url)
        line = self._kept(target) or await self._opened(target, until_s)
        return await line.ask(_head(method, target, headers, len(body)) + body, until_s=until_s)

    async def close(self) -> None:
        """Close every connection."""
        import asyncio

        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for line in list(self._all):
            line.abort()
        for _ in range(_MOST_ROUNDS):
            if not self._all:
                break
            await asyncio.sleep(0)

    def _kept(self, target: _Target) -> Line | None:
        kept = self._idle.get(target[:3])
        while kept:
            line = kept.pop()
            if line.usable:
                return line
        return None

    async def _opened(self, target: _Target, until_s: float) -> Line:
        import asyncio
        import socket

        import aiohappyeyeballs

        from fieldguide.http_client._line import Line

        loop = asyncio.get_running_loop()
        secure = self._secured() if target.secure else None
        late_s = loop.time() + CONNECT_TIMEOUT_S
        try:
            async with asyncio.timeout_at(min(late_s, until_s)):
                ways = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
                found = await aiohappyeyeballs.start_connection(
                    ways, happy_eyeballs_delay=_SECOND_WAY_S, interleave=1, loop=loop
                )
                _, line = await loop.create_connection(
                    lambda: Line(loop, self._all, functools.partial(self._keep, target[:3], loop)),
                    sock=found,
                    ssl=secure,
                    server_hostname=target.host if target.secure else None,
                )
                return line
        except TimeoutError as error:
            if loop.time() < late_s:
                raise
            raise UnreachedError(f"no connection within {CONNECT_TIMEOUT_S:.0f} s") from error
        except OSError as error:
            raise UnreachedError(error.strerror or str(error) or type(error).__name__) from error

    def _secured(self) -> ssl.SSLContext:
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context()
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls

    def _keep(self, key: tuple[str, int, bool], loop: asyncio.AbstractEventLoop, line: Line) -> None:
        self._idle.setdefault(key, []).append(line)
        if self._sweeping is None:
            self._sweeping = loop.call_later(_SWEEP_S, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close lines that nobody has used for a while."""
        before_s = loop.time() - _KEPT_S
        for key, kept in list(self._idle.items()):
            for line in kept:
                if line.idle_since_s < before_s:
                    line.abort()
            kept[:] = [line for line in kept if line.usable]
            if not kept:
                del self._idle[key]
        self._sweeping = loop.call_later(_SWEEP_S, self._sweep, loop) if self._idle else None


_ALWAYS = f"User-Agent: fieldguide/{__version__}\r\nAccept: */*\r\nAccept-Encoding: identity"


@functools.lru_cache(maxsize=256)
def _target(url: str) -> _Target:
    from yarl import URL

    address = URL(url)
    host = address.raw_host or ""
    return _Target(
        host=host,
        port=address.port or 0,
        secure=address.scheme == "https",
        named=address.host_port_subcomponent or host,
        path=address.raw_path_qs,
    )


def _head(method: str, target: _Target, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"{method} {target.path} HTTP/1.1\r\nHost: {target.named}\r\n{_ALWAYS}"]
    if length or method == "POST":
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append("\r\n")
    return "\r\n".join(lines).encode("utf-8")
