"""Recording from a microphone with what the system has for it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from fieldguide.errors import UnsupportedError

_RECORDERS = {
    "pw-record": ("--rate", "16000", "--channels", "1"),
    "parecord": ("--rate=16000", "--channels=1", "--file-format=wav"),
    "arecord": ("-q", "-t", "wav", "-f", "S16_LE", "-r", "16000", "-c", "1"),
}
_STOP_S = 3.0


async def record(target: Path, *, seconds: float, until: Awaitable[object] | None = None) -> None:
    """Write what the default microphone hears in the next seconds, or until something ends, to a WAV file.

    Raises:
        UnsupportedError: There is no program that records, or no microphone.
    """
    found = next(((name, path) for name in _RECORDERS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise _unable("there is none of " + ", ".join(_RECORDERS))
    name, path = found
    process = await asyncio.create_subprocess_exec(
        path, *_RECORDERS[name], str(target), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    saying = asyncio.ensure_future(process.communicate())
    ending: set[asyncio.Future[Any]] = {saying} if until is None else {saying, asyncio.ensure_future(until)}
    try:
        await asyncio.wait(ending, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if saying.done():
            lines = saying.result()[1].decode("utf-8", "replace").strip().splitlines()
            raise _unable(f"{name} says: {lines[-1] if lines else 'nothing'}")
        process.terminate()  # All of them write the WAV header anew when they are asked to end.
        await asyncio.wait_for(asyncio.shield(saying), _STOP_S)
    except TimeoutError as error:
        raise _unable(f"{name} does not end") from error
    finally:
        for task in ending - {saying}:
            task.cancel()
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not target.is_file() or target.stat().st_size <= 44:
        raise _unable(f"{name} recorded nothing")


def _unable(reason: str) -> UnsupportedError:
    return UnsupportedError(
        "This machine",
        f"recording from a microphone ({reason})",
        hint="Install alsa-utils or connect a microphone, or give a recording as FILE.",
    )
