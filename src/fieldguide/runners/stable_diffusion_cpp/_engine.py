"""stable-diffusion.cpp in a process of its own: a broken file of weights must not take the program down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError, RunnerTimeoutError
from fieldguide.runners._child_process import ChildEngine, ChildProcess

_COMPILED = " (it is compiled while it is installed, which takes CMake and a C++ compiler)"


def not_installed() -> MissingDependencyError:
    """Return the error for an engine that is not there, which no wheel brings."""
    error = MissingDependencyError("Making pictures on this machine", extra="draw")
    error.hint = f"{error.hint}{_COMPILED}"
    return error


_ENGINE = ChildEngine(
    title="stable-diffusion.cpp",
    part=Path(__file__).with_name("_child.py"),
    missing=not_installed,
    if_not_loaded="It loads whole models in safetensors or GGUF; parts are named by --option (see docs/vision.md).",
    if_ended="Was there enough memory? Try a smaller --size, or weights of fewer bits.",
    load_deadline_s=600.0,
)


class Engine:
    """The running child; `start` returns it with its weights loaded. One that has ended is started by the next job."""

    def __init__(self, child: ChildProcess) -> None:
        """See `start`."""
        self._child = child

    @classmethod
    async def start(cls, name: str, load: dict[str, Any], *, import_path: str) -> Engine:
        """Return the child once it has loaded what `load` names.

        Raises:
            MissingDependencyError: The engine cannot be imported.
            ModelLoadError: It refused the file, or died of it.
        """
        return cls(await ChildProcess.start(_ENGINE, name, import_path=import_path, load=load))

    async def draw(
        self, draw: dict[str, Any], form: str, *, deadline_s: float, told: Callable[[str], None]
    ) -> list[bytes]:
        """Return the pictures of one job; one at a time.

        Raises:
            RunnerError: The engine failed, or died.
            RunnerTimeoutError: It took longer than `deadline_s`; it is ended, for it cannot be stopped otherwise.
        """
        await self._child.ensure()
        await self._child.send(draw=draw, format=form)
        pictures = []
        try:
            async with asyncio.timeout(deadline_s):
                while (told_next := await self._child.next(None))[0]["event"] != "done":
                    head, data = told_next
                    if head["event"] == "step":
                        told(f"step {head['step']} of {head['steps']}")
                    else:
                        pictures.append(data)
        except TimeoutError as error:
            hint = "Allow it more with --timeout S, or take fewer steps (--option steps=N) or a smaller --size."
            raise RunnerTimeoutError(f"No picture within {deadline_s:.0f} s.", hint=hint) from error
        return pictures

    async def stop(self) -> None:
        """End the child; twice does no harm."""
        await self._child.stop()
