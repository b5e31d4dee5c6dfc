"""Voices on this machine: a text is read sentence by sentence, so that the first is heard before the last is made."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable
from typing import Protocol, runtime_checkable

from fieldguide.domain import Audio, Capabilities, Latency, ResolvedModel, SpeechRequest, SpeechResult
from fieldguide.errors import UnsupportedError, UsageError
from fieldguide.runners._pcm import Sound, sentences, wav_of
from fieldguide.runners._speech_alone import SpeechAlone


@runtime_checkable
class ReadingRunner(Protocol):
    """A runner that reads aloud piece by piece."""

    def read_aloud(self, request: SpeechRequest) -> AsyncIterator[Sound]:
        """Yield the sound of one sentence after another, all at one rate."""


class Voice(Protocol):
    """What can say one sentence."""

    def say(self, sentence: str, *, voice: str | None, speed: float) -> Awaitable[Sound]:
        """Return the sound of a sentence; `speed` 1 is the usual one."""

    async def close(self) -> None:
        """Release what it holds."""


class VoiceRunner(SpeechAlone):
    """A voice as a runner."""

    _does = "It reads aloud: `fieldguide speak TEXT`."

    def __init__(self, voice: Voice, *, model: ResolvedModel) -> None:
        """Take a voice that is ready."""
        super().__init__(model, Capabilities(text=False, chat=False, streaming=False, stop=False, text_to_speech=True))
        self._voice = voice

    async def speak(self, request: SpeechRequest) -> SpeechResult:
        """Return a text read aloud, as WAV; see `SpeechRunner`."""
        started = time.monotonic()
        sounds = [sound async for sound in self.read_aloud(request)]
        whole = Sound(pcm=b"".join(s.pcm for s in sounds), rate_hz=sounds[0].rate_hz, channels=sounds[0].channels)
        return SpeechResult(
            audio=Audio(data=wav_of(whole), media_type="audio/wav"),
            latency=Latency(e2e_latency_s=time.monotonic() - started),
        )

    async def read_aloud(self, request: SpeechRequest) -> AsyncIterator[Sound]:
        """Yield one sentence after another; see `ReadingRunner`."""
        if request.instructions is not None:
            raise UnsupportedError(self._model.name, "being told how to speak")
        if request.output_format not in (None, "wav"):
            raise UnsupportedError(self._model.name, f"the format {request.output_format}", hint="Ask for wav.")
        speed = 1.0 if request.speed is None else request.speed
        if not 0.25 <= speed <= 4:
            raise UsageError(f"The speed is a number from 0.25 to 4, not {speed}.")
        parts = sentences(request.text)
        if not parts:
            raise UsageError("There is nothing to say.", hint="Give a text with words in it.")
        for part in parts:
            yield await self._voice.say(part, voice=request.voice, speed=speed)

    async def close(self) -> None:
        """Release the voice."""
        await self._voice.close()
