"""Keeps one engine running: starts it again, on the next request, after it has died."""

from __future__ import annotations

import asyncio
import collections
import time
from typing import TYPE_CHECKING

from fieldguide.errors import ModelLoadError, RunnerUnavailableError
from fieldguide.runners.llama_cpp._engine_process import EngineConfig, EngineProcess

if TYPE_CHECKING:
    import aiohttp

_MOST_CRASHES = 3
_CRASH_WINDOW_S = 300.0


class Connection:
    """One engine process and the HTTP session to its socket; both end together."""

    def __init__(self, process: EngineProcess) -> None:
        """Open the session; needs a running event loop."""
        import aiohttp

        self.process = process
        # A connection per request: a kept one may be closed by the engine just as it is used, and a new one on a UNIX
        # socket costs some 50 microseconds.
        connector = aiohttp.UnixConnector(path=str(process.socket), limit=0, force_close=True)
        self.session: aiohttp.ClientSession = aiohttp.ClientSession(
            base_url="http://llama.cpp", connector=connector, timeout=aiohttp.ClientTimeout(total=None)
        )

    async def close(self) -> None:
        """Cut what is in flight and end the process."""
        try:
            await self.session.close()
        finally:
            await self.process.stop()


class Supervisor:
    """Hands out the connection to the running engine."""

    def __init__(self, config: EngineConfig) -> None:
        """Nothing is started before the first `connection`."""
        self._config = config
        self._connection: Connection | None = None
        self._starting = asyncio.Lock()
        self._crashes: collections.deque[float] = collections.deque(maxlen=_MOST_CRASHES)
        self._closed = False

    async def connection(self) -> Connection:
        """Return a connection to a live engine, started now if there is none.

        Raises:
            ModelLoadError: The engine cannot load the file, or died three times within five minutes.
            RunnerUnavailableError: The runner has been closed.
        """
        current = self._connection
        if current is not None and current.process.alive and not self._closed:
            return current
        async with self._starting:
            if self._closed:
                raise RunnerUnavailableError("The runner has been closed.", hint="Open it again.")
            if self._connection is not None and self._connection.process.alive:
                return self._connection
            await self._bury()
            self._refuse_after_many_crashes()
            self._connection = Connection(await EngineProcess.start(self._config))
            return self._connection

    async def close(self) -> None:
        """End the engine; twice does no harm."""
        self._closed = True
        async with self._starting:
            current, self._connection = self._connection, None
            if current is not None:
                await current.close()

    async def _bury(self) -> None:
        """Clear away an engine that died, and count it."""
        dead, self._connection = self._connection, None
        if dead is not None:
            self._crashes.append(time.monotonic())
            await dead.close()

    def _refuse_after_many_crashes(self) -> None:
        if len(self._crashes) == _MOST_CRASHES and time.monotonic() - self._crashes[0] < _CRASH_WINDOW_S:
            raise ModelLoadError(
                f"llama.cpp died {_MOST_CRASHES} times within {_CRASH_WINDOW_S / 60:.0f} minutes on "
                f"{self._config.model_path.name} and is not started again.",
                hint="Try other requests or another file; run `fieldguide doctor` to see what is known of this engine.",
            )
