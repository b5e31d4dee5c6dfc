"""`fieldguide speak`: files, streams, and the mistakes that people make."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import pytest

from fieldguide.scoring import word_errors
from tests.support.program import fieldguide as run
from tests.support.program import start
from tests.support.tiny_voice import tiny_voice
from tests.support.whisper import whisper_base

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng (make setup-system)")


@needs_espeak
async def test_the_fallback_is_named_and_writes_a_right_file(tmp_path: Path) -> None:
    """The file's length is what its header says, and the output says that it is the fallback."""
    out = tmp_path / "a.wav"
    ran = await run("speak", "Hello there. How are you?", "--out", out, "--json")
    assert ran.code == 0
    assert (ran.json["model"], ran.json["fallback"]) == ("espeak-ng", True)
    with wave.open(str(out)) as file:
        frames = file.getnframes()
        assert len(file.readframes(frames)) == 2 * frames
        assert frames / file.getframerate() == pytest.approx(ran.json["duration_s"])
    assert out.stat().st_size == ran.json["bytes"] == 44 + 2 * frames
    assert "fallback" in (await run("speak", "Hello.", "--out", out)).err


@needs_espeak
async def test_sound_is_streamed_to_standard_output() -> None:
    """A stream is a WAV file whose length is not known beforehand."""
    process = await start("speak", "Hello there.", "--out", "-")
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert out[:4] == b"RIFF"
    assert out[40:44] == b"\xff\xff\xff\xff"
    assert len(out) > 10_000


@needs_espeak
async def test_mp3_can_be_decoded(tmp_path: Path) -> None:
    """What the encoder wrote has about the length that was said."""
    av = pytest.importorskip("av", reason="the extra `audio` is not installed")
    out = tmp_path / "a.mp3"
    ran = await run("speak", "Hello there. This is a longer sentence.", "--out", out, "--json")
    with av.open(str(out)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        assert container.streams.audio[0].codec_context.name.startswith("mp3")
    assert samples / ran.json["sample_rate_hz"] == pytest.approx(ran.json["duration_s"], abs=0.2)


@needs_espeak
@pytest.mark.model
async def test_what_is_said_is_heard(tmp_path: Path) -> None:
    """Whisper understands most of what espeak-ng says."""
    text = "The quick brown fox jumps over the lazy dog, and the dog does not mind at all."
    out = tmp_path / "a.wav"
    await run("speak", text, "--out", out)
    ran = await run("transcribe", out, "--model", whisper_base(), "--language", "en", "--json")
    rate = word_errors(text, ran.json["results"][0]["text"]).rate
    assert rate is not None
    assert rate <= 0.3


async def test_a_voice_of_piper_speaks(tmp_path: Path) -> None:
    """The whole way over Piper's engine, which is not called a fallback."""
    pytest.importorskip("piper", reason="the extra `piper` is not installed")
    out = tmp_path / "a.wav"
    ran = await run("speak", "Good day.", "--out", out, "--model", f"piper:{tiny_voice(tmp_path)}", "--json")
    assert ran.code == 0
    assert (ran.json["model"], ran.json["fallback"], ran.json["sample_rate_hz"]) == ("tiny", False, 16_000)


@needs_espeak
async def test_mistakes_leave_no_file(tmp_path: Path) -> None:
    """An unknown voice, an empty text, a folder that is not there, a speed out of range: exit 2 and nothing written."""
    out = tmp_path / "a.wav"
    for mistake in (
        ("speak", "x", "--voice", "qqq", "--out", out),
        ("speak", "x", "--voice", "../etc", "--out", out),
        ("speak", "  ", "--out", out),
        ("speak", "x", "--out", tmp_path / "no" / "a.wav"),
        ("speak", "x", "--speed", "99", "--out", out),
        ("speak", "x", "--json", "--out", "-"),
    ):
        ran = await run(*mistake)
        assert (ran.code, "next:" in ran.err or '"hint"' in ran.out) == (2, True), mistake
    assert list(tmp_path.iterdir()) == []
