"""Write recordings down: of any length, kept through an interruption, with times."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from fieldguide.app.heard_so_far import HeardSoFar
from fieldguide.app.references import ModelOptions, OpenedModel, open_model
from fieldguide.app.wiring import House
from fieldguide.catalogue.whisper import whisper_size
from fieldguide.domain import (
    Audio,
    Heard,
    JsonValue,
    Segment,
    SpokenLanguage,
    TranscriptionRequest,
    content_sha256,
)
from fieldguide.errors import InputFileError, UnsupportedError
from fieldguide.evaluation import Stop
from fieldguide.runners import ListeningOrder, ListeningRunner, TranscriptionRunner

DEFAULT_MODEL = "faster-whisper:base"
_POLL_S = 0.2

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How recordings are to be written down."""

    language: str | None = None
    translate: bool = False
    """Whether to write English, whatever is spoken."""
    segments: bool = True
    """Whether times are wanted, which not every provider's model has."""
    words: bool = False
    skip_silence: bool = True
    prompt: str | None = None


@dataclass(kw_only=True)
class Transcript:
    """What one recording holds."""

    file: str
    model: str
    reference: str
    language: str | None = None
    language_probability: float | None = None
    """None where the language was given, or nobody speaks."""
    duration_s: float | None = None
    """Of the part that was worked through, if it is not complete."""
    segments: list[Segment] = field(default_factory=list)
    speech: list[tuple[float, float]] | None = None
    """Spans in which anyone speaks (seconds); None where that was not looked for."""
    whole_text: str | None = None
    """The text as a provider gives it; else the segments are the text."""
    complete: bool = False
    damaged_frames: int = 0
    resumed_at_s: float | None = None
    """Where an earlier, interrupted run was taken up."""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The text without times."""
        return self.whole_text if self.whole_text is not None else "".join(s.text for s in self.segments).strip()

    def take(self, event: Heard) -> None:
        """Add what was heard."""
        if isinstance(event, Segment):
            self.segments.append(event)
        elif isinstance(event, SpokenLanguage):
            self.language, self.language_probability = event.code, event.probability
        else:
            self.duration_s = event.until_s
            self.complete, self.damaged_frames = event.last, event.damaged_frames
            if event.speech is not None:
                self.speech = [*(self.speech or []), *event.speech]


def reference_of(name: str | None) -> str:
    """Return the reference that a user's name of a model stands for.

    Sizes of Whisper, and folders that hold a model, may go without the name of their runner.
    """
    if name is None:
        return DEFAULT_MODEL
    if (Path(name).expanduser() / "model.bin").is_file():
        return f"faster-whisper:{name}"
    size = whisper_size(name) or whisper_size(f"whisper-{name}")
    return name if size is None else f"faster-whisper:{size}"


async def transcribe(
    house: House,
    reference: str,
    files: Sequence[Path] | AsyncIterator[Path],
    wish: Wish,
    options: ModelOptions,
    *,
    stop: Stop,
    told: Callable[[Transcript], None],
) -> AsyncIterator[Transcript | InputFileError]:
    """Yield a transcript of each file, or why there is none; after a stop, what was heard until then.

    Files may also come one by one, as somebody speaks them.

    Raises:
        InputFileError: A file is missing or empty; of a list, looked at before any model is opened.
        FieldguideError: The model cannot be opened or does not do this.
    """
    for file in files if isinstance(files, Sequence) else ():
        _check(file)
    opened = await open_model(house, reference, options)
    try:
        _check_able(opened, wish)
        async for file in _one_by_one(files):
            if stop.requested:
                return
            try:
                _check(file)
                yield await _one(house, opened, file, wish, stop, told)
            except InputFileError as error:
                yield error
    finally:
        await opened.runner.close()


async def _one_by_one(files: Sequence[Path] | AsyncIterator[Path]) -> AsyncIterator[Path]:
    if isinstance(files, Sequence):
        for file in files:
            yield file
    else:
        async for file in files:
            yield file


def _check(file: Path) -> None:
    try:
        if file.is_dir():
            raise InputFileError(str(file), "is a folder.", hint="Name the recordings in it.")
        if file.stat().st_size == 0:
            raise InputFileError(str(file), "is empty.", hint="Give a recording.")
    except OSError as error:
        raise InputFileError(
            str(file), f"cannot be read: {error.strerror}.", hint="Check the name of the file."
        ) from error


def _check_able(opened: OpenedModel, wish: Wish) -> None:
    runner = opened.runner
    if not (runner.capabilities.speech_to_text and isinstance(runner, TranscriptionRunner)):
        hint = "Leave --model out for Whisper base on this machine, or name another, such as openai:whisper-1."
        raise UnsupportedError(runner.model.name, "writing speech down", hint=hint)
    if isinstance(runner, ListeningRunner):
        return
    for wanted, what in ((wish.translate, "translating speech"), (wish.words, "times of words")):
        if wanted:
            raise UnsupportedError(
                runner.model.name, f"{what} here", hint="Whisper on this machine does: leave --model out."
            )


async def _one(
    house: House, opened: OpenedModel, file: Path, wish: Wish, stop: Stop, told: Callable[[Transcript], None]
) -> Transcript:
    model = opened.runner.model
    transcript = Transcript(file=str(file), model=model.name, reference=model.reference, language=wish.language)
    started = time.monotonic()
    if isinstance(opened.runner, ListeningRunner):
        key = await asyncio.to_thread(_key, file, model.model_key, wish)
        await _listen(opened.runner, file, wish, transcript, HeardSoFar(house.settings.home, key), stop, told)
    else:
        await _asked(opened, file, wish, transcript)
    transcript.seconds = time.monotonic() - started
    return transcript


async def _listen(
    runner: ListeningRunner,
    file: Path,
    wish: Wish,
    transcript: Transcript,
    kept: HeardSoFar,
    stop: Stop,
    told: Callable[[Transcript], None],
) -> None:
    for event in kept.read():
        transcript.take(event)
    transcript.resumed_at_s = transcript.duration_s
    order = ListeningOrder(
        path=file,
        language=transcript.language,
        translate=wish.translate,
        words=wish.words,
        skip_silence=wish.skip_silence,
        prompt=wish.prompt,
        start_s=transcript.duration_s or 0.0,
    )
    async with aclosing(runner.listen(order)) as events:  # type: ignore[type-var]
        async for event in _until(events, stop):
            transcript.take(event)
            kept.add(event)
            told(transcript)
    if transcript.complete:
        kept.forget()
    elif transcript.segments and transcript.duration_s is not None:
        transcript.duration_s = max(transcript.duration_s, transcript.segments[-1].end_s)
    elif transcript.segments:
        transcript.duration_s = transcript.segments[-1].end_s


async def _until(events: AsyncIterator[T], stop: Stop) -> AsyncIterator[T]:
    """Yield until the end, or until a stop is asked for, which is noticed at once."""
    while True:
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({coming}, timeout=_POLL_S))[0]:
                if stop.requested:
                    return
        finally:
            if not coming.done():
                coming.cancel()
                await asyncio.wait({coming})
        event = coming.result()
        if event is None:
            return
        yield event


async def _asked(opened: OpenedModel, file: Path, wish: Wish, transcript: Transcript) -> None:
    """Have a provider write a whole file down."""
    runner = opened.runner
    assert isinstance(runner, TranscriptionRunner)
    data = await asyncio.to_thread(file.read_bytes)
    result = await runner.transcribe(
        TranscriptionRequest(audio=Audio(data=data), language=wish.language, prompt=wish.prompt, segments=wish.segments)
    )
    transcript.whole_text = result.text.strip()
    transcript.language = result.language or wish.language
    transcript.duration_s = result.duration_s
    transcript.segments = [
        Segment(
            start_s=_number(each.get("start")) or 0.0,
            end_s=_number(each.get("end")) or 0.0,
            text=str(each.get("text", "")),
            avg_logprob=_number(each.get("avg_logprob")),
            no_speech_probability=_number(each.get("no_speech_prob")),
        )
        for each in result.segments
    ]
    transcript.complete = True


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _key(file: Path, model_key: str, wish: Wish) -> str:
    """Return what an interrupted run is found by: the recording's content, the model, and how it was asked."""
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    asked: list[JsonValue] = [wish.language, wish.translate, wish.words, wish.skip_silence, wish.prompt]
    return content_sha256({"recording": sha256, "model": model_key, "asked": asked})


def until_s(transcript: Transcript) -> float | None:
    """Return the time up to which something is known."""
    if transcript.segments:
        return max(transcript.segments[-1].end_s, transcript.duration_s or 0.0)
    return transcript.duration_s
