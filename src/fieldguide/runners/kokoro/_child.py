"""The child process: loads Kokoro with its voices and says one sentence after another.

Run as a file (`python -I _child.py`); what it is told and tells stands in `_voice_process.py`.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import sys
import tempfile
from typing import Any

EXIT_NOT_LOADED = 3
EXIT_NO_ENGINE = 4
_PR_SET_PDEATHSIG = 1
_LANGUAGES = {
    "a": "en-us", "b": "en-gb", "e": "es", "f": "fr-fr", "h": "hi", "i": "it", "j": "ja", "p": "pt-br", "z": "cmn",
}  # fmt: skip
"""By the first letter of a voice's name, as espeak-ng calls them (VOICES.md of hexgrad/Kokoro-82M)."""
_OF_EAST_ASIA = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def main() -> None:
    """Load, then serve until stdin ends."""
    control = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    order: dict[str, Any] = json.loads(sys.stdin.readline())
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != order["parent"]:
        os._exit(0)
    sys.path.append(order["import_path"])
    try:
        import numpy as np
        from kokoro_onnx import Kokoro
        from kokoro_onnx.config import SAMPLE_RATE
    except ImportError as error:
        print(f"cannot import kokoro_onnx: {error}", file=sys.stderr)
        sys.exit(EXIT_NO_ENGINE)
    try:
        with tempfile.TemporaryDirectory(prefix="fieldguide-") as folder:
            kokoro = Kokoro(order["model"], _voices(order["voices"], folder))
            voices = {name: kokoro.voices[name] for name in kokoro.voices}
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_NOT_LOADED)
    _tell(control, {"rate_hz": SAMPLE_RATE, "voices": sorted(voices)}, b"")
    for line in sys.stdin:
        job = json.loads(line)
        voice = job["voice"] or order["voice"] or min(voices)
        try:
            language = order["language"] or _language(voice, job["text"])
            samples, rate_hz = kokoro.create(job["text"], voice=voices[voice], speed=job["speed"], lang=language)
            pcm = (np.clip(samples, -1.0, 1.0) * 32767).astype("<i2").tobytes()
            _tell(control, {"rate_hz": rate_hz}, pcm)
        except Exception as error:
            _tell(control, {"error": str(error)}, b"")


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


def _tell(control: Any, head: dict[str, Any], pcm: bytes) -> None:
    control.write(json.dumps({**head, "bytes": len(pcm)}).encode() + b"\n" + pcm)
    control.flush()


if __name__ == "__main__":
    main()
