"""A neural voice in a process of its own, asked for one sentence after another.

Its child says at which rate it speaks and which voices it holds (`rate_hz`, `voices`), and answers each sentence
(`text`, `voice`, `speed`) with its rate and its samples.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.domain import JsonValue
from fieldguide.errors import MissingDependencyError, RunnerError, UsageError
from fieldguide.runners._child_process import ChildEngine, ChildProcess
from fieldguide.runners._pcm import Sound


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

    @property
    def engine(self) -> ChildEngine:
        """The same as the process is told of it."""
        return ChildEngine(
            title=self.title,
            part=self.child,
            missing=lambda: MissingDependencyError(f"{self.title}'s voices", extra=self.extra),
            if_not_loaded=f"{self.what_a_voice_is}; fetch it again.",
        )


class VoiceProcess:
    """The running child; `start` returns it ready. One that has ended is started again by the next sentence."""

    def __init__(self, engine: VoiceEngine, child: ChildProcess, deadline_s: float) -> None:
        """See `start`."""
        self._engine, self._child, self._deadline_s = engine, child, deadline_s
        self._closed = False
        self._turn = asyncio.Lock()

    @classmethod
    async def start(
        cls, engine: VoiceEngine, model: Path, *, import_path: str, deadline_s: float, **order: JsonValue
    ) -> VoiceProcess:
        """Return the voice once it is loaded; `order` is what this engine's child takes besides.

        Raises:
            ModelLoadError: The engine will not load it.
            MissingDependencyError: The engine cannot be imported.
        """
        child = await ChildProcess.start(
            engine.engine, model.name, import_path=import_path, model=str(model.absolute()), **order
        )
        return cls(engine, child, deadline_s)

    @property
    def voices(self) -> Sequence[str]:
        """The voices that it holds, where there are several."""
        voices: Sequence[str] = self._child.of_itself["voices"]
        return voices

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
            await self._child.ensure()
            await self._child.send(text=sentence, voice=voice, speed=speed)
            head, pcm = await self._child.next(self._deadline_s)
        return Sound(pcm=pcm, rate_hz=head["rate_hz"])

    async def close(self) -> None:
        """End the child for good; twice does no harm."""
        self._closed = True
        await self._child.stop()
