"""An engine in a process of its own: started, asked, watched, ended, and started again after it has ended.

A model file that breaks its engine must not take the program down. What the two say to each other stands in
`_child_main.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError, ModelLoadError, RunnerError, RunnerTimeoutError
from fieldguide.runners._child_main import EXIT_NO_ENGINE, EXIT_NOT_LOADED

_MAIN = Path(__file__).with_name("_child_main.py")
_LONGEST_LINE_BYTES = 1 << 24
_LAST_WORDS_BYTES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEngine:
    """What is run, and how it is spoken of."""

    title: str
    part: Path
    """The file that `_child_main.py` loads."""
    missing: Callable[[], MissingDependencyError]
    """Returns the error for an engine that cannot be imported."""
    if_not_loaded: str
    """What to do where it will not load a model."""
    if_ended: str | None = None
    """What to do where it ended in the middle of a job."""
    load_deadline_s: float = 120.0
    environment: Mapping[str, str] = field(default_factory=lambda: {"LANG": "C.UTF-8"})


class ChildProcess:
    """The child of one model; `start` returns it ready. One job at a time."""

    def __init__(self, engine: ChildEngine, name: str, order: Mapping[str, Any]) -> None:
        """See `start`."""
        self._engine, self._name, self._order = engine, name, dict(order)
        self._last_words = b""
        self.of_itself: dict[str, Any] = {}
        """What the engine said of itself when it had loaded."""

    @classmethod
    async def start(cls, engine: ChildEngine, name: str, **order: Any) -> ChildProcess:
        """Return the child once it has loaded what `order` says; paths in it are absolute.

        Raises:
            MissingDependencyError: The engine cannot be imported.
            ModelLoadError: It refused the model, took too long, or died of it.
        """
        child = cls(engine, name, order)
        await child._load()
        return child

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process; another one after an end."""
        return self._process.pid

    async def ensure(self) -> None:
        """Start it again where it has ended; raises as `start` does."""
        if not self.alive:
            await self._load()

    async def send(self, **job: Any) -> None:
        """Give it a job."""
        assert self._process.stdin is not None
        async with self._ended_where_left():
            with contextlib.suppress(ConnectionError):  # that it is dead shows when it is read from
                self._process.stdin.write(json.dumps(job).encode() + b"\n")
                await self._process.stdin.drain()

    async def next(self, longest_silence_s: float | None) -> tuple[dict[str, Any], bytes]:
        """Return the next thing that it tells of a job, and the bytes with it.

        A caller that leaves before the end of a job has to stop the child, which would go on.

        Raises:
            RunnerTimeoutError: Nothing came for so long; the child is ended.
            RunnerError: The job failed, or the child died.
        """
        try:
            async with self._ended_where_left(), asyncio.timeout(longest_silence_s):
                told = await self._read()
        except TimeoutError as error:
            raise RunnerTimeoutError(
                f"{self._engine.title} said nothing for {longest_silence_s:.0f} s.",
                hint="Allow it more with `--timeout S`, or take a smaller model.",
            ) from error
        if told is None:
            raise RunnerError(
                f"{self._engine.title} ended by itself ({await self._how_it_ended()}).", hint=self._engine.if_ended
            )
        if "error" in told[0]:
            raise RunnerError(f"{self._engine.title} failed: {told[0]['error']}")
        return told

    async def stop(self) -> None:
        """End it; twice does no harm."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.shield(self._process.wait())
        await self._listening

    async def _load(self) -> None:
        self._last_words = b""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_MAIN),
            str(self._engine.part),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(self._engine.environment),
            cwd="/",
            limit=_LONGEST_LINE_BYTES,
            start_new_session=True,  # no Ctrl-C from the terminal: the parent decides what is kept
        )
        self._listening = asyncio.create_task(self._listen())
        deadline_s = self._engine.load_deadline_s
        try:
            await self.send(parent=os.getpid(), **self._order)
            async with asyncio.timeout(deadline_s):
                told = await self._read()
        except TimeoutError as error:
            await self.stop()
            raise ModelLoadError(f"{self._engine.title} has not loaded {self._name} in {deadline_s:.0f} s.") from error
        except BaseException:
            await self.stop()
            raise
        if told is None:
            raise await self._refusal()
        self.of_itself = told[0]

    @contextlib.asynccontextmanager
    async def _ended_where_left(self) -> AsyncIterator[None]:
        try:
            yield
        except (TimeoutError, asyncio.CancelledError):
            await self.stop()  # what it answers later belongs to nobody
            raise

    async def _read(self) -> tuple[dict[str, Any], bytes] | None:
        """Return what is told next; None where the child has ended."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line.endswith(b"\n"):
            return None
        head: dict[str, Any] = json.loads(line)
        try:
            return head, await self._process.stdout.readexactly(head.pop("bytes"))
        except asyncio.IncompleteReadError:
            return None

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(65_536):
            self._last_words = (self._last_words + piece)[-_LAST_WORDS_BYTES:]

    async def _how_it_ended(self) -> str:
        code = await self._process.wait()
        return f"status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    async def _refusal(self) -> RunnerError:
        code = await self._process.wait()
        await self._listening
        if code == EXIT_NO_ENGINE:
            return self._engine.missing()
        lines = self._last_words.decode("utf-8", "replace").strip().splitlines()
        said = lines[-1] if code == EXIT_NOT_LOADED and lines else f"it died of it ({await self._how_it_ended()})"
        return ModelLoadError(
            f"{self._engine.title} will not load {self._name}: {said}", hint=self._engine.if_not_loaded
        )
