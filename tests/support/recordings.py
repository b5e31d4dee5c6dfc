"""Recordings with transcripts for tests: the sounds are tones, the lists are of the usual kinds."""

from __future__ import annotations

import json
import math
import struct
import wave
from collections.abc import Mapping
from pathlib import Path


def tone(path: Path, *, seconds: float = 0.2, rate_hz: int = 16_000, hz: float = 440.0) -> Path:
    """Write a WAV file with a tone; other pitches are other bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        samples = (round(8000 * math.sin(2 * math.pi * hz * n / rate_hz)) for n in range(round(seconds * rate_hz)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return path


def spoken_folder(folder: Path, said: Mapping[str, str]) -> Path:
    """Write a recording for each name and a list of them in JSON Lines; return the folder of benchmark data."""
    rows = []
    for number, (name, text) in enumerate(said.items()):
        tone(folder / "speech" / "set" / f"{name}.wav", hz=200.0 + 10 * number)
        rows.append(json.dumps({"audio": f"{name}.wav", "text": text}))
    (folder / "speech" / "set" / "transcripts.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
