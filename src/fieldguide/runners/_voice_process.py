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
    """The running child; `start` returns it ready."""

    def __init__(self, engine: VoiceEngine, process: asyncio.subprocess.Process, deadline_s: float) -> None:
        """See `start`."""
        self._engine, self._process, self._deadline_s = engine, process, deadline_s
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
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(engine.child),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
            cwd=model.parent,
            start_new_session=True,
        )
        voice = cls(engine, process, _LOAD_DEADLINE_S)
        try:
            head, _ = await voice._asked(parent=os.getpid(), model=str(model), import_path=import_path, **order)
        except RunnerError as error:
            await voice.close()
            if process.returncode == EXIT_NO_ENGINE:
                raise MissingDependencyError(f"{engine.title}'s voices", extra=engine.extra) from error
            raise ModelLoadError(
                f"{model.name}: {engine.title} will not load it.", hint=f"{engine.what_a_voice_is}; fetch it again."
            ) from error
        except BaseException:
            await voice.close()
            raise
        voice.voices = tuple(head["voices"])
        voice._deadline_s = deadline_s
        return voice

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
            head, pcm = await self._asked(text=sentence, voice=voice, speed=speed)
        if "error" in head:
            raise RunnerError(f"{self._engine.title} failed: {head['error']}")
        return Sound(pcm=pcm, rate_hz=head["rate_hz"])

    async def close(self) -> None:
        """End the child; twice does no harm."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await asyncio.shield(self._process.wait())

    async def _asked(self, **job: Any) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        title = self._engine.title
        try:
            async with asyncio.timeout(self._deadline_s):
                self._process.stdin.write(json.dumps(job).encode() + b"\n")
                await self._process.stdin.drain()
                head: dict[str, Any] = json.loads(await self._process.stdout.readline() or b"null") or {}
                pcm = await self._process.stdout.readexactly(head["bytes"])
        except TimeoutError as error:
            await self.close()
            raise RunnerTimeoutError(f"{title} took longer than {self._deadline_s:.0f} s for a sentence.") from error
        except (KeyError, ConnectionError, asyncio.IncompleteReadError) as error:
            await self._process.wait()
            raise RunnerError(f"{title} ended by itself (status {self._process.returncode}).") from error
        except BaseException:
            await self.close()  # what it answers later belongs to nobody
            raise
        return head, pcm
