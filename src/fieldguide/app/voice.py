"""Speech in, model, speech out: one turn after another, from a microphone or from files, which need none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.app.references import ModelOptions, open_model
from fieldguide.app.speak import Spoken, speak
from fieldguide.app.transcribe import Wish, transcribe
from fieldguide.app.wiring import House
from fieldguide.domain import CompletionRequest, Message, SpeechRequest
from fieldguide.errors import InputFileError, UsageError
from fieldguide.evaluation import Stop
from fieldguide.scoring import strip_reasoning

_SPOKEN = (
    "You are spoken to, and your answers are read aloud. "
    "Answer in one to three short sentences, without lists or markup."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceModels:
    """Who listens, who answers and who speaks."""

    hearing: str
    answering: str
    speaking: str | None = None
    """None takes the fallback, espeak-ng."""
    voice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceTurn:
    """One question and its answer."""

    heard_in: str
    heard: str
    """Empty where nobody speaks: then the model was not asked."""
    answer: str | None
    spoken_to: str | None
    spoken: Spoken | None


async def converse(
    house: House,
    models: VoiceModels,
    recordings: Sequence[Path] | AsyncIterator[Path],
    out: Path,
    options: ModelOptions,
    *,
    stop: Stop,
    told: Callable[[str], None],
    system: str | None = None,
    language: str | None = None,
    max_output_tokens: int = 200,
    temperature: float | None = None,
) -> AsyncIterator[VoiceTurn]:
    """Yield a turn for each recording, in one conversation; answers go to `out/NN.wav`.

    Recordings may come one by one: the next is asked for when the turn before it was taken.

    Raises:
        InputFileError: A recording holds no sound.
        FieldguideError: One of the models cannot be opened or asked.
    """
    messages = [Message(role="system", content=system or _SPOKEN)]
    opened = await open_model(house, models.answering, options)
    try:
        if not opened.runner.capabilities.chat:
            raise UsageError(f"{opened.runner.model.name} does not converse.", hint="Name a model for chat.")
        hearing = transcribe(
            house, models.hearing, recordings, Wish(language=language), options, stop=stop, told=lambda _: None
        )
        number = 0
        async for heard in hearing:
            number += 1
            if isinstance(heard, InputFileError):
                raise heard
            if not heard.text:
                yield VoiceTurn(heard_in=heard.file, heard="", answer=None, spoken_to=None, spoken=None)
                continue
            told(f"heard: {heard.text}")
            messages.append(Message(role="user", content=heard.text))
            completion = await opened.runner.complete(
                CompletionRequest(
                    messages=tuple(messages), max_output_tokens=max_output_tokens, temperature=temperature
                )
            )
            answer = strip_reasoning(completion.text).text
            messages.append(Message(role="assistant", content=answer))
            place, spoken = out / f"{number:02}.wav", None
            if answer:
                spoken = await _spoken(house, models, answer, place, options)
            yield VoiceTurn(
                heard_in=heard.file,
                heard=heard.text,
                answer=answer,
                spoken_to=str(place) if spoken else None,
                spoken=spoken,
            )
    finally:
        await opened.runner.close()


async def _spoken(house: House, models: VoiceModels, answer: str, place: Path, options: ModelOptions) -> Spoken:
    place.parent.mkdir(parents=True, exist_ok=True)
    request = SpeechRequest(text=answer, voice=models.voice)
    with place.open("wb") as file:
        return await speak(house, models.speaking, request, options, form="wav", out=file, told=lambda _: None)
