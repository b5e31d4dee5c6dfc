"""The models that are on this machine: fetched, kept, checked and removed."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide import registry
from fieldguide.catalogue import ModelEntry
from fieldguide.errors import (
    DiskSpaceError,
    IntegrityError,
    NotFoundError,
    SourceError,
    UsageError,
)
from fieldguide.formats import is_projector
from fieldguide.http_client import new_session
from fieldguide.sources._files import free_bytes_at, locked, locked_if_free, writing_under
from fieldguide.sources._interface import Progress, PullOrder, PullProgress
from fieldguide.sources._manifest import Manifest, StoredModel
from fieldguide.sources._neighbours import Neighbours
from fieldguide.sources._offer import OfferingSource, SourceSettings
from fieldguide.sources._order import order_for
from fieldguide.sources._package_pull import PackagePull, check_licence, hashed
from fieldguide.sources._pull_plan import Check, Gate, Passed, PullPlan
from fieldguide.sources._reference import SourceReference, parse_source_reference
from fieldguide.sources._select import fits, select
from fieldguide.sources._shelf import Shelf, UnfinishedPull
from fieldguide.sources.transfer import TransferSettings

if TYPE_CHECKING:
    from fieldguide.sources._remote_model import RemoteModel
    from fieldguide.sources._repository_pull import RepositoryPull

_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!=#-]{0,199}")


def _silent(_: PullProgress) -> None:
    pass


class ModelStore:
    """Fetches models, keeps them, checks them and removes them.

    Any number of processes may use one home folder at once. Nothing is created before the first `pull`.
    """

    def __init__(
        self,
        home: Path,
        *,
        settings: SourceSettings | None = None,
        transfer: TransferSettings | None = None,
        neighbours: Neighbours | None = None,
        open_source: Callable[[str], object] | None = None,
        check: Check = lambda path, place: (),
        free_bytes: Callable[[Path], int] = free_bytes_at,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Use the folder `home`.

        Args:
            home: The user folder.
            settings: What sources may need from outside; None: clients of their own, no proxies.
            transfer: How files are brought; None: as `TransferSettings` has it.
            neighbours: Where other programs keep model files; None looks nowhere.
            open_source: Takes the place of the registry in tests.
            check: Looks at every file before it is stored.
            free_bytes: Takes the place of the disk in tests.
            now: Takes the place of the clock in tests.
        """
        self._shelf = Shelf(home)
        self._settings = settings or SourceSettings(new_session=new_session)
        self._transfer = transfer or TransferSettings(
            new_session=self._settings.new_session, proxy_for=self._settings.proxy_for
        )
        self._neighbours = neighbours or Neighbours()
        self._open_source = open_source or self._registered
        self._check = check
        self._free_bytes = free_bytes
        self._now = now

    def _registered(self, name: str) -> object:
        source: Any = registry.load("sources", name)
        return source(self._settings)

    def plan(self, reference: str, *, progress: Progress | None = None) -> PullPlan:
        """Return what a pull of a repository would bring; nothing is written.

        Raises:
            UsageError: The reference is malformed, its source holds no repositories, or several models fit.
            SourceError: The source does not have it, or cannot be asked.
        """
        parsed = parse_source_reference(reference)
        source = self._open_source(parsed.source)
        if not isinstance(source, OfferingSource):
            raise UsageError(f"{reference} is not in a repository of models.")
        return self._repository(source, progress or _silent).plan(parsed, progress or _silent)

    def remote(self, reference: str) -> RemoteModel:
        """Return the files of a model where they lie, to be read a range at a time; nothing is written.

        Raises:
            UsageError: The reference is malformed, its source holds no repositories, or several models fit.
            SourceError: The source does not have it, or cannot be asked.
        """
        from fieldguide.sources._remote_model import RemoteModel

        parsed = parse_source_reference(reference)
        source = self._open_source(parsed.source)
        if not isinstance(source, OfferingSource):
            raise UsageError(f"{reference} is not in a repository of models.")
        offer = source.offer(parsed)
        return RemoteModel(offer=offer, artifact=select(offer, parsed.file), source=source, settings=self._settings)

    def pull(
        self,
        what: ModelEntry | str,
        *,
        accepted_licences: frozenset[str],
        progress: Progress | None = None,
        gate: Gate | None = None,
    ) -> StoredModel:
        """Return the model, fetched if it is not here yet or no longer what it was.

        A model that is here is read through once to check it. An interrupted pull goes on with the downloads that
        were finished. While another process pulls the same, this one waits, says so, and then finds it done.

        Args:
            what: Catalogue entry, catalogue name or reference.
            accepted_licences: Ids of the licences whose terms the user has accepted.
            progress: Told how far it is, several times a second; what it raises stops the pull.
            gate: Asked before the first byte of a repository is brought; what it raises stops the pull. It tells the
                licence, where it knows it.

        Raises:
            LicenceNotAcceptedError: The terms have not been accepted; nothing was fetched.
            UsageError: What was named is unknown or malformed.
            SourceError: One of its subclasses; what was finished is kept for the next pull.
        """
        report = progress or _silent
        if isinstance(what, str) and (source := self._offering(what)) is not None:
            return self._pulled(source, what, report, gate)
        order = order_for(what)
        if self._shelf.recorded(order.name) is None:
            check_licence(order, accepted_licences)
        with self._writing(order):
            self._shelf.blobs.mkdir(parents=True, exist_ok=True)
            self._shelf.manifests.mkdir(parents=True, exist_ok=True)
            with self._lock(order.name, report):
                return self._package(accepted_licences, report).bring(order)

    def _offering(self, what: str) -> OfferingSource | None:
        """Return the source of a repository of models; None for what is named otherwise."""
        name, colon, _ = what.partition(":")
        if not colon or (self._open_source == self._registered and name not in registry.names("sources")):
            return None
        source = self._open_source(name)
        return source if isinstance(source, OfferingSource) else None

    def _pulled(self, source: OfferingSource, what: str, report: Progress, gate: Gate | None) -> StoredModel:
        repository = self._repository(source, report)
        reference = parse_source_reference(what)
        plan = repository.plan(reference, report)
        passed = gate(plan) if gate is not None else Passed()
        needed, free = repository.needed_bytes(plan), self._free_bytes(self._shelf.home)
        if needed > free:
            raise DiskSpaceError(str(self._shelf.home), needed_bytes=needed, free_bytes=free)
        with self._writing(needed_bytes=needed):
            self._shelf.blobs.mkdir(parents=True, exist_ok=True)
            self._shelf.manifests.mkdir(parents=True, exist_ok=True)
            with self._lock(plan.name, report):
                manifest = repository.bring(plan, report, passed)
        stored = self._shelf.as_stored(manifest)
        if stored is None:
            raise SourceError(f"{plan.name} vanished while it was stored.", hint="Pull it again.")
        report(PullProgress(stage="done", done_bytes=stored.size_bytes, total_bytes=stored.size_bytes))
        return stored

    def _repository(self, source: OfferingSource, report: Progress) -> RepositoryPull:
        from fieldguide.sources._repository_pull import RepositoryPull  # Needs asyncio: only a pull does.
        from fieldguide.sources.transfer import Transfer

        return RepositoryPull(
            shelf=self._shelf,
            source=source,
            neighbours=self._neighbours,
            transfer=Transfer(self._transfer, free_bytes=self._free_bytes),
            lock=lambda name: self._lock(name, report),
            check=self._check,
            now=self._now,
        )

    def _package(self, accepted: frozenset[str], report: Progress) -> PackagePull:
        return PackagePull(
            shelf=self._shelf,
            open_source=self._open_source,
            lock=lambda name: self._lock(name, report),
            check=self._check,
            free_bytes=self._free_bytes,
            now=self._now,
            accepted=accepted,
            report=report,
        )

    def list(self) -> tuple[StoredModel, ...]:
        """Return the models that are here, by name.

        Raises:
            SourceError: A manifest is damaged; the hint says how to mend it.
        """
        return tuple(self._shelf.all_stored())

    def unfinished(self) -> tuple[UnfinishedPull, ...]:
        """Return what interrupted pulls have left, by name; a pull of the same goes on from there."""
        return tuple(self._shelf.unfinished())

    def find(self, name_or_reference: str) -> StoredModel | None:
        """Return the model if it is here; None where it is not, or its file has vanished.

        Raises:
            SourceError: Its manifest is damaged.
        """
        name = self._name(name_or_reference)
        return None if name is None else self._shelf.stored(name)

    def verify(self, name_or_reference: str, *, progress: Progress | None = None) -> StoredModel:
        """Read the model through and return it if its bytes are still the ones that came.

        Raises:
            NotFoundError: It is not here.
            IntegrityError: Its bytes have changed.
        """
        model = self.find(name_or_reference)
        if model is None:
            raise _not_here(name_or_reference)
        warnings: list[str] = []
        for file in model.files:
            place = self._shelf.place(file)
            actual = hashed(place, model.name, progress or _silent)
            if actual != file.sha256:
                hint = f"`fieldguide pull {model.reference}` fetches it again."
                raise IntegrityError(str(place), expected=file.sha256, actual=actual, hint=hint)
            warnings += self._check(file.path, place)
        if (manifest := self._shelf.recorded(model.name)) is not None and not self._shelf.is_linked(manifest):
            with self._writing(), self._lock(None, progress or _silent):
                self._shelf.link(manifest)
        return replace(model, warnings=tuple(dict.fromkeys(warnings)))

    def remove(self, name_or_reference: str, *, progress: Progress | None = None) -> int:
        """Remove a model, or what an interrupted pull of it has left, and return the bytes that this frees.

        A file that another model needs stays. While another process pulls the model, this one waits and says so.

        Raises:
            NotFoundError: There is nothing of it here.
        """
        name = self._name(name_or_reference)
        if name is None or not self._shelf.knows(name):
            raise _not_here(name_or_reference)
        with self._writing(), self._lock(name, progress or _silent):
            freed = sum(map(self._clear_incoming, self._shelf.incoming_keys(name)))
            freed += self._shelf.clear_downloads(name)
            with self._lock(None, _silent):
                self._shelf.take_away(name)
                return freed + self._shelf.sweep()

    def _clear_incoming(self, key: str) -> int:
        """Remove a file on its way and return its bytes, unless another process brings it under another name."""
        from fieldguide.sources._repository_pull import file_lock

        with locked_if_free(self._shelf.lock(file_lock(key))) as free:
            return self._shelf.clear_incoming(key) if free else 0

    def _name(self, name_or_reference: str) -> str | None:
        """Return the name that something is or would be stored under; None for what cannot be stored."""
        if _SAFE_NAME.fullmatch(name_or_reference) and self._shelf.knows(name_or_reference):
            return name_or_reference
        try:
            if self._offering(name_or_reference) is not None:
                return self._name_of_repository(parse_source_reference(name_or_reference))
            return order_for(name_or_reference).name
        except UsageError:
            return None

    def _name_of_repository(self, reference: SourceReference) -> str | None:
        """Return the name of the stored model that a reference means, without asking its source."""
        of_the_web = reference.source in {"http", "https"}  # Known without its query, which may have been signed.
        wanted = reference.name.partition("?")[0] if of_the_web else reference.name
        for name in self._shelf.names():
            manifest = self._shelf.recorded(name)
            if manifest is None or not manifest.files:
                continue
            known = parse_source_reference(manifest.reference)
            if (known.source, known.name) != (reference.source, wanted):
                continue
            if reference.revision not in (None, known.revision):
                continue
            if reference.file is None or any(fits(path, reference.file) for path in _model_files(manifest)):
                return name
        return None

    def _lock(self, name: str | None, report: Progress) -> AbstractContextManager[None]:
        path = self._shelf.lock(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        note = f"another process is busy with {name or 'the models'}"
        waiting = PullProgress(stage="waiting", done_bytes=0, total_bytes=None, note=note)
        return locked(path, waiting=lambda: report(waiting))

    def _writing(self, order: PullOrder | None = None, *, needed_bytes: int = 0) -> AbstractContextManager[None]:
        needed = order.place.file_bytes if order and order.place else needed_bytes
        return writing_under(self._shelf.home, needed_bytes=needed, free_bytes=self._free_bytes)


def _model_files(manifest: Manifest) -> list[str]:
    """Return the files by which a model is known: not the projector that came along with it."""
    paths = [file.path for file in manifest.files]
    return [path for path in paths if not is_projector(path)] or paths


def is_repository(reference: str) -> bool:
    """Whether a reference names something that a source offers, and not a package or a name of the catalogue."""
    name, colon, _ = reference.partition(":")
    if not colon or name not in registry.names("sources"):
        return False
    source = registry.load("sources", name)
    return callable(getattr(source, "offer", None))


def _not_here(name: str) -> NotFoundError:
    return NotFoundError(f"{name} is not on this machine.", hint="`fieldguide list` shows what is.")
