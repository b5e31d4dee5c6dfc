"""Stands in for the engine's part of the child process: ten windows of ten seconds, each heard in a moment.

Where it was told to begin is added to a file beside the recording.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def load(order: dict[str, Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Load nothing."""
    return {"languages": ["en"], "compute_type": "float32"}, answer


def answer(job: dict[str, Any], tell: Callable[..., None]) -> None:
    """Tell window after window."""
    with Path(f"{job['path']}.begun").open("a", encoding="utf-8") as begun:
        begun.write(f"{job['start_s']}\n")
    for window in range(round(job["start_s"] / 10), 10):
        time.sleep(0.3)
        segment = {
            "event": "segment",
            "start_s": 10.0 * window,
            "end_s": 10.0 * window + 9,
            "text": f" Window {window}.",
            "avg_logprob": -0.1,
            "no_speech_probability": 0.0,
            "words": [],
        }
        reached = {"until_s": 10.0 * (window + 1), "speech": None, "last": window == 9, "damaged_frames": 0}
        tell(segment)
        tell({"event": "reached", **reached})
