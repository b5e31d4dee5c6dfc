"""Windows of a long recording: nothing lost, nothing twice, cut where it is quiet, taken up again in the middle."""

from __future__ import annotations

import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("faster_whisper", reason="the extra `audio` is not installed")

import numpy as np

from fieldguide.runners.faster_whisper._child import RATE_HZ, _Job, _quietest

QUIET_S = 150


class Ear:
    """Stands in for the model: keeps the sound that it is given, and hears one segment in each."""

    supported_languages = ("en",)

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def transcribe(self, audio: Any, **_: Any) -> Any:
        """Return one segment as long as the sound."""
        self.heard.append(audio)
        segment = SimpleNamespace(
            start=0.0, end=len(audio) / RATE_HZ, text=" x", avg_logprob=-0.1, no_speech_prob=0.0, words=None
        )
        return [segment], SimpleNamespace(language="en", language_probability=0.9)


def recording(folder: Path, *, seconds: int, rate_hz: int = RATE_HZ, channels: int = 1) -> Path:
    """Write noise with a quiet second."""
    noise = np.random.default_rng(1).integers(-8000, 8000, seconds * rate_hz, dtype=np.int16)
    noise[QUIET_S * rate_hz : (QUIET_S + 1) * rate_hz] = 0
    path = folder / "noise.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(noise, channels).tobytes())
    return path


def run(path: Path, **order: Any) -> tuple[Ear, list[dict[str, Any]]]:
    """Return what the ear was given and what was told."""
    ear = Ear()
    told: list[dict[str, Any]] = []
    asked = {"path": str(path), "language": None, "translate": False, "words": False, "skip_silence": False}
    _Job(
        ear,
        {**asked, "prompt": None, "temperature": None, "start_s": 0.0, **order},
        lambda event, **fields: told.append({"event": event, **fields}),
    ).run()
    return ear, told


def test_windows_join_up_to_the_recording_and_are_cut_where_it_is_quiet(tmp_path: Path) -> None:
    """400 s come as windows that follow each other without gap or overlap; the first ends in the quiet second."""
    ear, told = run(recording(tmp_path, seconds=400))
    ends = [event["until_s"] for event in told if event["event"] == "reached"]
    assert QUIET_S < ends[0] < QUIET_S + 1
    assert ends[-1] == pytest.approx(400, abs=0.01)
    assert sum(len(audio) for audio in ear.heard) == pytest.approx(400 * RATE_HZ, abs=16)
    assert max(len(audio) for audio in ear.heard) <= 240 * RATE_HZ
    segments = [event for event in told if event["event"] == "segment"]
    assert [event["start_s"] for event in segments[1:]] == pytest.approx(ends[:-1], abs=0.002)
    assert [event["event"] for event in told].count("language") == 1
    assert [event["last"] for event in told if event["event"] == "reached"] == [False] * (len(ends) - 1) + [True]


def test_going_on_hears_the_rest_and_no_more(tmp_path: Path) -> None:
    """Started at the end of the first window, the same sound follows as in one go."""
    path = recording(tmp_path, seconds=300)
    whole, told = run(path)
    first_end_s = next(event["until_s"] for event in told if event["event"] == "reached")
    rest, _ = run(path, start_s=first_end_s)
    assert np.array_equal(np.concatenate(rest.heard), np.concatenate(whole.heard[1:]))


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (96_000, 2), (44_100, 2)])
def test_any_rate_and_number_of_channels_becomes_one_at_16_khz(tmp_path: Path, rate_hz: int, channels: int) -> None:
    """The length in seconds stays."""
    ear, _ = run(recording(tmp_path, seconds=3, rate_hz=rate_hz, channels=channels))
    assert sum(len(audio) for audio in ear.heard) == pytest.approx(3 * RATE_HZ, rel=0.01)


def test_silence_is_not_heard_at_all(tmp_path: Path) -> None:
    """Where the detector finds no speech the model is not asked, and no language is made up."""
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(bytes(2 * 5 * RATE_HZ))
    ear, told = run(path, skip_silence=True)
    assert ear.heard == []
    assert told == [{"event": "reached", "until_s": 5.0, "speech": [], "last": True, "damaged_frames": 0}]


def test_the_cut_lies_in_the_last_minute() -> None:
    """A quieter place earlier on does not make a short window."""
    audio = np.ones(180 * RATE_HZ, np.float32)
    audio[: RATE_HZ * 10] = 0
    assert _quietest(audio) >= 120 * RATE_HZ


@pytest.mark.parametrize(
    "playlist",
    ["ffconcat version 1.0\nfile {name}\n", "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n{name}\n#EXT-X-ENDLIST\n"],
)
def test_a_file_that_names_another_does_not_have_it_opened(tmp_path: Path, playlist: str) -> None:
    """A playlist under the name of a recording is refused, though what it names is there and could be decoded."""
    other = recording(tmp_path, seconds=3)
    path = tmp_path / "evil.wav"
    path.write_text(playlist.format(name=other.name))
    ear, told = run(path)
    assert ear.heard == []
    assert [event["event"] for event in told] == ["not_decoded"]


def test_a_block_that_would_be_hours_at_its_rate_is_refused(tmp_path: Path) -> None:
    """A block of 128 kB at 1 Hz must not become gigabytes of sound at ours."""
    import av

    path = tmp_path / "bomb.mkv"
    with av.open(str(path), mode="w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=1)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 65_536), np.int16), format="s16", layout="mono")
        frame.sample_rate = 1
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    ear, told = run(path)
    assert ear.heard == []
    assert [event["event"] for event in told] == ["not_decoded"]
    assert "one single frame" in told[0]["message"]
