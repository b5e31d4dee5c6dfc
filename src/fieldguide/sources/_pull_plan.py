"""What a pull from a repository would bring, and what is said of it before the first byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from fieldguide.sources._manifest import Acceptance
from fieldguide.sources._reference import SourceReference
from fieldguide.sources._select import Artifact

Check: TypeAlias = Callable[[str, Path], tuple[str, ...]]
"""Looks at a file (its path in the repository, and where it lies) before it is stored; returns warnings, or raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file of a pull, before it begins."""

    path: str
    size_bytes: int | None
    sha256: str | None
    here: Path | None
    """Where its bytes lie already, in the store or with another program; None where it must be brought."""
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """What a pull would bring."""

    name: str
    """Name that it will be stored under."""
    reference: SourceReference
    """Pinned to a commit, where the source has commits."""
    artifact: Artifact
    files: tuple[PlannedFile, ...]
    licence: str | None
    """Tag as the hub has it."""
    gated: bool
    base_models: tuple[str, ...]

    @property
    def missing_bytes(self) -> int | None:
        """Bytes to bring; None where a size is not known."""
        sizes = [file.size_bytes for file in self.files if file.here is None]
        return None if None in sizes else sum(size or 0 for size in sizes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What a gate says of a pull that may begin."""

    licence_id: str | None = None
    """None where it is not known."""
    acceptance: Acceptance | None = None
    """Of terms that the user had to accept."""


Gate: TypeAlias = Callable[[PullPlan], Passed]
"""Asked before the first byte of a pull; see `ModelStore.pull`."""
