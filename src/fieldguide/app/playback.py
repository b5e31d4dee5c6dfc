"""Playing a sound file with what the system has for it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from fieldguide.errors import UnsupportedError

_PLAYERS = {"pw-play": (), "paplay": (), "aplay": ("-q",)}


async def play(sound: Path) -> None:
    """Play a WAV file to its end.

    Raises:
        UnsupportedError: There is no program that plays, or nothing to play on.
    """
    found = next(((name, path) for name in _PLAYERS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise _unable("there is none of " + ", ".join(_PLAYERS))
    name, path = found
    process = await asyncio.create_subprocess_exec(
        path, *_PLAYERS[name], str(sound), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise _unable(f"{name} says: {lines[-1] if lines else 'nothing'}")


def _unable(reason: str) -> UnsupportedError:
    return UnsupportedError(
        "This machine", f"playing sound ({reason})", hint="Install alsa-utils, or read the answers: --voice-out DIR."
    )
