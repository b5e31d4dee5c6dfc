"""Files that are either whole or not there: atomic writes, locks, checksums."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from fieldguide.errors import DiskSpaceError, SourceError

CHUNK_BYTES = 1 << 20

_LOCK_POLL_S = 0.2
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def free_bytes_at(path: Path) -> int:
    """Return the bytes that may still be written to the volume that holds `path`, or would hold it."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def sha256_of(path: Path, *, told: Callable[[int], None] | None = None) -> str:
    """Return the sha256 of a file (64 hex digits); `told` gets the bytes read so far."""
    digest = hashlib.sha256()
    done = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            if told is not None:
                told(done)
    return digest.hexdigest()


def sync(file: IO[bytes]) -> None:
    """Have the bytes of an open file on the disk before anything is renamed over them."""
    file.flush()
    os.fsync(file.fileno())


def put_in_place(finished: Path, place: Path) -> None:
    """Rename a finished file to its place on the same volume, for good: after a power cut it is there or not at all."""
    finished.replace(place)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_whole(place: Path, content: bytes) -> None:
    """Replace the file at `place`; nobody ever sees half of it."""
    draft = place.with_name(f".{place.name}.new")
    try:
        with draft.open("wb") as file:
            file.write(content)
            sync(file)
        put_in_place(draft, place)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at `path`; `waiting` is called again and again while another process holds it.

    The system drops the lock with the process that holds it, however that ends. The file stays: removing it would let
    two processes hold "the" lock at once.
    """
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(_LOCK_POLL_S)
        yield


@contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file at `path` if no process holds it, and say whether that is so."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def writing_under(home: Path, *, needed_bytes: int, free_bytes: Callable[[Path], int]) -> Iterator[None]:
    """Turn what the system says of a full or closed disk into our own errors.

    Raises:
        DiskSpaceError: The disk is full; `needed_bytes` is what the whole undertaking takes.
        SourceError: The folder cannot be written or read.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DiskSpaceError(str(home), needed_bytes=needed_bytes, free_bytes=free_bytes(home)) from error
        if error.errno == errno.EFBIG:
            raise SourceError(
                f"The volume of {home} keeps no file as large as this one.",
                hint="Choose a folder on another with `--home DIR`: FAT ends at 4 GB a file.",
            ) from error
        if error.filename is None and error.errno != errno.EIO:
            raise  # Not about a file: say, a closed terminal under the progress display.
        raise SourceError(
            f"The user folder {home} cannot be used: {error.strerror} ({error.filename}).",
            hint="Make it writable, or choose another with `--home DIR`.",
        ) from error
