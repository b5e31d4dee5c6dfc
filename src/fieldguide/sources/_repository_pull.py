"""Pulling what a hub offers: planned before the first byte, shared between processes, checked before it is stored."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from fieldguide.catalogue import entry_names
from fieldguide.errors import FormatError, IntegrityError, SourceError, UnsafeFileError, UsageError
from fieldguide.formats import shown
from fieldguide.sources._files import put_in_place, sha256_of, write_whole
from fieldguide.sources._interface import Progress, PullProgress
from fieldguide.sources._manifest import Manifest, StoredFile, write_manifest
from fieldguide.sources._neighbours import Neighbours
from fieldguide.sources._offer import Offer, OfferedFile, OfferingSource
from fieldguide.sources._pull_plan import Check, Passed, PlannedFile, PullPlan
from fieldguide.sources._reference import SourceReference, parse_source_reference
from fieldguide.sources._select import Artifact, select
from fieldguide.sources._shelf import Shelf
from fieldguide.sources.transfer import Downloaded, Pace, RefusalError, RemoteFile, Transfer

_SPLIT_END = re.compile(r"-\d{5}-of-\d{5}$")
_OF_ONE_FILE = {"file", "http", "https"}
"""Sources whose references name a file or a folder, and not a repository."""
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryPull:
    """One pull from one source into one store. The caller holds the lock on the name while `bring` runs."""

    shelf: Shelf
    source: OfferingSource
    neighbours: Neighbours
    transfer: Transfer
    lock: Callable[[str | None], AbstractContextManager[None]]
    """Locks a name, a key of a file, or the whole store for None."""
    check: Check
    now: Callable[[], datetime]

    def plan(self, reference: SourceReference, report: Progress) -> PullPlan:
        """Return what would be brought.

        Raises:
            SourceError: The source does not have it, or cannot be asked.
            UsageError: Several models fit, or none that is ever loaded.
        """
        offer = self.source.offer(reference)
        artifact = select(offer, reference.file)
        name = self._free_name(offer, artifact)
        before = self.shelf.recorded(name)
        return PullPlan(
            name=name,
            reference=SourceReference(
                source=offer.reference.source,
                name=offer.reference.name,
                revision=offer.reference.revision,
                file=None if offer.reference.source in _OF_ONE_FILE else artifact.name,
            ),
            artifact=artifact,
            files=tuple(self._planned(offer, file, before, report) for file in artifact.files),
            licence=offer.licence,
            gated=offer.gated,
            base_models=offer.base_models,
        )

    def needed_bytes(self, plan: PullPlan) -> int:
        """Return the bytes that a pull still takes on the disk, what an interrupted one has brought counted off."""
        by_path = {file.path: file for file in plan.artifact.files}
        needed = 0
        for file in plan.files:
            if file.here is None:
                arrived = self.shelf.incoming(_key(by_path[file.path].remote))
                taken = arrived.stat().st_blocks * 512 if arrived.exists() else 0
                needed += max(0, (file.size_bytes or 0) - taken)
        return needed

    def bring(self, plan: PullPlan, report: Progress, passed: Passed) -> Manifest:
        """Bring what is missing, check all of it, and write the manifest: the model is stored.

        Raises:
            SourceError: One of its subclasses; what was finished is kept for the next pull.
        """
        here = {file.path for file in plan.files if file.here is not None and file.here.is_file()}
        missing = [file for file in plan.artifact.files if file.path not in here]  # A `remove` may have come between.
        keys = {file.path: _key(file.remote) for file in missing}
        if keys:
            self._note_order(plan, list(keys.values()))
        stored = {file.path: self._kept(file) for file in plan.files if file.path in here}
        before = self.shelf.recorded(plan.name)
        with ExitStack() as locks:
            for key in sorted(set(keys.values())):  # In one order everywhere: two pulls never wait for each other.
                locks.enter_context(self.lock(file_lock(key)))
            left = []
            for file in missing:  # Another process may have brought it while this one waited.
                if (found := self._in_store(file.remote, file.path, report)) is not None:
                    stored[file.path] = _stored(file, found)
                elif file.remote.sha256 is None and (known := self._as_before(plan.reference, file, before)):
                    stored[file.path] = known
                else:
                    left.append(file)
            brought: dict[str, Downloaded] = {}
            try:
                warnings = [each for path, file in stored.items() for each in self.check(path, self.shelf.place(file))]
                brought = self._transferred(plan, left, report)
                for file in left:
                    warnings += self._checked(file, brought[_key(file.remote)].path)
            except (UnsafeFileError, FormatError):
                for key in keys.values():  # No byte of what is refused is kept for another try.
                    self.shelf.clear_incoming(key)
                self.shelf.clear_downloads(plan.name)
                raise
            with self.lock(None):  # So that no `remove` takes the new files for some that nobody needs.
                for file in left:
                    came = brought[_key(file.remote)]
                    stored[file.path] = StoredFile(path=file.path, size_bytes=came.size_bytes, sha256=came.sha256)
                    if came.path.exists():  # Not yet in place for another file of the same content.
                        put_in_place(came.path, self.shelf.blob(came.sha256, file.path))
                manifest = self._manifest(plan, [stored[file.path] for file in plan.files], warnings, passed)
                self.shelf.link(manifest)
                write_manifest(self.shelf.manifest(plan.name), manifest)
            for key in keys.values():
                self.shelf.clear_incoming(key)  # The journals of files that nothing was promised of.
        self.shelf.clear_downloads(plan.name)
        return manifest

    def _checked(self, file: OfferedFile, place: Path) -> tuple[str, ...]:
        """Check a file that came; a fault is told of the file as its source names it, not of where it lay."""
        try:
            return self.check(file.path, place)
        except FormatError as error:
            raise FormatError(shown(file.path), error.offset, error.reason, hint=error.hint) from error

    def _planned(self, offer: Offer, file: OfferedFile, before: Manifest | None, report: Progress) -> PlannedFile:
        remote = file.remote
        if file.local is not None:
            sha256 = self._hashed(file.local, report)
            return PlannedFile(
                path=file.path, size_bytes=remote.size_bytes, sha256=sha256, here=file.local, url=remote.url
            )
        here = self._in_store(remote, file.path, report) or self._with_neighbours(offer.reference, file, report)
        if here is None and remote.sha256 is None and before is not None:
            known = self._as_before(offer.reference, file, before)
            here = None if known is None else self.shelf.place(known)
        return PlannedFile(
            path=file.path, size_bytes=remote.size_bytes, sha256=remote.sha256, here=here, url=remote.url
        )

    def _in_store(self, remote: RemoteFile, path: str, report: Progress) -> Path | None:
        """Return the file of this content; one that was damaged since it came does not count."""
        if remote.sha256 is None:
            return None
        blob = self.shelf.blob(remote.sha256, path)
        if not blob.is_file() or remote.size_bytes not in (None, blob.stat().st_size):
            return None
        return blob if self._hashed(blob, report) == remote.sha256 else None

    def _with_neighbours(self, reference: SourceReference, file: OfferedFile, report: Progress) -> Path | None:
        """Return a file of another program whose bytes are the ones that are promised."""
        remote = file.remote
        if remote.sha256 is None:
            return None
        for place in self.neighbours.candidates(
            reference, file.path, sha256=remote.sha256, size_bytes=remote.size_bytes
        ):
            if self._hashed(place, report) == remote.sha256:
                return place
        return None

    def _hashed(self, place: Path, report: Progress) -> str:
        total = place.stat().st_size

        def told(done: int) -> None:
            report(PullProgress(stage="verifying", done_bytes=done, total_bytes=total, note=f"found {place}"))

        return sha256_of(place, told=told)

    def _as_before(self, reference: SourceReference, file: OfferedFile, before: Manifest | None) -> StoredFile | None:
        """Return the file of an earlier pull of the same commit, for a file whose checksum the hub does not tell."""
        if before is None or before.reference.partition("#")[0] != str(reference).partition("#")[0]:
            return None
        for known in before.files:
            place = self.shelf.place(known)
            same = known.path == file.path and file.remote.size_bytes in (None, known.size_bytes)
            if same and place.is_file() and sha256_of(place) == known.sha256:
                return known
        return None

    def _kept(self, file: PlannedFile) -> StoredFile:
        place = file.here
        if place is None:
            raise SourceError(f"{file.path} is not here.")
        own = place.is_relative_to(self.shelf.blobs)
        sha256 = file.sha256 or place.name.removeprefix("sha256-").removesuffix(".gguf")
        return StoredFile(
            path=file.path, size_bytes=place.stat().st_size, sha256=sha256, elsewhere=None if own else str(place)
        )

    def _transferred(self, plan: PullPlan, files: Sequence[OfferedFile], report: Progress) -> dict[str, Downloaded]:
        """Bring files and return what came, by key."""
        once = {_key(file.remote): file.remote for file in files}
        if not once:
            return {}
        self.shelf.incoming("x").parent.mkdir(parents=True, exist_ok=True)
        pace = Pace()

        def told(done: int, total: int | None) -> None:
            pace.note(done)
            report(
                PullProgress(
                    stage="downloading",
                    done_bytes=done,
                    total_bytes=total,
                    note=plan.name,
                    bytes_per_s=pace.bytes_per_s,
                    left_s=pace.left_s(done, total),
                )
            )

        try:
            came = self.transfer.fetch_all(
                [(remote, self.shelf.incoming(key)) for key, remote in once.items()], told=told
            )
        except RefusalError as refusal:
            raise self.source.refused(refusal, plan.reference) from refusal
        return dict(zip(once, came, strict=True))

    def _manifest(
        self, plan: PullPlan, files: Sequence[StoredFile], warnings: Sequence[str], passed: Passed
    ) -> Manifest:
        before = self.shelf.recorded(plan.name)
        return Manifest(
            name=plan.name,
            reference=str(plan.reference),
            file=plan.artifact.name,
            size_bytes=sum(file.size_bytes for file in files),
            sha256=files[0].sha256,
            pinned=all(file.remote.sha256 or file.remote.git_sha1 for file in plan.artifact.files),
            licence_id=passed.licence_id,
            acceptance=passed.acceptance or (before.acceptance if before else None),
            pulled_at=self.now(),
            kind=plan.artifact.kind,
            files=tuple(files),
            warnings=tuple(dict.fromkeys(warnings)),
        )

    def _note_order(self, plan: PullPlan, keys: list[str]) -> None:
        """Write down what is on its way for this name, so that `remove` finds it after an interruption."""
        folder = self.shelf.downloads(plan.name)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "order.json", json.dumps({"reference": str(plan.reference), "keys": keys}).encode())

    def _free_name(self, offer: Offer, artifact: Artifact) -> str:
        """Return a name that is free, or that the same repository's same file is known by already."""
        repository = f"{offer.reference.source}:{offer.reference.name}"
        taken = {"blobs", *entry_names()}
        """Of the folder of files on their way, and of the catalogue, whose entries are pulled by these names."""
        for name in _names(offer, artifact):
            before = self.shelf.recorded(name)
            if before is None and name not in taken and not self.shelf.manifest(name).exists():
                return name
            if before is not None and before.file == artifact.name and _is_of(before.reference, offer.reference):
                return name
        digest = hashlib.sha256(f"{repository}#{artifact.name}".encode()).hexdigest()[:8]
        return f"{_names(offer, artifact)[-1]}-{digest}"


def file_lock(key: str) -> str:
    """Return the name of the lock on a file that is on its way; the name of no model begins with a dot."""
    return f".file-{key}"


def _is_of(known: str, reference: SourceReference) -> bool:
    """Whether a stored reference names the same repository, at whatever revision."""
    try:
        parsed = parse_source_reference(known)
    except UsageError:
        return False
    return (parsed.source, parsed.name) == (reference.source, reference.name)


def _names(offer: Offer, artifact: Artifact) -> list[str]:
    """Return names for a model, the shortest first."""
    repository = offer.reference.name.replace(":", "-")
    owner, _, short = repository.rpartition("/")
    if artifact.kind == "gguf":
        short = _SPLIT_END.sub("", PurePosixPath(artifact.name).stem)
    return [_plain(short), _plain(f"{owner}--{short}" if owner else f"{repository}--{short}")]


def _plain(name: str) -> str:
    plain = _NOT_IN_A_NAME.sub("-", name.lower().replace("/", "--")).strip("-._")
    return plain[:150] or "model"


def _key(remote: RemoteFile) -> str:
    """Return what a file on its way is known by, in every process: its content, or its address."""
    return remote.sha256 or f"url-{remote.address[:40]}"


def _stored(file: OfferedFile, place: Path) -> StoredFile:
    if file.remote.sha256 is None:
        raise IntegrityError(file.path, expected="a checksum", actual="none")
    return StoredFile(path=file.path, size_bytes=place.stat().st_size, sha256=file.remote.sha256)
