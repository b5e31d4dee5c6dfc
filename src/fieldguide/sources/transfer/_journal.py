"""Which chunks of a file are here: a text file beside it, one line per chunk, appended once its bytes are written.

The first line says what the chunks are of. A line that a kill has cut is passed over, and everything after it too: its
chunk is brought again. A kill loses nothing that was written before it, since the system keeps what it was given; what
a power cut loses is found by the checksums.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a journal's chunks are of; another subject starts anew."""

    address: str
    """Hash of the address, which may be signed and is written nowhere (64 hex digits)."""
    size_bytes: int
    chunk_bytes: int
    sha256: str | None
    etag: str | None
    format: int = _FORMAT


class Journal:
    """The journal of one file; one process at a time, which holds the lock on it."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is read or written yet."""
        self._path = path

    def read(self) -> tuple[Subject, dict[int, int]] | None:
        """Return the subject and the checksum (crc32) of each chunk that is here; None where nothing usable is."""
        try:
            lines = self._path.read_bytes().split(b"\n")
            first = json.loads(lines[0])
            subject = Subject(**first)
            if subject.format != _FORMAT or subject.chunk_bytes <= 0 or subject.size_bytes < 0:
                return None
        except (OSError, ValueError, TypeError):
            return None
        chunks: dict[int, int] = {}
        for line in lines[1:-1]:  # What follows the last line feed is cut, or nothing.
            index, _, checksum = line.partition(b" ")
            if not (index.isdigit() and len(checksum) == 8):
                break
            try:
                chunks[int(index)] = int(checksum, 16)
            except ValueError:
                break
        last = -(-subject.size_bytes // subject.chunk_bytes)
        return subject, {index: checksum for index, checksum in chunks.items() if index < last}

    def start(self, subject: Subject, chunks: dict[int, int]) -> None:
        """Write the journal anew, with the chunks that are here already."""
        text = json.dumps(asdict(subject)) + "\n" + "".join(_line(*each) for each in sorted(chunks.items()))
        draft = self._path.with_name(f"{self._path.name}.new")
        draft.write_bytes(text.encode())
        draft.replace(self._path)

    def add(self, index: int, checksum: int) -> None:
        """Record a chunk whose bytes are written. The line goes out in one write, so it is whole or cut at its end."""
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, _line(index, checksum).encode())
        finally:
            os.close(handle)

    def remove(self) -> None:
        """Forget everything."""
        self._path.unlink(missing_ok=True)


def _line(index: int, checksum: int) -> str:
    return f"{index} {checksum:08x}\n"
