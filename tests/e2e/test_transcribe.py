"""`fieldguide transcribe` with the real model, and the mistakes that people make."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

import pytest

from fieldguide.scoring import word_error_rate, word_errors
from tests.support.program import fieldguide as run
from tests.support.shared import shared
from tests.support.whisper import whisper_base

JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country"


def wav(path: Path, *, seconds: float, rate_hz: int = 16_000, channels: int = 1, tone_hz: float = 0.0) -> Path:
    """Write a tone, or silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        samples = (round(8000 * math.sin(2 * math.pi * tone_hz * n / rate_hz)) for n in range(round(seconds * rate_hz)))
        file.writeframes(b"".join(struct.pack("<h", sample) * channels for sample in samples))
    return path


@pytest.mark.model
async def test_a_speech_is_written_down_with_times() -> None:
    """Kennedy's sentence comes out word for word, with a language and times of words."""
    model = whisper_base()
    ran = await run(
        "transcribe", shared("benchmarks", "speech", "jfk.wav"), "--model", model, "--timestamps", "word", "--json"
    )
    (result,) = ran.json["results"]
    assert ran.code == 0
    assert word_errors(JFK, result["text"]).errors == 0
    assert (result["language"], result["complete"]) == ("en", True)
    words = [word for segment in result["segments"] for word in segment["words"]]
    assert len(words) == 22
    assert all(0 <= word["start_s"] <= word["end_s"] <= 11 for word in words)
    assert result["speech"]


@pytest.mark.model
async def test_the_visible_utterances_are_heard_with_few_errors() -> None:
    """At most 8 % of the words of the nine read sentences are wrong."""
    import json

    model, root = whisper_base(), shared("benchmarks", "speech")
    lists = [root / "librivox", root / "speechbrain"]
    said = {
        str(folder / row["audio"]): row["text"]
        for folder in lists
        for row in map(json.loads, (folder / "transcripts.jsonl").read_text().splitlines())
    }
    ran = await run("transcribe", *said, "--model", model, "--language", "en", "--json")
    rate = word_error_rate((said[each["file"]], each["text"]) for each in ran.json["results"])
    assert rate is not None
    assert rate <= 0.08


@pytest.mark.model
async def test_silence_and_a_tone_have_no_words(tmp_path: Path) -> None:
    """Nothing is invented where nobody speaks, at any rate and with two channels; a very short file is no mistake."""
    files = [
        wav(tmp_path / "silence.wav", seconds=3),
        wav(tmp_path / "tone.wav", seconds=3, rate_hz=8_000, channels=2, tone_hz=440),
        wav(tmp_path / "short.wav", seconds=0.01),
    ]
    ran = await run("transcribe", *files, "--model", whisper_base(), "--json")
    assert ran.code == 0
    assert [(each["text"], each["segments"]) for each in ran.json["results"]] == [("", [])] * 3


@pytest.mark.model
async def test_one_bad_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    """The good one is written down, the bad one named, and the exit code says that there was one."""
    bad = tmp_path / "notes.wav"
    bad.write_text("not a recording")
    good = wav(tmp_path / "good.wav", seconds=1)
    ran = await run("transcribe", bad, good, "--model", whisper_base(), "--json")
    first, second = ran.json["results"]
    assert ran.code == 2
    assert first["error"]["type"] == "InputFileError"
    assert second["complete"] is True


@pytest.mark.model
async def test_an_unknown_language_is_told(tmp_path: Path) -> None:
    """The known ones are listed."""
    ran = await run(
        "transcribe", wav(tmp_path / "a.wav", seconds=1), "--model", whisper_base(), "--language", "klingon"
    )
    assert ran.code == 2
    assert "klingon" in ran.err
    assert "en, " in ran.err


@pytest.mark.parametrize("content", [b"", None])
async def test_an_empty_or_missing_file_is_told_before_anything_is_fetched(
    tmp_path: Path, content: bytes | None
) -> None:
    """No model is needed to say that there is nothing to hear."""
    path = tmp_path / "a.wav"
    if content is not None:
        path.write_bytes(content)
    ran = await run("transcribe", path)
    assert (ran.code, ran.out) == (2, "")
    assert "a.wav" in ran.err


async def test_neither_file_nor_microphone_is_wrong_use() -> None:
    """The next step is an example."""
    ran = await run("transcribe")
    assert ran.code == 2
    assert "fieldguide transcribe talk.mp3" in ran.err


async def test_a_size_that_does_not_exist_is_told_with_the_known_ones(tmp_path: Path) -> None:
    """A misspelt size meets the nearest one."""
    ran = await run("transcribe", wav(tmp_path / "a.wav", seconds=1), "--model", "faster-whisper:smal")
    assert ran.code == 2
    assert "small" in ran.err
