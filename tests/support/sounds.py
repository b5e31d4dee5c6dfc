"""Sounds that people give by mistake or from odd places: noise, chords, videos, cut and misnamed files."""

from __future__ import annotations

import math
import random
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any


def written(path: Path, at: Callable[[float], float], *, seconds: float, rate_hz: int, channels: int = 1) -> Path:
    """Write a WAV file of what `at` gives for each moment (-1 to 1), the same in all channels."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        values = (round(20_000 * max(-1.0, min(1.0, at(n / rate_hz)))) for n in range(round(seconds * rate_hz)))
        file.writeframes(b"".join(struct.pack("<h", value) * channels for value in values))
    return path


def noise(path: Path, *, seconds: float = 3, rate_hz: int = 96_000, channels: int = 2) -> Path:
    """Write white noise, the same every time."""
    rng = random.Random(5)
    return written(path, lambda _: rng.uniform(-0.3, 0.3), seconds=seconds, rate_hz=rate_hz, channels=channels)


def chords(path: Path, *, seconds: float = 4, rate_hz: int = 44_100) -> Path:
    """Write four chords of three notes with overtones, each struck and dying away."""
    notes = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))

    def at(time_s: float) -> float:
        struck = time_s % 1.0
        chord = notes[int(time_s) % 4]
        tones = (math.sin(2 * math.pi * hz * n * time_s) / n for hz in chord for n in (1, 2, 3))
        return 0.15 * math.exp(-3 * struck) * sum(tones)

    return written(path, at, seconds=seconds, rate_hz=rate_hz)


def video_with(sound: Path, path: Path) -> Path:
    """Write an MP4 video, grey pictures, with a WAV file's sound as its track."""
    import av
    import numpy as np

    container: Any = av.open(str(path), "w")
    pictures = container.add_stream("mpeg4", rate=5)
    pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
    with av.open(str(sound)) as heard:
        track = container.add_stream("aac", rate=heard.streams.audio[0].rate)
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), format="rgb24")
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for piece in heard.decode(audio=0):
            piece.pts = None
            container.mux(track.encode(piece))
        container.mux(track.encode(None))
    container.close()
    return path
