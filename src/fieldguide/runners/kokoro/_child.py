"""Kokoro's part of the child process: loads it with its voices and says sentences. See `_voice_process.py`."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from typing import Any

_LANGUAGES = {
    "a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "j": "ja", "p": "pt-br", "z": "cmn",
}  # fmt: skip
"""By the first letter of a voice's name, as espeak-ng calls them (VOICES.md of hexgrad/Kokoro-82M)."""
_OF_EAST_ASIA = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def load(order: dict[str, Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Return the voices that a file holds, and what says a sentence."""
    import numpy as np
    from kokoro_onnx import Kokoro
    from kokoro_onnx.config import SAMPLE_RATE

    with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
        kokoro = Kokoro(order["model"], _voices(order["voices"], folder))
        voices = {name: kokoro.voices[name] for name in kokoro.voices}

    def answer(job: dict[str, Any], tell: Callable[..., None]) -> None:
        voice = job["voice"] or order["voice"] or min(voices)
        language = order["language"] or _language(voice, job["text"])
        samples, rate_hz = kokoro.create(job["text"], voice=voices[voice], speed=job["speed"], lang=language)
        tell({"rate_hz": rate_hz}, (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes())

    return {"rate_hz": SAMPLE_RATE, "voices": sorted(voices)}, answer


def _voices(path: str, folder: str) -> str:
    """Return a file of voices in NumPy's format; the hub's single voices are bare numbers and are put into one."""
    import numpy as np

    with open(path, "rb") as file:  # noqa: PTH123
        packed = file.read(4) == b"PK\x03\x04"
    if packed:
        return path
    name = os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122
    made = os.path.join(folder, "voices.npz")  # noqa: PTH118
    voices: dict[str, Any] = {name: np.fromfile(path, dtype=np.float32).reshape(-1, 1, 256)}
    np.savez(made, **voices)
    return made


def _language(voice: str, text: str) -> str:
    """Return a voice's own language; one of East Asia reads a text without a character of its script as English."""
    own = _LANGUAGES.get(voice[:1], "en-us")
    return "en-us" if own in {"ja", "cmn"} and not _OF_EAST_ASIA.search(text) else own
