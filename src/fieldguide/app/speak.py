"""Read a text aloud, into a file or a stream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import IO, Any, Literal, Protocol, TypeAlias

from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.wiring import House
from fieldguide.domain import SpeechRequest
from fieldguide.errors import MissingDependencyError, ResponseFormatError, UnsupportedError
from fieldguide.runners import ReadingRunner, Sound, SpeechRunner, sentences, sound_of, wav_header

FALLBACK = "espeak-ng:"
_LONGEST_REQUEST = 4000
"""Characters of one request to a provider; OpenAI takes 4096."""

SoundFormat: TypeAlias = Literal["wav", "mp3"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What was read aloud, and by whom."""

    model: str
    reference: str
    fallback: bool
    """Whether it is espeak-ng, for want of anything better that was named."""
    voice: str | None
    duration_s: float | None
    """None where a provider's compressed sound was passed on."""
    sample_rate_hz: int | None
    bytes: int
    seconds: float


async def speak(
    house: House,
    reference: str | None,
    request: SpeechRequest,
    options: ModelOptions,
    *,
    form: SoundFormat,
    out: IO[bytes],
    told: Callable[[str], None],
) -> Spoken:
    """Write a text's sound to `out`, piece by piece as it is made.

    A WAV file gets its right length at the end; a stream that cannot be wound back says that its length is unknown.

    Raises:
        UnsupportedError: The model does not read aloud.
        FieldguideError: It cannot be opened or asked.
    """
    started = time.monotonic()
    opened = await open_model(house, reference or FALLBACK, options)
    try:
        runner = opened.runner
        if not (runner.capabilities.text_to_speech and isinstance(runner, SpeechRunner)):
            hint = "Name another, such as openai:tts-1 or piper:en_US-lessac-medium, or leave --model out."
            raise UnsupportedError(runner.model.name, "reading aloud", hint=hint)
        sink: Sink = WavSink(out) if form == "wav" else Mp3Sink(out)
        passed_on = False
        async for piece in _pieces(opened, request, form):
            if isinstance(piece, bytes):
                out.write(piece)
                passed_on = True
            else:
                sink.add(piece)
            out.flush()
            told(f"spoke {sink.seconds:.1f} s")
        if not passed_on:
            sink.finish()
    finally:
        await opened.runner.close()
    return Spoken(
        model=runner.model.name,
        reference=runner.model.reference,
        fallback=opened.provider == "espeak-ng",
        voice=request.voice,
        duration_s=None if passed_on else sink.seconds,
        sample_rate_hz=sink.rate_hz,
        bytes=out.tell() if out.seekable() else sink.written,
        seconds=time.monotonic() - started,
    )


async def _pieces(opened: OpenedModel, request: SpeechRequest, form: SoundFormat) -> AsyncIterator[Sound | bytes]:
    runner = opened.runner
    if isinstance(runner, ReadingRunner):
        async for sound in runner.read_aloud(request):
            yield sound
        return
    assert isinstance(runner, SpeechRunner)
    for part in _requests(request.text):
        result = await runner.speak(
            SpeechRequest(
                text=part,
                voice=request.voice,
                instructions=request.instructions,
                output_format=form,
                speed=request.speed,
            )
        )
        data = result.audio.data
        if not data:
            raise ResponseFormatError("The provider answered without any sound.")
        yield sound_of(data) if form == "wav" else data


def _requests(text: str) -> list[str]:
    """Return a text in as few pieces of whole sentences as a provider takes."""
    parts: list[str] = []
    for sentence in sentences(text, longest=_LONGEST_REQUEST):
        if parts and len(parts[-1]) + len(sentence) < _LONGEST_REQUEST:
            parts[-1] += f" {sentence}"
        else:
            parts.append(sentence)
    return parts


class Sink(Protocol):
    """Takes sound and writes it in one format."""

    rate_hz: int | None
    seconds: float
    written: int

    def add(self, sound: Sound) -> None:
        """Write a piece."""

    def finish(self) -> None:
        """Write what comes last."""


class WavSink:
    """Writes a WAV file, or a stream of one."""

    def __init__(self, out: IO[bytes]) -> None:
        """Write to `out`, from where it stands."""
        self._out = out
        self._start = out.tell() if out.seekable() else None
        self._channels = 0
        self._pcm_bytes = 0
        self.rate_hz: int | None = None
        self.seconds = 0.0
        self.written = 0

    def add(self, sound: Sound) -> None:
        """Write a piece.

        Raises:
            ResponseFormatError: It has another rate than the pieces before it.
        """
        if self.rate_hz is None:
            self.rate_hz, self._channels = sound.rate_hz, sound.channels
            self._write(wav_header(rate_hz=sound.rate_hz, channels=sound.channels, pcm_bytes=None))
        _check_same(self.rate_hz, self._channels, sound)
        self._write(sound.pcm)
        self._pcm_bytes += len(sound.pcm)
        self.seconds += sound.seconds

    def finish(self) -> None:
        """Write the right length into the header, where the file can be wound back."""
        if self._start is None or self.rate_hz is None:
            return
        end = self._out.tell()
        self._out.seek(self._start)
        self._out.write(wav_header(rate_hz=self.rate_hz, channels=self._channels, pcm_bytes=self._pcm_bytes))
        self._out.seek(end)

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self.written += len(data)


class Mp3Sink:
    """Writes MP3, encoded here."""

    def __init__(self, out: IO[bytes]) -> None:
        """Write to `out`; the encoder is opened with the first piece."""
        self._out = out
        self._container: Any = None
        self._stream: Any = None
        self._channels = 0
        self.rate_hz: int | None = None
        self.seconds = 0.0
        self.written = 0

    def add(self, sound: Sound) -> None:
        """Encode a piece.

        Raises:
            MissingDependencyError: The encoder is not installed.
            ResponseFormatError: It has another rate than the pieces before it.
        """
        try:
            import av
            import numpy as np
        except ImportError as error:
            raise MissingDependencyError("Writing MP3", extra="audio") from error
        if self.rate_hz is None:
            self.rate_hz, self._channels = sound.rate_hz, sound.channels
            self._container = av.open(_OneWay(self), mode="w", format="mp3")
            self._stream = self._container.add_stream("libmp3lame", rate=sound.rate_hz)
            self._stream.layout = "mono" if sound.channels == 1 else "stereo"
        _check_same(self.rate_hz, self._channels, sound)
        samples = np.frombuffer(sound.pcm, np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=self._stream.layout.name)
        frame.sample_rate = sound.rate_hz
        for packet in self._stream.encode(frame):
            self._container.mux(packet)
        self.seconds += sound.seconds

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._container is not None:
            for packet in self._stream.encode(None):
                self._container.mux(packet)
            self._container.close()


class _OneWay:
    """A file that can only be written on, as the encoder sees it: so it leaves no head to be mended afterwards."""

    def __init__(self, sink: Mp3Sink) -> None:
        self._sink = sink

    def write(self, data: bytes) -> int:
        self._sink._out.write(bytes(data))
        self._sink.written += len(data)
        return len(data)


def _check_same(rate_hz: int, channels: int, sound: Sound) -> None:
    if (sound.rate_hz, sound.channels) != (rate_hz, channels):
        raise ResponseFormatError("The pieces of the sound differ in rate or channels.")
