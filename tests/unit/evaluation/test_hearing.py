"""Recordings in an exam: read when they are asked, and given to whoever listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.asr import Asr
from fieldguide.domain import (
    Audio,
    Capabilities,
    CompletionRequest,
    Exam,
    Outcome,
    Text,
    TranscriptionRequest,
    TranscriptionResult,
)
from fieldguide.errors import FieldguideError, RunnerError, UnsupportedError
from fieldguide.evaluation import Budget, RetryPolicy, RunOptions, RunResult, Stop, run_exam
from fieldguide.runners import Runner
from fieldguide.store import Store
from fieldguide.testing import FakeRunner
from tests.support.exams import SumsScorer, sums
from tests.support.recordings import spoken_folder

SAID = {"one": "the child", "two": "a thin stripe", "three": "what joy there is"}


class FakeListener(FakeRunner):
    """Writes down what it is told to for each recording; it does not converse."""

    def __init__(self, heard: dict[bytes, str | FieldguideError], *, name: str = "ear", server: bool = False) -> None:
        can = Capabilities(text=False, chat=server, audio=server, speech_to_text=True)
        super().__init__("no", name=name, capabilities=can)
        self.heard, self.asked = heard, list[TranscriptionRequest]()

    async def transcribe(self, request: TranscriptionRequest) -> TranscriptionResult:
        self.asked.append(request)
        found = self.heard[request.audio.data or b""]
        if isinstance(found, FieldguideError):
            raise found
        return TranscriptionResult(text=found, language="en", duration_s=0.2)


async def take(exam: Exam, runner: Runner, folder: Path) -> RunResult:
    store = Store(folder / "records.sqlite")
    scorer = SumsScorer() if exam.benchmark == "sums" else Asr().scorer("fieldguide")
    try:
        return await run_exam(
            exam,
            runner,
            scorer,
            store,
            options=RunOptions(retry=RetryPolicy(tries=1, first_wait_s=0)),
            budget=Budget(None),
            locks=folder / "locks",
            stop=Stop(),
            environment={},
        )
    finally:
        store.close()


def heard_by(folder: Path, **other: str | FieldguideError) -> dict[bytes, str | FieldguideError]:
    return {
        (folder / "speech" / "set" / f"{name}.wav").read_bytes(): other.get(name, text) for name, text in SAID.items()
    }


async def test_a_model_of_speech_alone_takes_the_exam(tmp_path: Path) -> None:
    """It gets bytes, language and temperature; its words are judged; a recording that failed is no wrong answer."""
    exam = Asr().exam(ExamRequest(data_dir=spoken_folder(tmp_path, SAID)))
    runner = FakeListener(heard_by(tmp_path, two="a thin strip", three=RunnerError("it died")))
    result = await take(exam, runner, tmp_path)
    outcomes = {score.item: score.score for score in result.scores}
    assert outcomes["set/one"].outcome is Outcome.CORRECT
    assert outcomes["set/two"].outcome is Outcome.WRONG
    assert outcomes["set/two"].counted is not None
    assert (outcomes["set/two"].counted.errors, outcomes["set/two"].counted.parts) == (1, 3)
    assert outcomes["set/three"].outcome is Outcome.FAILED
    assert outcomes["set/three"].counted is None
    assert {(each.language, each.temperature) for each in runner.asked} == {("en", 0.0)}


async def test_what_was_counted_is_kept(tmp_path: Path) -> None:
    """A second run asks nothing and reads the same counts from the records."""
    exam = Asr().exam(ExamRequest(data_dir=spoken_folder(tmp_path, SAID)))
    runner = FakeListener(heard_by(tmp_path, two="strips"))
    first = await take(exam, runner, tmp_path)
    again = await take(exam, runner, tmp_path)
    assert len(runner.asked) == 3
    assert again.scores == first.scores


async def test_a_model_that_converses_and_hears_is_asked_with_the_sound(tmp_path: Path) -> None:
    """The question goes with it, as bytes."""
    exam = Asr().exam(ExamRequest(data_dir=spoken_folder(tmp_path, SAID), limit=1))
    asked: list[CompletionRequest] = []

    def answer(request: CompletionRequest) -> str:
        asked.append(request)
        return exam.items[0].target

    result = await take(
        exam, FakeRunner(answer, capabilities=Capabilities(text=False, chat=True, audio=True)), tmp_path
    )
    assert [score.score.outcome for score in result.scores] == [Outcome.CORRECT]
    (question, sound) = (asked[0].messages or ())[0].blocks
    assert isinstance(question, Text)
    assert "word for word" in question.text
    assert isinstance(sound, Audio)
    assert sound.data is not None
    assert sound.data[:4] == b"RIFF"


async def test_a_model_of_text_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """And so is a model of speech that is to answer questions."""
    exam = Asr().exam(ExamRequest(data_dir=spoken_folder(tmp_path, SAID)))
    text = FakeRunner("x")
    with pytest.raises(UnsupportedError, match="listening, which asr consists of"):
        await take(exam, text, tmp_path)
    assert not text.requests
    with pytest.raises(UnsupportedError, match="answering in words, which sums consists of"):
        await take(sums(2), FakeListener({}), tmp_path)


async def test_a_recording_that_is_gone_fails_and_the_others_go_on(tmp_path: Path) -> None:
    """The item has failed; nothing is judged wrong for it."""
    exam = Asr().exam(ExamRequest(data_dir=spoken_folder(tmp_path, SAID)))
    heard = heard_by(tmp_path)
    (tmp_path / "speech" / "set" / "two.wav").unlink()
    result = await take(exam, FakeListener(heard), tmp_path)
    outcomes = {score.item: score.score.outcome for score in result.scores}
    assert outcomes == {"set/one": Outcome.CORRECT, "set/two": Outcome.FAILED, "set/three": Outcome.CORRECT}


@pytest.mark.parametrize(
    ("name", "writes"), [("whisper-1", True), ("gpt-4o-transcribe", True), ("gpt-4o-audio", False)]
)
async def test_a_server_of_both_kinds_is_asked_by_the_name_of_its_model(
    name: str, writes: bool, tmp_path: Path
) -> None:
    """A model that only writes down gets the recording as such; one that converses is asked about it."""
    exam = Asr().exam(ExamRequest(data_dir=spoken_folder(tmp_path, SAID), limit=1))
    runner = FakeListener(heard_by(tmp_path), name=name, server=True)
    await take(exam, runner, tmp_path)
    assert (len(runner.asked), len(runner.requests)) == ((1, 0) if writes else (0, 1))
