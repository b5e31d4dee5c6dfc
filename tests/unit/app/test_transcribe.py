"""Writing recordings down: providers, interruptions, and what goes on after them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app import transcribe as module
from fieldguide.app.references import ModelOptions, OpenedModel
from fieldguide.app.transcribe import Transcript, Wish, reference_of, transcribe
from fieldguide.app.wiring import open_house
from fieldguide.domain import (
    Capabilities,
    Heard,
    JsonValue,
    Reached,
    ResolvedModel,
    Segment,
    SpokenLanguage,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.errors import InputFileError, MissingDependencyError, UnsupportedError
from fieldguide.evaluation import Stop
from fieldguide.runners import ListeningOrder
from fieldguide.runners.faster_whisper import _process

HEARS = Capabilities(text=False, chat=False, speech_to_text=True)
MODEL = ResolvedModel(name="m", reference="p:m", identity={"a": 1})


@dataclass
class Provider:
    """Answers with one segment."""

    model: ResolvedModel = MODEL
    capabilities: Capabilities = HEARS
    asked: list[TranscriptionRequest] = field(default_factory=list)

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        self.asked.append(request)
        segment: dict[str, JsonValue] = {"start": 0, "end": 1.5, "text": " Hello.", "avg_logprob": -0.1}
        return TranscriptionResult(text=" Hello.", segments=(segment,) if request.segments else ())

    async def close(self) -> None:
        pass


@dataclass
class Listener(Provider):
    """Tells what it is given, and then waits as if it were still listening."""

    events: list[Heard] = field(default_factory=list)
    orders: list[ListeningOrder] = field(default_factory=list)

    async def listen(self, order: ListeningOrder) -> AsyncIterator[Heard]:
        self.orders.append(order)
        for event in self.events:
            yield event
        if not (isinstance(self.events[-1], Reached) and self.events[-1].last):
            await asyncio.sleep(3600)


def answers_with(monkeypatch: pytest.MonkeyPatch, runner: Provider) -> None:
    """Put a runner where a reference would be resolved."""

    async def opened(*_: Any) -> OpenedModel:
        return OpenedModel(runner=runner, provider="p", licence=None, took=None)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "open_model", opened)


async def written(tmp_path: Path, wish: Wish, *, stop_after: int | None = None) -> Transcript | InputFileError:
    """Have one recording written down, and a stop asked for after some events."""
    file = tmp_path / "a.wav"
    file.write_bytes(b"sound")
    stop, events = Stop(), 0

    def told(_: Transcript) -> None:
        nonlocal events
        events += 1
        if events == stop_after:
            stop.request()

    house = open_house({"home": str(tmp_path / "home")}, environment={})
    found = [each async for each in transcribe(house, "p:m", [file], wish, ModelOptions(), stop=stop, told=told)]
    (only,) = found
    return only


async def test_a_provider_is_sent_the_bytes_and_unknown_stays_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its segments come as ours; what it does not say is None."""
    runner = Provider()
    answers_with(monkeypatch, runner)
    found = await written(tmp_path, Wish())
    assert isinstance(found, Transcript)
    assert runner.asked[0].audio.data == b"sound"
    assert (found.text, found.complete) == ("Hello.", True)
    assert (found.language, found.duration_s, found.speech) == (None, None, None)
    assert found.segments[0].confidence == pytest.approx(0.905, abs=1e-3)
    assert found.segments[0].no_speech_probability is None


@pytest.mark.parametrize("wish", [Wish(translate=True), Wish(words=True)])
async def test_what_a_provider_is_not_asked_here_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: Wish
) -> None:
    """Translation and times of words are never silently left out."""
    answers_with(monkeypatch, Provider())
    with pytest.raises(UnsupportedError):
        await written(tmp_path, wish)


async def test_a_model_that_does_not_hear_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint names models that do."""
    answers_with(monkeypatch, Provider(capabilities=Capabilities(text=True, chat=True)))
    with pytest.raises(UnsupportedError) as caught:
        await written(tmp_path, Wish())
    assert "Whisper base" in str(caught.value.hint)


async def test_a_stop_keeps_what_was_heard_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All segments are shown at once; the next run starts at the end of the last finished window, with its language."""
    first = Segment(start_s=0.0, end_s=2.0, text=" One.")
    second = Segment(start_s=181.0, end_s=182.0, text=" Two.")
    begun: list[Heard] = [SpokenLanguage(code="de", probability=0.8), first, Reached(until_s=180.0, speech=()), second]
    answers_with(monkeypatch, Listener(events=begun))
    stopped = await asyncio.wait_for(written(tmp_path, Wish(), stop_after=4), 10)
    assert isinstance(stopped, Transcript)
    assert (stopped.text, stopped.complete, stopped.duration_s) == ("One. Two.", False, 182.0)

    runner = Listener(events=[second, Reached(until_s=200.0, speech=(), last=True)])
    answers_with(monkeypatch, runner)
    finished = await written(tmp_path, Wish())
    assert isinstance(finished, Transcript)
    assert (runner.orders[0].start_s, runner.orders[0].language) == (180.0, "de")
    assert (finished.text, finished.complete, finished.resumed_at_s) == ("One. Two.", True, 180.0)
    assert list((tmp_path / "home" / "transcripts").iterdir()) == []


def test_sizes_and_folders_go_without_their_runner(tmp_path: Path) -> None:
    """`base`, `whisper-small` and a folder with a model are what people type; a provider's name stays."""
    (tmp_path / "model.bin").write_bytes(b"x")
    assert reference_of(None) == reference_of("base") == "faster-whisper:base"
    assert reference_of("whisper-small") == "faster-whisper:small"
    assert reference_of(str(tmp_path)) == f"faster-whisper:{tmp_path}"
    assert reference_of("openai:whisper-1") == "openai:whisper-1"


def test_without_the_engine_the_command_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing extra is told with how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingDependencyError) as caught:
        _process.engine_folder()
    assert "fieldguide[audio]" in str(caught.value.hint)
