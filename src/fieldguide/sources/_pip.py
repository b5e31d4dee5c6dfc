"""Downloading one wheel with the user's own pip, so that their mirrors, proxies and credentials hold.

Wheels only: a source distribution would be executed to learn its name. Nothing is installed and no dependency comes
along. pip carries no half of a file from one run to the next; whoever needs several wheels keeps the finished ones.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fieldguide.errors import SourceError
from fieldguide.sources._pip_faults import DISK_FULL, fault_of
from fieldguide.sources._reference import SourceReference

_POLL_S = 0.1
_LOG_TAIL_BYTES = 1 << 18
_OPTIONS = (
    "download",
    # -vv, because pip tells only there why an index gave nothing: not found, not reached, or not let in.
    "-vv",
    "--no-deps",
    "--only-binary=:all:",
    "--no-input",
    "--no-cache-dir",  # We keep the wheel ourselves; a second copy of hundreds of megabytes helps nobody.
    "--disable-pip-version-check",
    "--progress-bar=off",
)


def own_pip() -> tuple[str, ...]:
    """Return the command that starts the user's pip: this Python's own, or else the one on the PATH.

    Raises:
        SourceError: There is neither.
    """
    if importlib.util.find_spec("pip") is not None:
        return (sys.executable, "-P", "-m", "pip")  # -P: a folder called pip where we stand is not pip.
    for name in ("pip", "pip3"):
        if found := shutil.which(name):
            return (found,)
    raise SourceError(
        "There is no pip, neither for this Python nor on the PATH.",
        hint=f"Give this Python one: `{sys.executable} -m ensurepip`, or `uv pip install pip`.",
    )


def download_wheel(
    pip: Sequence[str],
    reference: SourceReference,
    *,
    sha256: str | None,
    workshop: Path,
    told: Callable[[int], None],
) -> Path:
    """Return the path of the wheel inside `workshop`, after pip has checked it against `sha256`.

    Args:
        pip: Command that starts pip.
        reference: Package with its version.
        sha256: What the wheel must be (64 hex digits); None takes what comes.
        workshop: Empty folder for pip's temporary files, its log and the wheel.
        told: Called about ten times a second with the bytes that have come so far.

    Raises:
        SourceError: One of its subclasses, by what pip says.
        OSError: The disk is full.
    """
    temporary, out, log = workshop / "tmp", workshop / "out", workshop / "pip.log"
    temporary.mkdir()
    out.mkdir()
    pinned = "" if sha256 is None else f" --hash=sha256:{sha256}"
    requirement = workshop / "requirement.txt"
    requirement.write_text(f"{reference.name}=={reference.revision}{pinned}\n", encoding="utf-8")
    # `env` adds one variable and hands the rest of the user's environment to pip unread. Temporary files then lie on
    # the volume whose space was checked, and where their growth can be watched.
    command = ["env", f"TMPDIR={temporary}", *pip, *_OPTIONS, "--dest", str(out), "--requirement", str(requirement)]
    code = _run(command, log=log, told=lambda: told(_largest_file_bytes(temporary, out)))
    if code != 0:
        output = _tail(log)
        if DISK_FULL in output:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(workshop))
        raise fault_of(output, reference, expected_sha256=sha256)
    wheels = list(out.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip brought {len(wheels)} wheels for {reference} where one was asked for.")
    return wheels[0]


def _run(command: Sequence[str], *, log: Path, told: Callable[[], None]) -> int:
    """Run pip to its end and return its exit code; whatever stops us, Ctrl-C included, stops pip too."""
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, close_fds=True
            )
        except OSError as error:
            raise SourceError(f"pip cannot be started: {error.strerror}.", hint="Check `pip --version`.") from error
    try:
        while True:
            try:
                return process.wait(timeout=_POLL_S)
            except subprocess.TimeoutExpired:
                told()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _largest_file_bytes(*folders: Path) -> int:
    """Return the size of the largest file in these folders: pip may hold the same bytes in two files for a moment."""
    largest = 0
    for folder in folders:
        for where, _, names in os.walk(folder):
            for name in names:
                try:
                    largest = max(largest, Path(where, name).stat().st_size)
                except OSError:  # pip has just moved it.
                    continue
    return largest


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _LOG_TAIL_BYTES))
        return file.read().decode("utf-8", "replace")
