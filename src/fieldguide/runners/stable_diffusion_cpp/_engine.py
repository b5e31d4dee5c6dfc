"""stable-diffusion.cpp in a process of its own: a broken file of weights must not take the program down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError, ModelLoadError, RunnerError, RunnerTimeoutError
from fieldguide.runners.stable_diffusion_cpp._child import EXIT_NO_ENGINE, EXIT_NOT_LOADED

_CHILD = Path(__file__).with_name("_child.py")
_LOAD_DEADLINE_S = 600.0
_LAST_WORDS_BYTES = 4_000
_COMPILED = " (it is compiled while it is installed, which takes CMake and a C++ compiler)"


class Engine:
    """The running child; `start` returns it with its weights loaded."""

    def __init__(self, process: asyncio.subprocess.Process, again: Callable[[], Awaitable[Engine]]) -> None:
        """See `start`."""
        self._process = process
        self.again = again
        """Starts another one that has loaded the same."""
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, name: str, load: dict[str, Any], *, import_path: str) -> Engine:
        """Return the child once it has loaded what `load` names.

        Raises:
            MissingDependencyError: The engine cannot be imported.
            ModelLoadError: It refused the file, or died of it.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        engine = cls(process, partial(cls.start, name, load, import_path=import_path))
        try:
            await engine._send({"parent": os.getpid(), "import_path": import_path, "load": load})
            async with asyncio.timeout(_LOAD_DEADLINE_S):
                head = await engine._next()
        except TimeoutError as error:
            await engine.stop()
            raise ModelLoadError(f"{name} was not loaded within {_LOAD_DEADLINE_S:.0f} s.") from error
        except BaseException:
            await engine.stop()
            raise
        if head is None:
            raise await engine._refusal(name)
        return engine

    @property
    def alive(self) -> bool:
        """Whether the child has not been seen to end."""
        return self._process.returncode is None

    async def draw(
        self, draw: dict[str, Any], form: str, *, deadline_s: float, told: Callable[[str], None]
    ) -> list[bytes]:
        """Return the pictures of one job; one at a time.

        Raises:
            RunnerError: The engine failed, or died.
            RunnerTimeoutError: It took longer than `deadline_s`; it is ended, for it cannot be stopped otherwise.
        """
        await self._send({"draw": draw, "format": form})
        try:
            async with asyncio.timeout(deadline_s):
                return await self._pictures(told)
        except (TimeoutError, asyncio.CancelledError) as error:
            await self.stop()
            if isinstance(error, asyncio.CancelledError):
                raise
            hint = "Allow it more with --timeout S, or take fewer steps (--option steps=N) or a smaller --size."
            raise RunnerTimeoutError(f"No picture within {deadline_s:.0f} s.", hint=hint) from error

    async def stop(self) -> None:
        """End the child; twice does no harm."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.shield(self._process.wait())
        await self._listening

    async def _pictures(self, told: Callable[[str], None]) -> list[bytes]:
        assert self._process.stdout is not None
        while (head := await self._next()) is not None:
            if head["event"] == "step":
                told(f"step {head['step']} of {head['steps']}")
            elif head["event"] == "failed":
                raise RunnerError(f"stable-diffusion.cpp failed: {head['error']}")
            else:
                return [await self._process.stdout.readexactly(size) for size in head["bytes"]]
        raise RunnerError(
            f"stable-diffusion.cpp ended {await self._how_it_ended()} while it drew.",
            hint="Was there enough memory? Try a smaller --size, or weights of fewer bits.",
        )

    async def _send(self, job: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # that it is dead shows when it is read from
            self._process.stdin.write(json.dumps(job).encode() + b"\n")
            await self._process.stdin.drain()

    async def _next(self) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        event: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return event

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(65_536):
            self._last_words = (self._last_words + piece)[-_LAST_WORDS_BYTES:]

    async def _how_it_ended(self) -> str:
        code = await self._process.wait()
        return f"with status {code}" if code >= 0 else f"by signal {signal.Signals(-code).name}"

    async def _refusal(self, name: str) -> RunnerError:
        code = await self._process.wait()
        await self._listening
        if code == EXIT_NO_ENGINE:
            return not_installed()
        lines = self._last_words.decode("utf-8", "replace").strip().splitlines()
        said = lines[-1] if code == EXIT_NOT_LOADED and lines else f"it died of it, {await self._how_it_ended()}"
        return ModelLoadError(
            f"stable-diffusion.cpp will not load {name}: {said}",
            hint="It loads whole models in safetensors or GGUF; parts are named by --option (see docs/vision.md).",
        )


def not_installed() -> MissingDependencyError:
    """Return the error for an engine that is not there, which no wheel brings."""
    error = MissingDependencyError("Making pictures on this machine", extra="draw")
    error.hint = f"{error.hint}{_COMPILED}"
    return error
