"""Stands in for the engine's part of the child process: says what the file that it is given tells it to."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from typing import Any


def load(order: dict[str, Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Load nothing."""
    return {"languages": ["en", "de"], "compute_type": "float32"}, answer


def answer(job: dict[str, Any], tell: Callable[..., None]) -> None:
    """Tell the events that stand in the recording; `die` and `hang` are done."""
    if job["language"] not in (None, "en", "de"):
        tell({"event": "wrong_language"})
        return
    with open(job["path"], encoding="utf-8") as script:  # noqa: PTH123
        for event in script:
            if event == "die\n":
                os.kill(os.getpid(), signal.SIGSEGV)
            elif event == "hang\n":
                time.sleep(60)
            else:
                tell(json.loads(event))
