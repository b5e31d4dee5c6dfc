"""Kokoro: what a name means, what is refused, and real speech that is heard again."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.domain import Audio, SpeechRequest, TranscriptionRequest
from fieldguide.errors import InputFileError, ModelLoadError, SettingsError, UnknownNameError, UsageError
from fieldguide.runners import TranscriptionRunner, sound_of
from fieldguide.runners.faster_whisper import open_runner as open_whisper
from fieldguide.runners.kokoro import open_runner
from tests.support.embedded import settings
from tests.support.kokoro import kokoro_weights
from tests.support.whisper import whisper_base

SAID = "The quick brown fox jumps over the lazy dog. It was a bright cold day in April, and the clocks were striking."


async def test_names_and_files_that_are_none_are_told(tmp_path: Path) -> None:
    """A voice has a form of name; weights of one's own need voices beside them; both must be what they say."""
    pytest.importorskip("kokoro_onnx", reason="the extra `kokoro` is not installed")
    with pytest.raises(UnknownNameError, match="voice of Kokoro"):
        await open_runner("bob", settings(tmp_path))
    with pytest.raises(SettingsError):
        await open_runner("jf_alpha,language=../x", settings(tmp_path))
    with pytest.raises(InputFileError, match="is not there"):
        await open_runner(str(tmp_path / "k.onnx"), settings(tmp_path))
    (tmp_path / "k.onnx").write_bytes(b"no graph")
    with pytest.raises(InputFileError, match="has no voices"):
        await open_runner(str(tmp_path / "k.onnx"), settings(tmp_path))
    (tmp_path / "voices.npz").write_bytes(b"no voices")
    with pytest.raises(ModelLoadError, match=r"Kokoro will not load k\.onnx"):
        await open_runner(str(tmp_path / "k.onnx"), settings(tmp_path))


@pytest.mark.model
@pytest.mark.timeout(600)
async def test_what_it_says_is_heard_again(tmp_path: Path) -> None:
    """Whisper base writes down what Kokoro says, with at most one word in seven wrong; sentences come one by one."""
    from fieldguide.scoring import word_errors

    runner = await open_runner(f"{kokoro_weights()},language=en-us", settings(tmp_path, deadline_s=400.0))
    try:
        sounds = [sound async for sound in runner.read_aloud(SpeechRequest(text=SAID, voice="jf_alpha"))]
        whole = await runner.speak(SpeechRequest(text=SAID, voice="jf_alpha"))
        with pytest.raises(UsageError, match="jf_alpha"):
            try:
                await runner.speak(SpeechRequest(text="Hi.", voice="af_nobody"))
            except UsageError as error:
                raise UsageError(str(error.hint)) from error
        with pytest.raises(UsageError, match=r"0\.5 to 2 times"):
            await runner.speak(SpeechRequest(text="Hi.", speed=3.0))
    finally:
        await runner.close()
    assert [sound.rate_hz for sound in sounds] == [24_000, 24_000]
    assert 3 < sound_of(whole.audio.data or b"").seconds < 12
    whisper = await open_whisper(str(whisper_base()), settings(tmp_path, deadline_s=400.0))
    try:
        assert isinstance(whisper, TranscriptionRunner)
        heard = await whisper.transcribe(TranscriptionRequest(audio=Audio(data=whole.audio.data), language="en"))
    finally:
        await whisper.close()
    found = word_errors(SAID, heard.text)
    assert found.rate is not None
    assert found.rate <= 1 / 7
