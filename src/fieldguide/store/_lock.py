"""One worker per model and benchmark: a second process is told who is at work."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from fieldguide.errors import StoreError


@contextlib.contextmanager
def held(path: Path, *, subject: str) -> Iterator[None]:
    """Hold an exclusive lock on the file at `path` while the block runs.

    The kernel drops the lock with the process, so that one left by a dead process is free. The file holds the pid of
    the holder, for the message only.

    Raises:
        StoreError: Another process holds it (its pid is in the message), or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"The lock {path} cannot be made: {error.strerror}.",
            hint="Check the permissions of this folder, or use another with `--home DIR`.",
        ) from error
    try:
        _take(descriptor, path, subject)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, subject: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in {errno.EAGAIN, errno.EACCES}:
            raise StoreError(f"The lock {path} cannot be taken: {error.strerror}.") from error
        holder = path.read_text().strip() or "unknown"
        raise StoreError(
            f"{subject} is being worked on by process {holder}.",
            hint="Wait for it, or stop it; what it has finished is kept either way.",
        ) from None
