"""A voice of Piper in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from fieldguide.errors import MissingDependencyError, ModelLoadError, RunnerError, RunnerTimeoutError, UsageError
from fieldguide.runners._pcm import Sound
from fieldguide.runners.piper._child import EXIT_NO_ENGINE

_CHILD = Path(__file__).with_name("_child.py")
_LOAD_DEADLINE_S = 120.0


class PiperVoice:
    """The running child; `start` returns it ready."""

    def __init__(self, process: asyncio.subprocess.Process, deadline_s: float) -> None:
        """See `start`."""
        self._process, self._deadline_s = process, deadline_s
        self._turn = asyncio.Lock()
        self.speakers: dict[str, int] = {}

    @classmethod
    async def start(cls, model: Path, *, import_path: str, deadline_s: float) -> PiperVoice:
        """Return the voice once it is loaded.

        Raises:
            ModelLoadError: The engine will not load it.
            MissingDependencyError: The engine cannot be imported.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            str(_CHILD),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"LANG": "C.UTF-8"},
            cwd=model.parent,
            start_new_session=True,
        )
        voice = cls(process, _LOAD_DEADLINE_S)
        try:
            head, _ = await voice._asked(parent=os.getpid(), model=str(model), import_path=import_path)
        except RunnerError as error:
            await voice.close()
            if process.returncode == EXIT_NO_ENGINE:
                raise MissingDependencyError("Piper's voices", extra="piper") from error
            raise ModelLoadError(
                f"{model.name}: Piper will not load it.",
                hint="A voice is two files, NAME.onnx and NAME.onnx.json; fetch both again.",
            ) from error
        except BaseException:
            await voice.close()
            raise
        voice.speakers = dict(head["speakers"])
        voice._deadline_s = deadline_s
        return voice

    async def say(self, sentence: str, *, voice: str | None, speed: float) -> Sound:
        """Return the sound of a sentence; `voice` is one of the speakers, where there are several."""
        speaker = None
        if voice is not None:
            if voice not in self.speakers:
                known = ", ".join(self.speakers) or "it has but one"
                raise UsageError(f"This voice has no speaker {voice!r}.", hint=f"Speakers: {known}.")
            speaker = self.speakers[voice]
        async with self._turn:
            head, pcm = await self._asked(text=sentence, speaker=speaker, speed=speed)
        if "error" in head:
            raise RunnerError(f"Piper failed: {head['error']}")
        return Sound(pcm=pcm, rate_hz=head["rate_hz"])

    async def close(self) -> None:
        """End the child; twice does no harm."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        await asyncio.shield(self._process.wait())

    async def _asked(self, **job: Any) -> tuple[dict[str, Any], bytes]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(self._deadline_s):
                self._process.stdin.write(json.dumps(job).encode() + b"\n")
                await self._process.stdin.drain()
                head: dict[str, Any] = json.loads(await self._process.stdout.readline() or b"null") or {}
                pcm = await self._process.stdout.readexactly(head["bytes"])
        except TimeoutError as error:
            await self.close()
            raise RunnerTimeoutError(f"Piper took longer than {self._deadline_s:.0f} s for a sentence.") from error
        except (KeyError, ConnectionError, asyncio.IncompleteReadError) as error:
            await self._process.wait()
            raise RunnerError(f"Piper ended by itself (status {self._process.returncode}).") from error
        return head, pcm
