"""Names of speech models: what they mean, what a pull would bring, and how they are run."""

from __future__ import annotations

import pytest

from fieldguide.app.speech_models import coming_json, how_to_run, is_speech
from fieldguide.app.transcribe import reference_of
from fieldguide.catalogue.whisper import whisper_size


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("whisper-base", "base"),
        ("whisper-large-v3", "large-v3"),
        ("whisper-base,compute_type=int8,vad=off", "base,compute_type=int8,vad=off"),
        ("base", None),
        ("whisper-huge", None),
        ("qwen2.5-0.5b-instruct", None),
    ],
)
def test_a_name_of_whisper_is_a_size(name: str, size: str | None) -> None:
    """With its options after a comma; a bare size is one for `transcribe` alone."""
    assert whisper_size(name) == size


def test_transcribe_takes_a_size_without_the_name() -> None:
    """`base`, `whisper-base` and variants of both; another reference stays what it is."""
    assert reference_of(None) == "faster-whisper:base"
    assert reference_of("base,vad=off") == "faster-whisper:base,vad=off"
    assert reference_of("whisper-small") == "faster-whisper:small"
    assert reference_of("openai:whisper-1") == "openai:whisper-1"


@pytest.mark.parametrize("name", ["whisper-base", "faster-whisper:small", "faster-whisper:owner/model", "kokoro-82m"])
def test_speech_models_are_known_from_others(name: str) -> None:
    """A pull says what would come, with sizes where packages pin them."""
    assert is_speech(name)
    coming = coming_json(name)
    assert coming["kind"] == "speech"
    assert (coming["files"] is not None) == (name in {"whisper-base", "kokoro-82m"})


@pytest.mark.parametrize("name", ["base", "smollm2-135m-instruct", "hf:owner/model", "faster-whisper:/a"])
def test_others_are_none(name: str) -> None:
    """A bare size alone could be anything, and a folder is here already."""
    assert not is_speech(name)


def test_the_page_says_how_it_is_run() -> None:
    """Whisper by transcribing and measuring, Kokoro by speaking, others by nothing of this kind."""
    assert how_to_run("whisper")[0] == "fieldguide transcribe FILE --model base"
    assert "evaluate whisper-small" in how_to_run("openai/whisper-small")[1]
    assert how_to_run("kokoro-82m")[0].startswith("fieldguide speak")
    assert how_to_run("qwen2.5") == ()
