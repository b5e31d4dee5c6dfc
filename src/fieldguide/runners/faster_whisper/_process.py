"""One child process with one model in it: started, asked, watched and ended."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError, ModelLoadError, RunnerError, RunnerTimeoutError
from fieldguide.runners.faster_whisper._child import EXIT_NO_ENGINE, EXIT_NOT_LOADED

_CHILD = Path(__file__).with_name("_child.py")
_PASSED_ON = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
_QUIET_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Threads that have nothing to do sleep at once: spinning ones slow every other program down, and are slowed by it."""
_LOAD_DEADLINE_S = 300.0
_LONGEST_LINE_BYTES = 1 << 24
_LAST_WORDS_BYTES = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How the model is loaded."""

    folder: Path
    threads: int
    compute_type: str = "default"
    """Such as `int8` or `float32`; `default` takes what the file holds, where the processor can."""
    device: str = "auto"
    skip_silence: bool = True
    """Whether to look first where anyone speaks, unless an order says no."""


class EngineProcess:
    """The running child; `start` returns it ready."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """See `start`."""
        self._process = process
        self._last_words = b""
        self._listening = asyncio.create_task(self._listen())
        self.languages: tuple[str, ...] = ()
        self.compute_type: str | None = None
        """What the engine reckons in; None where it does not say."""

    @classmethod
    async def start(cls, options: EngineOptions) -> EngineProcess:
        """Return the child once the model is loaded.

        Raises:
            MissingDependencyError: The engine is not installed.
            ModelLoadError: The engine refused the folder, or died of it.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _QUIET_THREADS,
            cwd="/",
            limit=_LONGEST_LINE_BYTES,
            start_new_session=True,  # no Ctrl-C from the terminal: the parent decides what is kept
        )
        engine = cls(process)
        try:
            await engine._send(
                parent=os.getpid(),
                model=str(options.folder.resolve()),
                import_path=engine_folder(),
                threads=options.threads,
                compute_type=options.compute_type,
                device=options.device,
            )
            first = await engine._next(_LOAD_DEADLINE_S)
        except BaseException:
            await engine.stop()
            raise
        if first is None:
            raise await engine._refusal(options.folder)
        engine.languages = tuple(first["languages"])
        engine.compute_type = first["compute_type"]
        return engine

    @property
    def alive(self) -> bool:
        """Whether the child has not been seen to end."""
        return self._process.returncode is None

    async def ask(self, job: dict[str, Any], *, longest_silence_s: float) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of one recording, up to the one that ends it.

        A caller that leaves before the end has to stop the child, which would go on.

        Raises:
            RunnerTimeoutError: Nothing came for `longest_silence_s`.
            RunnerError: The child died.
        """
        await self._send(**job)
        while True:
            event = await self._next(longest_silence_s)
            if event is None:
                raise RunnerError(
                    f"The engine died while it listened ({await self._how_it_ended()}).",
                    hint="What it had heard is kept. Try another file, or a smaller model if memory is short.",
                )
            yield event
            if event["event"] in {"wrong_language", "not_decoded"} or event.get("last"):
                return

    async def stop(self) -> None:
        """End the child; twice does no harm."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        await asyncio.shield(self._process.wait())
        await self._listening

    async def _send(self, **fields: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # that it is dead shows when it is read from
            self._process.stdin.write(json.dumps(fields).encode() + b"\n")
            await self._process.stdin.drain()

    async def _next(self, longest_silence_s: float) -> dict[str, Any] | None:
        """Return the next event; None where the child has ended."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(longest_silence_s):
                line = await self._process.stdout.readline()
        except TimeoutError as error:
            raise RunnerTimeoutError(
                f"The engine said nothing for {longest_silence_s:.0f} s.",
                hint="Allow it more with `--timeout S`, or take a smaller model.",
            ) from error
        event: dict[str, Any] | None = json.loads(line) if line.endswith(b"\n") else None
        return event

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(65_536):
            self._last_words = (self._last_words + piece)[-_LAST_WORDS_BYTES:]

    async def _how_it_ended(self) -> str:
        code = await self._process.wait()
        return f"status {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    async def _refusal(self, folder: Path) -> RunnerError:
        code = await self._process.wait()
        await self._listening
        if code == EXIT_NO_ENGINE:
            return MissingDependencyError("Writing speech down", extra="audio")
        lines = self._last_words.decode("utf-8", "replace").strip().splitlines()
        said = (
            lines[-1] if code == EXIT_NOT_LOADED and lines else f"the engine died of it ({await self._how_it_ended()})"
        )
        return ModelLoadError(
            f"{folder.name}: {said}", hint="It must be a Whisper model in CTranslate2's format; fetch it again."
        )


def engine_folder() -> str:
    """Return the folder that holds the engine's package.

    Raises:
        MissingDependencyError: It is not installed.
    """
    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise MissingDependencyError("Writing speech down", extra="audio")
    return str(Path(spec.origin).parents[1])
