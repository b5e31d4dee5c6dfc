"""Piper's part of the child process: loads one voice and says sentences. What is told stands in `_voice_process.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def load(order: dict[str, Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Return the voices that a file holds, and what says a sentence."""
    from piper import PiperVoice, SynthesisConfig

    voice = PiperVoice.load(order["model"])
    speakers = voice.config.speaker_id_map

    def answer(job: dict[str, Any], tell: Callable[..., None]) -> None:
        speaker = None if job["voice"] is None else speakers[job["voice"]]
        config = SynthesisConfig(speaker_id=speaker, length_scale=voice.config.length_scale / job["speed"])
        pcm = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(job["text"], config))
        tell({"rate_hz": voice.config.sample_rate}, pcm)

    return {"rate_hz": voice.config.sample_rate, "voices": list(speakers)}, answer
