"""A Whisper model on this machine, as a runner."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from fieldguide.domain import (
    Capabilities,
    Heard,
    JsonValue,
    Latency,
    Reached,
    ResolvedModel,
    Segment,
    SpokenLanguage,
    TranscriptionRequest,
    TranscriptionResult,
    Word,
)
from fieldguide.errors import InputFileError, UnsupportedError, UsageError
from fieldguide.runners._listening import ListeningOrder
from fieldguide.runners._speech_alone import SpeechAlone
from fieldguide.runners.faster_whisper._process import EngineOptions, EngineProcess

PROVIDER = "faster-whisper"


class FasterWhisperRunner(SpeechAlone):
    """Writes recordings down, one at a time, in a child process that starts again after it died."""

    _does = "It writes speech down: `fieldguide transcribe FILE`."

    def __init__(
        self, engine: EngineProcess, options: EngineOptions, *, model: ResolvedModel, longest_silence_s: float
    ) -> None:
        """Take an engine that has loaded its model."""
        super().__init__(
            model,
            Capabilities(text=False, chat=False, streaming=False, stop=False, speech_to_text=True, max_concurrency=1),
        )
        self._engine, self._options = engine, options
        self._longest_silence_s = longest_silence_s
        self._turn = asyncio.Lock()

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        """Return what is said; see `TranscriptionRunner`. `extra` may say `vad_filter: false`."""
        started = time.monotonic()
        audio = request.audio
        if audio.data is None:
            raise UnsupportedError(self._model.name, "sound that is not given by its bytes")
        extra = request.extra.get(PROVIDER, {})
        with tempfile.NamedTemporaryFile(prefix="fieldguide-") as file:
            await asyncio.to_thread(_write, file, audio.data)
            order = ListeningOrder(
                path=Path(file.name),
                language=request.language,
                translate=request.translate or extra.get("task") == "translate",
                words=request.words,
                skip_silence=extra.get("vad_filter") is not False,
                prompt=request.prompt,
                temperature=request.temperature,
            )
            try:
                heard = [event async for event in self.listen(order)]
            except InputFileError as error:
                raise InputFileError("the recording", error.message.partition(": ")[2], hint=error.hint) from error
        return _result(heard, segments=request.segments, e2e_latency_s=time.monotonic() - started)

    async def listen(self, order: ListeningOrder) -> AsyncIterator[Heard]:
        """Yield what is heard; see `ListeningRunner`."""
        async with self._turn:
            ended = False
            events = self._engine.ask(self._job(order), longest_silence_s=self._longest_silence_s)
            try:
                async with contextlib.aclosing(events):  # type: ignore[type-var]
                    async for event in events:
                        heard = self._heard(event, order)
                        ended = isinstance(heard, Reached) and heard.last
                        yield heard
            except (InputFileError, UsageError):
                ended = True
                raise
            finally:
                if not ended:  # it would go on with what nobody waits for
                    await self._engine.stop()

    async def close(self) -> None:
        """End the child."""
        await self._engine.stop()

    def _job(self, order: ListeningOrder) -> dict[str, Any]:
        return {
            "path": str(order.path.resolve()),
            "language": order.language,
            "translate": order.translate,
            "words": order.words,
            "skip_silence": order.skip_silence and self._options.skip_silence,
            "prompt": order.prompt,
            "temperature": order.temperature,
            "start_s": order.start_s,
        }

    def _heard(self, event: dict[str, Any], order: ListeningOrder) -> Heard:
        event = dict(event)
        kind = event.pop("event")
        if kind == "segment":
            words = tuple(Word(**word) for word in event.pop("words"))
            return Segment(**event, words=words)
        if kind == "language":
            return SpokenLanguage(**event)
        if kind == "reached":
            speech = event.pop("speech")
            spans = None if speech is None else tuple((start_s, end_s) for start_s, end_s in speech)
            return Reached(**event, speech=spans)
        if kind == "wrong_language":
            known = ", ".join(sorted(self._engine.languages))
            raise UsageError(
                f"{self._model.name} does not know the language {order.language!r}.",
                hint=f"Leave it out to have it recognised, or give one of these: {known}.",
            )
        raise InputFileError(
            str(order.path),
            f"no sound can be decoded from it: {event['message']}.",
            hint="Give a recording: WAV, MP3, FLAC, Ogg, M4A, or a video with sound.",
        )


def _write(file: Any, data: bytes) -> None:
    file.write(data)
    file.flush()


def _result(heard: list[Heard], *, segments: bool, e2e_latency_s: float) -> TranscriptionResult:
    said = [each for each in heard if isinstance(each, Segment)]
    language = next((each.code for each in heard if isinstance(each, SpokenLanguage)), None)
    reached = [each.until_s for each in heard if isinstance(each, Reached)]
    return TranscriptionResult(
        text="".join(each.text for each in said).strip(),
        language=language,
        duration_s=reached[-1] if reached else None,
        segments=tuple(_as_openai(index, each) for index, each in enumerate(said)) if segments else (),
        words=tuple(_word_as_openai(word) for each in said for word in each.words),
        latency=Latency(e2e_latency_s=e2e_latency_s),
    )


def _word_as_openai(word: Word) -> Mapping[str, JsonValue]:
    return {"word": word.text.strip(), "start": word.start_s, "end": word.end_s}


def _as_openai(index: int, segment: Segment) -> Mapping[str, JsonValue]:
    """Return a segment under the names that OpenAI's verbose form gives."""
    return {
        "id": index,
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text,
        "avg_logprob": segment.avg_logprob,
        "no_speech_prob": segment.no_speech_probability,
    }
