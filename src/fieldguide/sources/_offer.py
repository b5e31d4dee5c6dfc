"""What a hub offers under a reference, before a byte of it is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from fieldguide.errors import SourceError
from fieldguide.sources._reference import SourceReference
from fieldguide.sources.transfer import RefusalError, RemoteFile

if TYPE_CHECKING:
    import aiohttp

_MOST_CHARACTERS = 1024
_MOST_PARTS = 32
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\:]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """What a source may need from outside; it reads no environment itself."""

    new_session: Callable[[], aiohttp.ClientSession]
    proxy_for: Callable[[str], str | None] = lambda url: None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Address of a hub by the name of its source, where the user has set one: a mirror."""
    tokens: Mapping[str, str] = field(default_factory=dict)
    """Token by the name of its source, where the user has set one; hubs' own clients find theirs themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedFile:
    """One file of a repository."""

    path: str
    """Relative to the repository, with `/`; checked by `checked_path`."""
    remote: RemoteFile
    local: Path | None = None
    """Where it lies on this machine, of a source that has nothing to bring: it is used in place."""

    def __post_init__(self) -> None:
        checked_path(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A repository at one revision."""

    reference: SourceReference
    """With the revision pinned to a commit, where the source has commits."""
    files: tuple[OfferedFile, ...]
    licence: str | None = None
    """Licence tag as the hub has it; None where it has none. What it means is the catalogue's to say."""
    gated: bool = False
    """Whether the hub asks for an acceptance of its own first."""
    base_models: tuple[str, ...] = ()
    """Repositories that it says it was made from."""

    def __post_init__(self) -> None:
        paths = {file.path for file in self.files}
        folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
        if len(paths) < len(self.files) or paths & folders:
            raise SourceError(
                f"{self.reference.source}:{self.reference.name[:200]} names two files that cannot lie side by side.",
                hint="Nothing was fetched. Do not trust this repository.",
            )


@runtime_checkable
class OfferingSource(Protocol):
    """A source that says what there is; the transfer brings it."""

    def offer(self, reference: SourceReference) -> Offer:
        """Return what lies under a reference, all files of the repository, whatever `reference.file` asks for.

        Raises:
            NotFoundError: There is no such repository or revision.
            AccessDeniedError: It is gated or private; the hint says how to get access.
            OfflineError: The source cannot be reached.
            MissingDependencyError: Its client is not installed.
        """

    def refused(self, refusal: RefusalError, reference: SourceReference) -> SourceError:
        """Return what it means that the server of a file refuses it, during the transfer."""


def checked_path(path: str) -> PurePosixPath:
    """Return a file's path inside its repository, if it stays inside.

    Raises:
        SourceError: It is absolute, leads outside, or has characters that no file name should have.
    """
    pure = PurePosixPath(path)
    if (
        not path
        or len(path) > _MOST_CHARACTERS
        or pure.is_absolute()
        or len(pure.parts) > _MOST_PARTS
        or any(part in {"", ".", ".."} or len(part) > 255 or part != part.strip() for part in path.split("/"))
        or _FORBIDDEN.search(path)
    ):
        raise SourceError(
            f"The repository names a file {path[:120]!r}, which is no path inside it.",
            hint="Nothing was fetched. Do not trust this repository.",
        )
    return pure


def inside(folder: Path, path: str) -> Path:
    """Return where a file of a repository lies under `folder`, with links followed.

    Raises:
        SourceError: That is not under `folder`.
    """
    found = (folder / checked_path(path)).resolve()
    if not found.is_relative_to(folder.resolve()):
        raise SourceError(f"{path[:120]!r} leads out of {folder}.", hint="Remove the link that leads there.")
    return found
