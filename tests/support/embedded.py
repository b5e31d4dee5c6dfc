"""Opens the embedded engine on a file, and looks at its child process from outside."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fieldguide.runners import RunnerSettings
from fieldguide.runners.llama_cpp import open_runner
from fieldguide.runners.llama_cpp._runner import LlamaCppRunner


def no_session() -> object:
    """Stand in for the shared HTTP session, which this runner has no use for."""
    raise AssertionError("the embedded runner asked for the network session")


def settings(
    home: Path,
    *,
    deadline_s: float = 60.0,
    idle_timeout_s: float = 30.0,
    concurrency: int | None = None,
    **options: str,
) -> RunnerSettings:
    """Return settings that need no measurement unless the options say otherwise."""
    return RunnerSettings(
        home=home,
        session=no_session,  # type: ignore[arg-type]
        deadline_s=deadline_s,
        idle_timeout_s=idle_timeout_s,
        concurrency=concurrency,
        options={"threads": "1", "slots": "2"} | options,
    )


@contextlib.asynccontextmanager
async def opened(path: Path, with_settings: RunnerSettings) -> AsyncIterator[LlamaCppRunner]:
    """Open the file and close it again; skips where the engine is not installed."""
    pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
    runner = await open_runner(str(path), with_settings)
    try:
        yield runner
    finally:
        await runner.close()


def children() -> set[int]:
    """Return the engine processes that this process has started and that still run."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            if not entry.name.isdigit() or b"llama_cpp/_child.py" not in (entry / "cmdline").read_bytes():
                continue
            parent = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            if parent == os.getpid():
                found.add(int(entry.name))
    return found


def the_child() -> int:
    """Return the one engine process of this process."""
    (pid,) = children()
    return pid
