"""Piper's engine on a voice that the test makes: real format, no sense."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fieldguide.domain import SpeechRequest
from fieldguide.errors import InputFileError, ModelLoadError, RunnerError, UnknownNameError, UsageError
from fieldguide.runners import sound_of
from fieldguide.runners.piper import open_runner
from tests.support.embedded import settings
from tests.support.tiny_voice import RATE_HZ, SAMPLES_PER_PHONEME, tiny_voice

pytest.importorskip("piper", reason="the extra `piper` is not installed")


async def test_each_sentence_is_a_sound_of_its_own(tmp_path: Path) -> None:
    """Two sentences come as two pieces at the voice's rate, and each phoneme lasts as long as the voice makes it."""
    runner = await open_runner(str(tiny_voice(tmp_path)), settings(tmp_path))
    try:
        sounds = [sound async for sound in runner.read_aloud(SpeechRequest(text="Good day. How are you?"))]
        whole = await runner.speak(SpeechRequest(text="Good day. How are you?"))
    finally:
        await runner.close()
    assert [sound.rate_hz for sound in sounds] == [RATE_HZ, RATE_HZ]
    assert all(sound.pcm and len(sound.pcm) % (2 * SAMPLES_PER_PHONEME) == 0 for sound in sounds)
    assert sound_of(whole.audio.data or b"").pcm == b"".join(sound.pcm for sound in sounds)


async def test_a_speaker_is_chosen_by_name(tmp_path: Path) -> None:
    """Of a voice with several speakers a name that is not there is wrong use, with those that are."""
    runner = await open_runner(str(tiny_voice(tmp_path, speakers=2)), settings(tmp_path))
    try:
        assert (await runner.speak(SpeechRequest(text="Hi.", voice="speaker1"))).audio.data
        with pytest.raises(UsageError) as caught:
            await runner.speak(SpeechRequest(text="Hi.", voice="nobody"))
    finally:
        await runner.close()
    assert "speaker0, speaker1" in str(caught.value.hint)


async def test_a_voice_that_was_left_in_the_middle_speaks_again(tmp_path: Path) -> None:
    """Whoever goes away while a sentence is made ends the process, and the next one gets another; once closed, none."""
    runner = await open_runner(str(tiny_voice(tmp_path)), settings(tmp_path))
    try:
        for _ in range(2):
            left = asyncio.ensure_future(runner.speak(SpeechRequest(text="Good day. " * 200)))
            await asyncio.sleep(0.05)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            assert (await runner.speak(SpeechRequest(text="Good day."))).audio.data
    finally:
        await runner.close()
    with pytest.raises(RunnerError, match="was closed"):
        await runner.speak(SpeechRequest(text="Good day."))


async def test_a_broken_voice_is_told(tmp_path: Path) -> None:
    """A damaged graph ends the child and not the program."""
    path = tiny_voice(tmp_path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ModelLoadError):
        await open_runner(str(path), settings(tmp_path))


async def test_half_a_voice_and_a_wrong_name_are_told(tmp_path: Path) -> None:
    """Without its configuration a voice is none; names have a form."""
    path = tiny_voice(tmp_path)
    Path(f"{path}.json").unlink()
    with pytest.raises(InputFileError, match=r"tiny\.onnx\.json"):
        await open_runner(str(path), settings(tmp_path))
    with pytest.raises(UnknownNameError):
        await open_runner("bob", settings(tmp_path))
