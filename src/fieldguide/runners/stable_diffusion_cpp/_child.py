"""stable-diffusion.cpp's part of the child process: loads weights once and makes pictures.

Of a job it tells every `step`, then each `picture` with its bytes, and at last that it is `done`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


def load(order: dict[str, Any]) -> tuple[dict[str, Any], Callable[..., None]]:
    """Return nothing to be said of the engine, and what makes pictures."""
    try:
        from stable_diffusion_cpp import StableDiffusion
    except Exception as error:  # its library may also be missing a part that the system has to have
        raise ImportError(str(error)) from error
    engine = StableDiffusion(**order["load"], verbose=True)

    def answer(job: dict[str, Any], tell: Callable[..., None]) -> None:
        def step(number: int, steps: int, _: float) -> None:
            tell({"event": "step", "step": number, "steps": steps})

        for each in engine.generate_image(**job["draw"], progress_callback=step):
            buffer = io.BytesIO()
            each.save(buffer, format=job["format"])
            tell({"event": "picture"}, buffer.getvalue())
        tell({"event": "done"})

    return {}, answer
