"""A neural voice in a process of its own: started, asked for one sentence after another, ended.

The child is a file that is run by itself. Its first line on stdin says what to load; it answers with a line of JSON
(`rate_hz`, `voices`). Each further line is a sentence (`text`, `voice`, `speed`), answered by a line of JSON that says
how many bytes follow, and the samples.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.domain import JsonValue
from fieldguide.errors import MissingDependencyError, ModelLoadError, RunnerError, RunnerTimeoutError, UsageError
from fieldguide.runners._pcm import Sound

EXIT_NO_ENGINE = 4
_LOAD_DEADLINE_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceEngine:
    """What is run, and how it is spoken of."""

    title: str
    extra: str
    """The extra that brings it."""
    child: Path
    what_a_voice_is: str
    """For the hint where it will not load."""
    slowest: float = 0.25
    fastest: float = 4.0


class VoiceProcess:
    """The running child; `start` returns it ready. One that has ended is started again by the next sentence."""

    def __init__(self, engine: VoiceEngine, model: Path, order: dict[str, JsonValue], deadline_s: float) -> None:
        """See `start`."""
        self._engine, self._model, self._order, self._deadline_s = engine, model, order, deadline_s
        self._process: asyncio.subprocess.Process | None = None
        self._closed = False
        self._turn = asyncio.Lock()
        self.voices: Sequence[str] = ()

    @classmethod
    async def start(
        cls, engine: VoiceEngine, model: Path, *, import_path: str, deadline_s: float, **order: JsonValue
    ) -> VoiceProcess:
        """Return the voice once it is loaded; `order` is what this engine's child takes besides.

        Raises:
            ModelLoadError: The engine will not load it.
            MissingDependencyError: The engine cannot be imported.
        """
        voice = cls(engine, model, {"import_path": import_path, **order}, deadline_s)
        await voice._load()
        return voice

    async def _load(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(self._engine.child),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
            cwd=self._model.parent,
            start_new_session=True,
        )
        title = self._engine.title
        try:
            head, _ = await self._asked(
                self._process, _LOAD_DEADLINE_S, parent=os.getpid(), model=str(self._model), **self._order
            )
        except RunnerError as error:
            await _end(self._process)
            if self._process.returncode == EXIT_NO_ENGINE:
                raise MissingDependencyError(f"{title}'s voices", extra=self._engine.extra) from error
            hint = f"{self._engine.what_a_voice_is}; fetch it again."
            raise ModelLoadError(f"{self._model.name}: {title} will not load it.", hint=hint) from error
        self.voices = tuple(head["voices"])

    async def say(self, sentence: str, *, voice: str | None, speed: float) -> Sound:
        """Return the sound of a sentence; `voice` is one of those that it holds, where there are several.

        Raises:
            UsageError: There is no such voice, or it does not speak so slowly or so fast.
            RunnerError: The engine failed.
        """
        if voice is not None and voice not in self.voices:
            known = ", ".join(self.voices) or "it has but one"
            raise UsageError(f"{self._engine.title} has no voice {voice!r} here.", hint=f"Voices: {known}.")
        if not self._engine.slowest <= speed <= self._engine.fastest:
            raise UsageError(
                f"{self._engine.title} speaks at {self._engine.slowest:g} to {self._engine.fastest:g} times its speed, "
                f"not at {speed:g}."
            )
        async with self._turn:
            if self._closed:
                raise RunnerError(f"{self._engine.title} was closed.")
            if self._process is None or self._process.returncode is not None:
                await self._load()
            assert self._process is not None
            head, pcm = await self._asked(self._process, self._deadline_s, text=sentence, voice=voice, speed=speed)
        if "error" in head:
            raise RunnerError(f"{self._engine.title} failed: {head['error']}")
        return Sound(pcm=pcm, rate_hz=head["rate_hz"])

    async def close(self) -> None:
        """End the child for good; twice does no harm."""
        self._closed = True
        if self._process is not None:
            await _end(self._process)

    async def _asked(
        self, process: asyncio.subprocess.Process, deadline_s: float, **job: Any
    ) -> tuple[dict[str, Any], bytes]:
        assert process.stdin is not None
        assert process.stdout is not None
        title = self._engine.title
        try:
            async with asyncio.timeout(deadline_s):
                process.stdin.write(json.dumps(job).encode() + b"\n")
                await process.stdin.drain()
                head: dict[str, Any] = json.loads(await process.stdout.readline() or b"null") or {}
                pcm = await process.stdout.readexactly(head["bytes"])
        except TimeoutError as error:
            await _end(process)
            raise RunnerTimeoutError(f"{title} took longer than {deadline_s:.0f} s for a sentence.") from error
        except (KeyError, ConnectionError, asyncio.IncompleteReadError) as error:
            await process.wait()
            raise RunnerError(f"{title} ended by itself (status {process.returncode}).") from error
        except BaseException:
            await _end(process)  # what it answers later belongs to nobody
            raise
        return head, pcm


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await asyncio.shield(process.wait())
