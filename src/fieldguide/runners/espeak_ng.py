"""espeak-ng, the system's synthesizer: small, quick, in a hundred languages, and plainly a machine."""

from __future__ import annotations

import asyncio
import shutil

from fieldguide.domain import ResolvedModel
from fieldguide.errors import RunnerError, RunnerTimeoutError, UnsupportedError, UsageError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._pcm import Sound, sound_of
from fieldguide.runners._voice import VoiceRunner

PROVIDER = "espeak-ng"
DEFAULT_VOICE = "en"
_USUAL_WORDS_PER_MINUTE = 175

OPTIONS: tuple[str, ...] = ()
"""What `--option` may set."""


async def open_runner(target: str, settings: RunnerSettings) -> VoiceRunner:
    """Return a runner for the voice `target` (`en`, `de`, `en-us+f3`); empty takes English.

    Raises:
        UnsupportedError: The program is not installed.
    """
    path = shutil.which("espeak-ng")
    if path is None:
        raise UnsupportedError(
            "This machine",
            "speech by espeak-ng, which is not installed",
            hint="Install it (Debian: apt-get install espeak-ng), or name a model: --model openai:tts-1.",
        )
    voice = target or DEFAULT_VOICE
    version = (await _run([path, "--version"], b"", deadline_s=10.0)).decode("utf-8", "replace").split("  ")[0].strip()
    model = ResolvedModel(
        name=PROVIDER,
        reference=f"{PROVIDER}:{voice}",
        identity={"provider": PROVIDER, "version": version, "voice": voice},
        facts={"path": path},
    )
    return VoiceRunner(_EspeakNg(path, voice, settings.deadline_s), model=model)


class _EspeakNg:
    """One process for each sentence: it starts in a few milliseconds."""

    def __init__(self, path: str, voice: str, deadline_s: float) -> None:
        self._path, self._voice, self._deadline_s = path, voice, deadline_s

    async def say(self, sentence: str, *, voice: str | None, speed: float) -> Sound:
        chosen = voice or self._voice
        if not chosen.replace("-", "").replace("+", "").replace("_", "").isalnum():
            raise _no_voice(chosen)
        words = round(_USUAL_WORDS_PER_MINUTE * speed)
        command = [self._path, "-v", chosen, "-s", str(words), "-b", "1", "--stdin", "--stdout"]
        return sound_of(await _run(command, sentence.encode(), deadline_s=self._deadline_s))

    async def close(self) -> None:
        pass


async def _run(command: list[str], given: bytes, *, deadline_s: float) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(deadline_s):
            out, said = await process.communicate(given)
    except TimeoutError as error:
        raise RunnerTimeoutError(f"espeak-ng took longer than {deadline_s:.0f} s.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if b"voice does not exist" in said:
        raise _no_voice(command[command.index("-v") + 1])
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        raise RunnerError(f"espeak-ng failed: {lines[-1] if lines else f'status {process.returncode}'}")
    return out


def _no_voice(name: str) -> UsageError:
    return UsageError(
        f"espeak-ng has no voice {name!r}.", hint="`espeak-ng --voices` lists them, such as en-us, de, fr."
    )
