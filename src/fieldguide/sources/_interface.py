"""What a source is asked and what it tells meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from fieldguide.catalogue import Licence, Place
from fieldguide.sources._reference import SourceReference

PullStage: TypeAlias = Literal["waiting", "downloading", "unpacking", "verifying", "done"]
"""`waiting` for another process that fetches the same, `verifying` bytes that were here already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullProgress:
    """How far a pull has come."""

    stage: PullStage
    done_bytes: int
    """Of this stage; downloads that an earlier, interrupted pull finished are counted in."""
    total_bytes: int | None
    """None where the size is not known beforehand."""
    note: str | None = None
    """What is being done, in a few words."""
    bytes_per_s: float | None = None
    """Rate of the last seconds, of a download; None where it is not known."""
    left_s: float | None = None
    """Seconds left at that rate."""


Progress: TypeAlias = Callable[[PullProgress], None]
"""Called several times a second. What it raises stops the pull; what was fetched is kept for the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullOrder:
    """What is to be fetched."""

    name: str
    """Name to keep it under."""
    reference: SourceReference
    place: Place | None
    """The pinned file from the catalogue; None where nothing is known beforehand."""
    licence: Licence | None
    """None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """What a source has written."""

    sha256: str
    size_bytes: int
    file: str
    """Name of the file at its source."""


@runtime_checkable
class FetchingSource(Protocol):
    """A source that brings files here."""

    def fetch(
        self,
        order: PullOrder,
        *,
        target: Path,
        downloads: Path,
        free_bytes: Callable[[Path], int],
        progress: Progress,
    ) -> FetchedFile:
        """Write the file that was ordered to `target` and return what came.

        Args:
            order: What to fetch. With a `place`, exactly its bytes and no others.
            target: Where to write; an older file there is replaced. Not durable and not visible to anyone yet.
            downloads: Folder for this order alone, whose finished downloads outlive an interruption. Whoever asked
                holds the lock on the name, and removes the folder once the model is safely kept.
            free_bytes: Returns the free bytes of the volume that holds a path.
            progress: Told how far it is.

        Raises:
            SourceError: One of its subclasses.
        """
