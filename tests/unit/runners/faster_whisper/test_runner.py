"""The runner over a child that does as it is told: what comes of crashes, silence and wrong input."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import (
    Audio,
    CompletionRequest,
    Heard,
    Message,
    Reached,
    ResolvedModel,
    Segment,
    SpokenLanguage,
    TranscriptionRequest,
)
from fieldguide.errors import InputFileError, RunnerError, RunnerTimeoutError, UnsupportedError, UsageError
from fieldguide.runners import ListeningOrder
from fieldguide.runners.faster_whisper import _process
from fieldguide.runners.faster_whisper._process import EngineOptions, EngineProcess
from fieldguide.runners.faster_whisper._runner import FasterWhisperRunner

LANGUAGE = {"event": "language", "code": "en", "probability": 0.9}
SEGMENT = {
    "event": "segment",
    "start_s": 0.0,
    "end_s": 1.5,
    "text": " Hello.",
    "avg_logprob": -0.2,
    "no_speech_probability": 0.01,
    "words": [],
}
END = {"event": "reached", "until_s": 2.0, "speech": [[0.0, 1.6]], "last": True, "damaged_frames": 0}


@pytest.fixture
async def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[FasterWhisperRunner]:
    """A runner whose child is the double."""
    monkeypatch.setattr(_process, "_PART", Path(__file__).parents[3] / "support" / "fake_whisper.py")
    monkeypatch.setattr(_process, "engine_folder", lambda: "/nowhere")
    options = EngineOptions(folder=tmp_path, threads=1)
    engine = await EngineProcess.start(options)
    model = ResolvedModel(name="whisper-x", reference="faster-whisper:x")
    made = FasterWhisperRunner(engine, options, model=model, longest_silence_s=5.0)
    yield made
    await made.close()


def script(folder: Path, *events: dict[str, Any] | str) -> Path:
    """Write what the child is to say."""
    path = folder / "recording"
    path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in events))
    return path


async def heard(runner: FasterWhisperRunner, order: ListeningOrder) -> list[Heard]:
    """Return all that the runner tells."""
    return [event async for event in runner.listen(order)]


async def test_events_come_as_values_in_their_order(runner: FasterWhisperRunner, tmp_path: Path) -> None:
    """Language, segment and end arrive as the values of the domain."""
    found = await heard(runner, ListeningOrder(path=script(tmp_path, LANGUAGE, SEGMENT, END)))
    assert [type(event) for event in found] == [SpokenLanguage, Segment, Reached]
    assert found[-1] == Reached(until_s=2.0, speech=((0.0, 1.6),), last=True)


async def test_bytes_are_transcribed_under_the_names_of_openai(runner: FasterWhisperRunner) -> None:
    """A request with bytes gets text, language, duration and segments with `start` and `end`."""
    data = "".join(json.dumps(each) + "\n" for each in (LANGUAGE, SEGMENT, END)).encode()
    result = await runner.transcribe(TranscriptionRequest(audio=Audio(data=data), segments=True))
    assert (result.text, result.language, result.duration_s) == ("Hello.", "en", 2.0)
    assert (result.segments[0]["start"], result.segments[0]["end"]) == (0.0, 1.5)


async def test_a_crash_is_an_error_and_the_next_recording_is_heard(runner: FasterWhisperRunner, tmp_path: Path) -> None:
    """A native crash names its signal, keeps what came before it, and leaves a runner that goes on."""
    events = []
    with pytest.raises(RunnerError, match="SIGSEGV"):
        async for event in runner.listen(ListeningOrder(path=script(tmp_path, LANGUAGE, SEGMENT, "die"))):
            events.append(event)
    assert len(events) == 2
    assert len(await heard(runner, ListeningOrder(path=script(tmp_path, END)))) == 1


async def test_a_child_that_hangs_meets_the_deadline(runner: FasterWhisperRunner, tmp_path: Path) -> None:
    """The longest silence is held; the child is ended and a new one serves."""
    runner._longest_silence_s = 0.3
    with pytest.raises(RunnerTimeoutError, match="nothing"):
        await heard(runner, ListeningOrder(path=script(tmp_path, SEGMENT, "hang")))
    runner._longest_silence_s = 5.0
    assert len(await heard(runner, ListeningOrder(path=script(tmp_path, END)))) == 1


async def test_who_leaves_early_leaves_no_work_behind(runner: FasterWhisperRunner, tmp_path: Path) -> None:
    """A listener that stops after the first event gets a clean runner for the next recording."""
    events = runner.listen(ListeningOrder(path=script(tmp_path, SEGMENT, "hang")))
    await anext(events)
    await events.aclose()  # type: ignore[attr-defined]
    assert not runner._engine.alive
    assert len(await heard(runner, ListeningOrder(path=script(tmp_path, END)))) == 1


async def test_an_unknown_language_is_wrong_use_with_the_known_ones(
    runner: FasterWhisperRunner, tmp_path: Path
) -> None:
    """The hint lists what the model knows, and the child lives on."""
    with pytest.raises(UsageError) as caught:
        await heard(runner, ListeningOrder(path=script(tmp_path, END), language="xx"))
    assert "de, en" in str(caught.value.hint)
    assert runner._engine.alive


async def test_what_is_no_sound_is_an_input_error(runner: FasterWhisperRunner, tmp_path: Path) -> None:
    """The file is named and the reason given."""
    path = script(tmp_path, {"event": "not_decoded", "message": "Invalid data"})
    with pytest.raises(InputFileError, match="Invalid data") as caught:
        await heard(runner, ListeningOrder(path=path))
    assert caught.value.path == str(path)


async def test_it_does_not_chat(runner: FasterWhisperRunner) -> None:
    """Asking it for words is refused with what it does instead."""
    request = CompletionRequest(messages=(Message(role="user", content="Hi"),), max_output_tokens=5)
    with pytest.raises(UnsupportedError):
        await runner.complete(request)
    with pytest.raises(UnsupportedError):
        runner.stream(request)
