"""The judge's end of a guard: starts the process, asks it for runs, and ends it with everything below it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import SandboxError
from fieldguide.scoring.code_judge._inside import wire
from fieldguide.scoring.code_judge._inside.plan import CONFINED, Bounds, Tier
from fieldguide.scoring.code_judge._tiers import BOOT, ENVIRONMENT, FLAGS, INSIDE, interpreter, plan_for
from fieldguide.scoring.code_judge._values import Limits

_START_S = 60.0
_GRACE_S = 30.0
"""What a guard may take beyond the deadline of a run before it counts as dead (seconds)."""
_RENEW_AFTER = 1000
"""Runs of one guard: all of them share its memory layout, so that it is renewed now and then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How one confined process ended."""

    exit_code: int | None
    signal: int | None
    peak_bytes: int
    cpu_s: float
    stdout: bytes
    stderr: bytes
    result: bytes
    printed_bytes: int
    """The larger of all that was written to standard output and to standard error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one run."""

    overrun: str | None
    """Which bound was overrun, so that it was stopped."""
    seconds: float
    processes: tuple[Ended, ...]


class Guard:
    """One guard process; to be used by one thread at a time."""

    def __init__(self, tier: Tier, packages: Sequence[str] = ()) -> None:
        """Start the process and wait until it has confined itself.

        Raises:
            SandboxError: It cannot.
        """
        self.tier = tier
        self.runs = 0
        self._scratch = Path(tempfile.mkdtemp(prefix="fieldguide-judge-"))
        self._scratch.chmod(0o711)
        ours, theirs = socket.socketpair()
        self._sock = ours
        try:
            self._process = subprocess.Popen(
                [interpreter(), *FLAGS, "-c", BOOT, str(INSIDE)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
        finally:
            theirs.close()
        try:
            self._shake_hands(packages)
        except BaseException:
            self.close()
            raise

    @property
    def worn(self) -> bool:
        """Whether it should be replaced by a new one."""
        return self.runs >= _RENEW_AFTER or self._process.poll() is not None

    @property
    def pid(self) -> int:
        """Process id of the guard as this process sees it."""
        return int(self._process.pid)

    def run(self, task: dict[str, str], parts: list[bytes], limits: Limits) -> Run:
        """Run one task.

        Raises:
            SandboxError: The guard died, or the program could not be confined.
        """
        self.runs += 1
        bounds = Bounds(
            cpu_s=limits.cpu_s,
            wall_s=limits.clock_s,
            memory_bytes=limits.memory_bytes,
            output_bytes=limits.output_bytes,
            file_bytes=limits.file_bytes,
            files=limits.files,
            threads=limits.threads,
        )
        self._sock.settimeout(limits.clock_s + _GRACE_S)
        try:
            wire.send(self._sock, {"task": task, "bounds": asdict(bounds)}, parts)
            answer = wire.receive(self._sock)
        except OSError:
            answer = None
        if answer is None:
            self.close()
            raise SandboxError(
                "The process that guards programs ended unexpectedly.", hint="Run the same command again."
            )
        return _read_run(*answer)

    def close(self) -> None:
        """End the guard and everything below it; twice does no harm."""
        self._sock.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _shake_hands(self, packages: Sequence[str]) -> None:
        self._sock.settimeout(_START_S)
        try:
            wire.send(self._sock, asdict(plan_for(self.tier, str(self._scratch), packages)))
            answer = wire.receive(self._sock)
        except OSError as error:
            answer = ({"ready": False, "reason": str(error)}, [])
        if answer is None or not answer[0]["ready"]:
            reason = answer[0]["reason"] if answer else "the guard ended at once"
            raise SandboxError(f"The tier {self.tier!r} cannot be set up here: {reason}.")


def _read_run(report: dict[str, Any], parts: list[bytes]) -> Run:
    ended = []
    for index, told in enumerate(report["processes"]):
        stdout, stderr, result = parts[3 * index : 3 * index + 3]
        cut_short = index + 1 < len(report["processes"]) and told["signal"] == signal.SIGKILL
        if not result.startswith(CONFINED) and not cut_short:
            why = stderr.decode(errors="replace").strip()[-300:] or f"signal {told['signal']}"
            raise SandboxError(f"A program could not be confined and was not run: {why}.")
        totals = told.pop("totals")
        ended.append(
            Ended(**told, stdout=stdout, stderr=stderr, result=result[len(CONFINED) :], printed_bytes=max(totals))
        )
    return Run(overrun=report["why"], seconds=report["seconds"], processes=tuple(ended))
