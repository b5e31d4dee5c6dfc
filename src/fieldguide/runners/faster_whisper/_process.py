"""One child process with one model in it: started, asked, watched and ended."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError
from fieldguide.runners._child_process import ChildEngine, ChildProcess

_PART = Path(__file__).with_name("_child.py")
_PASSED_ON = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
_QUIET_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"}
"""Threads that have nothing to do sleep at once: spinning ones slow every other program down, and are slowed by it."""


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
    """The running child; `start` returns it ready. One that has ended is started again by the next recording."""

    def __init__(self, child: ChildProcess) -> None:
        """See `start`."""
        self._child = child

    @classmethod
    async def start(cls, options: EngineOptions) -> EngineProcess:
        """Return the child once the model is loaded.

        Raises:
            MissingDependencyError: The engine is not installed.
            ModelLoadError: The engine refused the folder, or died of it.
        """
        child = await ChildProcess.start(
            _engine(),
            options.folder.name,
            model=str(options.folder.resolve()),
            import_path=engine_folder(),
            threads=options.threads,
            compute_type=options.compute_type,
            device=options.device,
        )
        return cls(child)

    @property
    def alive(self) -> bool:
        """Whether the child has not been seen to end."""
        return self._child.alive

    @property
    def pid(self) -> int:
        """The child's process."""
        return self._child.pid

    @property
    def languages(self) -> tuple[str, ...]:
        """Those that the model knows, as codes."""
        return tuple(self._child.of_itself["languages"])

    @property
    def compute_type(self) -> str | None:
        """What the engine reckons in; None where it does not say."""
        reckons_in: str | None = self._child.of_itself["compute_type"]
        return reckons_in

    async def ask(self, job: dict[str, Any], *, longest_silence_s: float) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of one recording, up to the one that ends it.

        A caller that leaves before the end has to stop the child, which would go on.

        Raises:
            RunnerTimeoutError: Nothing came for `longest_silence_s`.
            RunnerError: The child died.
        """
        await self._child.ensure()
        await self._child.send(**job)
        while True:
            event, _ = await self._child.next(longest_silence_s)
            yield event
            if event["event"] in {"wrong_language", "not_decoded"} or event.get("last"):
                return

    async def stop(self) -> None:
        """End the child; twice does no harm."""
        await self._child.stop()


def _engine() -> ChildEngine:
    return ChildEngine(
        title="faster-whisper",
        part=_PART,
        missing=_not_installed,
        if_not_loaded="It must be a Whisper model in CTranslate2's format; fetch it again.",
        if_ended="What it had heard is kept. Try another file, or a smaller model if memory is short.",
        load_deadline_s=300.0,
        environment={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _QUIET_THREADS,
    )


def _not_installed() -> MissingDependencyError:
    return MissingDependencyError("Writing speech down", extra="audio")


def engine_folder() -> str:
    """Return the folder that holds the engine's package.

    Raises:
        MissingDependencyError: It is not installed.
    """
    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise _not_installed()
    return str(Path(spec.origin).parents[1])
