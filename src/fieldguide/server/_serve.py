"""Listens, until it is told to stop; then what is in flight ends, and usage is committed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fieldguide.app.gateway import Gateway
from fieldguide.errors import UsageError
from fieldguide.server._connection import Connection, Limits, Traffic
from fieldguide.server._site import Site

_TICK_S = 0.5
_BACKLOG = 1024


class Server:
    """One listening socket and its connections."""

    def __init__(self, gateway: Gateway, *, limits: Limits | None = None, say: Callable[[str], None]) -> None:
        self.traffic = Traffic()
        self.site = Site(gateway, say=say, traffic=self.traffic)
        self._gateway, self._limits = gateway, limits or Limits()
        self._server: asyncio.Server | None = None
        self._ticking: asyncio.Task[None] | None = None
        self._until_s = 0.0
        self.port = gateway.config.port

    async def start(self) -> None:
        """Listen.

        Raises:
            UsageError: The address is taken, or none of this machine's.
        """
        loop = asyncio.get_running_loop()
        config = self._gateway.config
        try:
            self._server = await loop.create_server(
                lambda: Connection(self.site.admit, self._limits, self.traffic, self.site.refused),
                config.host.strip("[]"),
                config.port,
                backlog=_BACKLOG,
            )
        except OSError as error:
            raise UsageError(
                f"The gateway cannot listen on {config.host}:{config.port}: {error.strerror or error}.",
                hint="Choose another port with `--port N`, or end the program that has this one.",
            ) from error
        self.port = self._server.sockets[0].getsockname()[1]
        self.site.guard.learn_port(self.port)
        self._ticking = loop.create_task(self._tick())
        await self._gateway.start()

    async def _tick(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_TICK_S)
            now_s = clock()
            for connection in list(self.traffic.connections):
                connection.tick(now_s)

    async def stop(self, *, drain_s: float) -> None:
        """Take no more requests, let those in flight end within `drain_s` seconds, cut the rest, commit usage.

        Raises:
            StoreError: The last usage could not be committed.
        """
        self.site.draining = True
        clock = asyncio.get_running_loop().time
        self._until_s = clock() + drain_s
        if self._server is not None:
            self._server.close()
        for connection in list(self.traffic.connections):
            connection.finish()
        while any(connection.busy for connection in self.traffic.connections) and clock() < self._until_s:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for connection in list(self.traffic.connections):
            connection.abort()
        while any(connection.busy for connection in self.traffic.connections):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if self._ticking is not None:
            self._ticking.cancel()
        await self._gateway.close()

    def cut(self) -> None:
        """While it stops: wait no longer for what is in flight."""
        self._until_s = 0.0


@contextlib.asynccontextmanager
async def serving(
    gateway: Gateway, *, limits: Limits | None = None, say: Callable[[str], None] = lambda line: None
) -> AsyncIterator[Server]:
    """Give a server that listens, and stop it at the end."""
    server = Server(gateway, limits=limits, say=say)
    await server.start()
    try:
        yield server
    finally:
        await server.stop(drain_s=gateway.config.drain_s)
