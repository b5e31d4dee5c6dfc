"""One child process that serves one model file: started under deadlines, watched, and ended."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import MissingDependencyError, ModelLoadError
from fieldguide.runners.llama_cpp._child import EXIT_NO_ENGINE
from fieldguide.runners.llama_cpp._last_words import load_failure

_CHILD = Path(__file__).with_name("_child.py")
_PASSED_ON = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES")
_SPIN_COUNT = "1000"
"""Turns a thread waits before it sleeps, some 60 microseconds. The default of 300,000 makes one more busy process on
the machine slow generation many times over; see docs/decisions/embedded-llama-cpp.md."""
_TEMPLATE_STAGE = b"load_model: initializing"
_TEMPLATE_DEADLINE_S = 10.0
_STOP_S = 3.0
_MOST_LINES = 400
_MOST_LINE_BYTES = 2_000
_LONGEST_FOLDER = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What the engine is started with."""

    model_path: Path
    alias: str
    """Model name in the engine's answers, in place of the path."""
    threads: int
    slots: int
    """Requests that are generated at the same time."""
    context_tokens: int
    """Tokens that each slot holds, prompt plus completion."""
    repack: bool
    """Whether weights may be laid out anew for the processor, which makes answers depend on what else is in flight."""
    load_deadline_s: float
    data_limit_bytes: int
    """Most private memory of the child; 0 sets no limit."""
    import_path: str
    """Folder that holds the engine's package."""
    mmproj_path: Path | None = None
    """Projector with which it looks at pictures."""
    image_max_tokens: int = -1
    """Most tokens of one picture, of models whose pictures take tokens by their size; -1 leaves it to the file."""


class EngineProcess:
    """The running child. `start` returns it ready; `stop` ends it; the end may also come by itself."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        """See `start`."""
        self._process = process
        self._folder = folder
        self.socket = folder / "s.sock"  # the engine takes a name that ends in .sock for a UNIX socket
        self._lines: collections.deque[bytes] = collections.deque(maxlen=_MOST_LINES)
        self._at_template = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())
        self.exited = asyncio.create_task(process.wait())

    @classmethod
    async def start(cls, config: EngineConfig) -> EngineProcess:
        """Return the child once it serves the model, on a socket that only this user can reach.

        Raises:
            ModelLoadError: The engine refused the file, died of it, or did not finish in time.
            MissingDependencyError: The engine's package is there and cannot be imported.
        """
        folder = _private_folder()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(_CHILD),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=_environment(),
                cwd="/",
                start_new_session=True,  # no Ctrl-C from the terminal, and a scheduling group of its own
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        engine = cls(process, folder)
        try:
            engine._order(config)
            await engine._until_ready(config)
        except BaseException:
            engine.kill()
            await engine.stop()
            raise
        return engine

    @property
    def pid(self) -> int:
        """Process id of the child, which leads its own session and process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child has not been seen to end."""
        return not self.exited.done()

    async def how_it_ended(self, *, patience_s: float = 1.0) -> str | None:
        """Return how the child ended (`by signal SIGSEGV`, `with status 1`), or None if it still runs."""
        await asyncio.wait([self.exited], timeout=patience_s)
        if not self.exited.done():
            return None
        code = self.exited.result()
        return f"with status {code}" if code >= 0 else f"by signal {_signal_name(-code)}"

    def kill(self) -> None:
        """Send SIGKILL to the child's process group, without waiting."""
        self._signal(signal.SIGKILL)

    async def stop(self) -> None:
        """End the child, by force after 3 s, and free its pipes; twice does no harm."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._signal(signal.SIGTERM)
            await asyncio.wait([self.exited], timeout=_STOP_S)
        finally:
            self.kill()
            shutil.rmtree(self._folder, ignore_errors=True)
        await asyncio.shield(self.exited)
        await self._listening

    def _signal(self, number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _order(self, config: EngineConfig) -> None:
        order = {
            "parent": os.getpid(),
            "model": str(config.model_path),
            "alias": config.alias,
            "socket": str(self.socket),
            "folder": str(self._folder),
            "threads": config.threads,
            "slots": config.slots,
            "context_tokens": config.context_tokens,
            "repack": config.repack,
            "data_limit_bytes": config.data_limit_bytes,
            "import_path": config.import_path,
            "mmproj": None if config.mmproj_path is None else str(config.mmproj_path),
            "image_max_tokens": config.image_max_tokens,
        }
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")

    async def _listen(self) -> None:
        """Keep the last lines that the child writes, so that a failure can be explained."""
        assert self._process.stderr is not None
        rest = b""
        while piece := await self._process.stderr.read(65_536):
            *lines, rest = (rest + piece).split(b"\n")
            rest = rest[-_MOST_LINE_BYTES:]
            self._lines.extend(line[:_MOST_LINE_BYTES] for line in lines)
            if any(_TEMPLATE_STAGE in line for line in lines):
                self._at_template.set()
        self._lines.append(rest)

    async def _until_ready(self, config: EngineConfig) -> None:
        loading, at_template = asyncio.create_task(self._ready()), asyncio.create_task(self._at_template.wait())
        try:
            async with asyncio.timeout(config.load_deadline_s):
                await asyncio.wait([loading, at_template], return_when=asyncio.FIRST_COMPLETED)
                await asyncio.wait([loading], timeout=_TEMPLATE_DEADLINE_S)
            if not loading.done():
                raise ModelLoadError(
                    f"{config.model_path.name}: its chat template did not finish within {_TEMPLATE_DEADLINE_S:.0f} s.",
                    hint="The file is broken or hostile; take it from another publisher.",
                )
            if not loading.result():
                raise await self._refusal(config)
        except TimeoutError as error:
            raise ModelLoadError(
                f"{config.model_path.name} was not loaded within {config.load_deadline_s:.0f} s.",
                hint="Is the disk very slow, or the file too large for this machine's memory?",
            ) from error
        finally:
            loading.cancel()
            at_template.cancel()
            await asyncio.wait([loading, at_template])

    async def _ready(self) -> bool:
        """Return whether the child said that it is ready; False where it ended instead."""
        assert self._process.stdout is not None
        return await self._process.stdout.readline() == b"ready\n"

    async def _refusal(self, config: EngineConfig) -> ModelLoadError | MissingDependencyError:
        """Return why the child ended while loading."""
        self.kill()
        code = await self.exited
        await self._listening
        if code == EXIT_NO_ENGINE:
            return MissingDependencyError("Running GGUF files", extra="llama-cpp")
        lines = [line.decode("utf-8", "replace") for line in self._lines]
        killed_by = _signal_name(-code) if code < 0 else None
        reason = load_failure(lines, killed_by=killed_by, at_template=self._at_template.is_set())
        return ModelLoadError(
            f"{config.model_path.name}: {reason}",
            hint="Fetch the file again; if it fails again, take it from another publisher.",
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def _environment() -> dict[str, str]:
    """Return the child's environment: no keys, and only what a GPU engine needs of ours."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | {"LANG": "C.UTF-8", "GGML_NO_BACKTRACE": "1", "GOMP_SPINCOUNT": _SPIN_COUNT}


def _private_folder() -> Path:
    """Return a new folder (mode 0700) whose path leaves room for a socket name (107 bytes in all)."""
    usual = tempfile.gettempdir()
    folder = usual if len(os.fsencode(usual)) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108 (mkdtemp makes it private)
    return Path(tempfile.mkdtemp(prefix="fieldguide-", dir=folder))
