"""The child process: loads one voice and says one sentence after another.

Run as a file (`python -I _child.py`). The first line on stdin says what to load, each further line holds a sentence,
which is answered by a line of JSON and the samples that it announces.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

EXIT_NOT_LOADED = 3
EXIT_NO_ENGINE = 4
_PR_SET_PDEATHSIG = 1


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
        from piper import PiperVoice, SynthesisConfig
    except ImportError as error:
        print(f"cannot import piper: {error}", file=sys.stderr)
        sys.exit(EXIT_NO_ENGINE)
    try:
        voice = PiperVoice.load(order["model"])
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_NOT_LOADED)
    speakers = voice.config.speaker_id_map
    _tell(control, {"rate_hz": voice.config.sample_rate, "voices": list(speakers)}, b"")
    for line in sys.stdin:
        job = json.loads(line)
        speaker = None if job["voice"] is None else speakers[job["voice"]]
        config = SynthesisConfig(speaker_id=speaker, length_scale=voice.config.length_scale / job["speed"])
        try:
            pcm = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(job["text"], config))
            _tell(control, {"rate_hz": voice.config.sample_rate}, pcm)
        except Exception as error:
            _tell(control, {"error": str(error)}, b"")


def _tell(control: Any, head: dict[str, Any], pcm: bytes) -> None:
    control.write(json.dumps({**head, "bytes": len(pcm)}).encode() + b"\n" + pcm)
    control.flush()


if __name__ == "__main__":
    main()
