"""`fieldguide transcribe` on what people give by mistake, or from odd places."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from fieldguide.scoring import word_errors
from tests.support.program import fieldguide as run
from tests.support.shared import shared
from tests.support.sounds import chords, noise, video_with
from tests.support.whisper import whisper_base

SAID = "At that high level the air is pure"


@pytest.mark.model
@pytest.mark.timeout(900)
async def test_odd_files_are_heard_or_told(tmp_path: Path) -> None:
    """No word for noise and chords; a video's track, a wrong ending and a cut file are heard; what is none is told."""
    pytest.importorskip("av", reason="the extra `audio` is not installed")
    speech = shared("benchmarks", "speech", "speechbrain", "spk1_snt3.wav")
    picture = tmp_path / "picture.wav"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    cut = tmp_path / "cut.wav"
    cut.write_bytes(speech.read_bytes()[: speech.stat().st_size * 3 // 4])
    files = {
        "noise": noise(tmp_path / "noise.wav"),
        "chords": chords(tmp_path / "chords.wav"),
        "video": video_with(speech, tmp_path / "video.mp4"),
        "misnamed": Path(shutil.copy(speech, tmp_path / "speech.mp3")),
        "cut": cut,
        "picture": picture,
    }
    ran = await run(
        "transcribe", *files.values(), "--model", whisper_base(), "--language", "en", "--json", within_s=800
    )
    found = dict(zip(files, ran.json["results"], strict=True))
    assert ran.code == 2
    assert found["noise"]["text"] == found["chords"]["text"] == ""
    for name in ("video", "misnamed"):
        assert word_errors(SAID, found[name]["text"]).errors <= 1, name
    assert "high level" in found["cut"]["text"].lower()
    assert found["picture"]["error"]["type"] == "InputFileError"
    assert "no sound can be decoded" in found["picture"]["error"]["message"]


@pytest.mark.model
@pytest.mark.timeout(900)
async def test_every_format_is_what_it_says(tmp_path: Path) -> None:
    """SubRip and WebVTT have cues with times that rise; JSON has the same text; translating is taken."""
    speech = shared("benchmarks", "speech", "speechbrain", "spk1_snt3.wav")
    model = whisper_base()
    outputs = {}
    for form in ("srt", "vtt", "json"):
        more = ("--translate",) if form == "json" else ()
        ran = await run(
            "transcribe", speech, "--model", model, "--language", "en", "--format", form, *more, within_s=280
        )
        assert ran.code == 0
        outputs[form] = ran.out
    assert re.match(r"1\n00:00:0\d,\d{3} --> 00:00:0\d,\d{3}\n\S", outputs["srt"])
    assert re.match(r"WEBVTT\n\n00:00:0\d\.\d{3} --> 00:00:0\d\.\d{3}\n\S", outputs["vtt"])
    assert "air is pure" in json.loads(outputs["json"])["text"].lower()


async def test_a_folder_and_a_model_of_text_are_told(tmp_path: Path) -> None:
    """A folder is none; who answers in words and does not hear is named, with one that does."""
    ran = await run("transcribe", tmp_path)
    assert ran.code == 2
    assert "is a folder" in ran.err
    speech = noise(tmp_path / "noise.wav", seconds=0.1, rate_hz=16_000, channels=1)
    ran = await run("transcribe", speech, "--model", f"recorded:{_answers(tmp_path)}")
    assert ran.code == 2
    assert "does not support writing speech down" in ran.err
    assert "Whisper base" in ran.err


def _answers(folder: Path) -> Path:
    path = folder / "answers.jsonl"
    path.write_text('{"item": "x", "attempt": 0, "completion": "y"}\n')
    return path


@pytest.mark.parametrize(("below", "told"), [("a.txt", "is no folder"), ("a.txt/b", "cannot be made")])
async def test_a_folder_that_cannot_be_made_is_told_before_anything_is_heard(
    below: str, told: str, tmp_path: Path
) -> None:
    """What took an hour would be lost."""
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "talk.wav").write_bytes(b"RIFF")
    ran = await run("transcribe", tmp_path / "talk.wav", "--out", tmp_path / below, "--model", "/nowhere/model")
    assert ran.code == 2
    assert told in ran.err
    assert "next:" in ran.err
