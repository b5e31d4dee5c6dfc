"""The program as a person runs it: a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


async def start(*arguments: str | Path) -> asyncio.subprocess.Process:
    """Start `fieldguide` with the environment of the test."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "fieldguide",
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ.copy(),
    )


async def fieldguide(*arguments: str | Path, within_s: float = 100) -> Ran:
    """Run `fieldguide` to its end."""
    process = await start(*arguments)
    return await finish(process, within_s=within_s)


async def finish(process: asyncio.subprocess.Process, *, within_s: float = 100) -> Ran:
    """Wait for the end of a started command."""
    out, err = await asyncio.wait_for(process.communicate(), within_s)
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())
