"""The child process: loads weights once and makes pictures until stdin ends.

Run as a file (`python -I _child.py`). The first line on stdin says what to load, each further line is a job. It is
answered by lines of JSON: `step`s, and at last the pictures' sizes with their bytes, or an error.
"""

from __future__ import annotations

import ctypes
import io
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
        from stable_diffusion_cpp import StableDiffusion
    except Exception as error:  # Its library may also be missing a part that the system has to have.
        print(f"cannot import stable_diffusion_cpp: {error}", file=sys.stderr)
        sys.exit(EXIT_NO_ENGINE)
    try:
        engine = StableDiffusion(**order["load"], verbose=True)
    except Exception as error:
        print(error, file=sys.stderr)
        sys.exit(EXIT_NOT_LOADED)
    _tell(control, {"event": "ready"})
    for line in sys.stdin:
        _work(control, engine, json.loads(line))


def _work(control: Any, engine: Any, job: dict[str, Any]) -> None:
    def step(number: int, steps: int, _: float) -> None:
        _tell(control, {"event": "step", "step": number, "steps": steps})

    try:
        made = engine.generate_image(**job["draw"], progress_callback=step)
        pictures = []
        for each in made:
            buffer = io.BytesIO()
            each.save(buffer, format=job["format"])
            pictures.append(buffer.getvalue())
    except Exception as error:
        _tell(control, {"event": "failed", "error": str(error) or type(error).__name__})
        return
    _tell(control, {"event": "made", "bytes": [len(data) for data in pictures]}, b"".join(pictures))


def _tell(control: Any, head: dict[str, Any], body: bytes = b"") -> None:
    control.write(json.dumps(head).encode() + b"\n" + body)
    control.flush()


if __name__ == "__main__":
    main()
