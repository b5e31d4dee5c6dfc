"""Get a model: say what would come, decide before the first byte, bring it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from fieldguide import catalogue
from fieldguide.app.find import compiled_folder
from fieldguide.app.fits_here import FitNote, fits_here
from fieldguide.app.licences import LicenceNote, entry_note, licence_note
from fieldguide.app.places import place_of_name
from fieldguide.app.wiring import House
from fieldguide.errors import LicenceNotAcceptedError, OfflineError, UnsupportedError, UsageError
from fieldguide.sources import (
    Acceptance,
    Passed,
    Progress,
    PullPlan,
    StoredModel,
    free_bytes_at,
    is_repository,
    user_name,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewFile:
    """One file that a pull is about."""

    path: str
    size_bytes: int | None
    sha256: str | None
    here: str | None
    """Where its bytes lie already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPreview:
    """What a pull would bring. None is unknown."""

    name: str
    reference: str
    kind: str
    files: tuple[PreviewFile, ...]
    licence: LicenceNote | None
    licence_tag: str | None
    gated: bool
    base_models: tuple[str, ...]
    free_bytes: int
    fit: FitNote | None
    took: str | None
    """For a bare name: the place that it was resolved to."""

    @property
    def total_bytes(self) -> int | None:
        """Of all files."""
        return _sum(file.size_bytes for file in self.files)

    @property
    def missing_bytes(self) -> int | None:
        """Of the files that must be brought."""
        return _sum(file.size_bytes for file in self.files if file.here is None)

    def as_json(self) -> dict[str, Any]:
        """Return the preview as programs read it."""
        return {
            "name": self.name,
            "reference": self.reference,
            "kind": self.kind,
            "files": [
                {"path": file.path, "size_bytes": file.size_bytes, "sha256": file.sha256, "here": file.here}
                for file in self.files
            ],
            "total_bytes": self.total_bytes,
            "missing_bytes": self.missing_bytes,
            "free_bytes": self.free_bytes,
            "licence": None if self.licence is None else self.licence.as_json(),
            "licence_tag": self.licence_tag,
            "gated": self.gated,
            "base_models": list(self.base_models),
            "fits": None if self.fit is None else self.fit.fits,
            "fit_note": None if self.fit is None else self.fit.sentence,
            "resolved": self.took,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the user has agreed to, and how to ask for more."""

    accepted: frozenset[str] = field(default_factory=frozenset)
    """Ids of licences."""
    yes: bool = False
    """Whether size and fit need no further question."""
    ask: Callable[[str], bool] | None = None
    """Asks a question; None: nobody can be asked."""
    told: Callable[[PullPreview], None] | None = None
    """Told what would come, before anything is asked."""
    note: Callable[[str], None] | None = None
    """Told, in a sentence, what the user should know besides."""
    only_runnable: bool = False
    """Whether only what the embedded engine can load is wanted."""


def preview_pull(house: House, reference: str, *, progress: Progress | None = None) -> PullPreview:
    """Return what a pull would bring, without writing anything.

    Raises:
        UsageError: The reference is malformed, or several models fit.
        SourceError: The source does not have it, or cannot be asked.
    """
    wanted, took = place_of_name(house, reference)
    if not is_repository(wanted):
        return _package_preview(house, wanted)
    return _preview(house, house.models.plan(wanted, progress=progress), took)


def pull_model(house: House, reference: str, consent: Consent, *, progress: Progress | None = None) -> StoredModel:
    """Return the model, fetched if need be and if everything before the first byte is in order.

    Raises:
        LicenceNotAcceptedError: Its terms hold conditions and were not accepted.
        UsageError: It must be decided and nobody can be asked, or the answer was no.
        SourceError: One of its subclasses; what was finished is kept for the next pull.
    """
    wanted, took = place_of_name(house, reference)
    accepted = consent.accepted | house.settings.accept_licences
    if not is_repository(wanted):
        if consent.told is not None:
            consent.told(_package_preview(house, wanted))
        return house.models.pull(wanted, accepted_licences=accepted, progress=progress)

    planned = False

    def gate(plan: PullPlan) -> Passed:
        nonlocal planned
        planned = True
        preview = _preview(house, plan, took)
        if consent.told is not None:
            consent.told(preview)
        return _decided(preview, consent, accepted)

    try:
        return house.models.pull(wanted, accepted_licences=accepted, progress=progress, gate=gate)
    except OfflineError as error:
        if planned or (stored := house.models.find(wanted)) is None:
            raise
        verified = house.models.verify(stored.name, progress=progress)
        if consent.note is not None:
            consent.note(f"{error.message} What is here was checked, and is {verified.reference}.")
        return verified


def _decided(preview: PullPreview, consent: Consent, accepted: frozenset[str]) -> Passed:
    """Decide what must be decided before the first byte."""
    if consent.only_runnable and preview.kind != "gguf":
        raise UnsupportedError(
            preview.reference,
            "being run by the embedded engine, which loads GGUF files",
            hint="Name a GGUF repository of it, or a server that has it: http://HOST/v1#MODEL.",
        )
    acceptance = _accepted(preview, consent, accepted)
    if preview.missing_bytes != 0 and not consent.yes:
        if preview.fit is not None and not preview.fit.fits:
            _asked(consent, f"{preview.fit.sentence} Fetch it all the same?")
        size = preview.missing_bytes
        amount = "a file of unknown size" if size is None else f"{size / 1e9:.2f} GB"
        _asked(consent, f"Fetch {amount} as {preview.name}?")
    licence = preview.licence
    return Passed(licence_id=None if licence is None else licence.id, acceptance=acceptance)


def _accepted(preview: PullPreview, consent: Consent, accepted: frozenset[str]) -> Acceptance | None:
    licence = preview.licence
    if licence is None or not licence.needs_acceptance:
        return None
    if licence.id not in accepted:
        question = f"{preview.name} comes under {licence.name or licence.id} ({licence.terms_url}). Accept these terms?"
        if consent.ask is None or not consent.ask(question):
            raise LicenceNotAcceptedError(preview.name, licence.id, licence.terms_url or "see its publisher")
    return Acceptance(
        licence=licence.id,
        terms_url=licence.terms_url or "",
        accepted_by=user_name(),
        accepted_at=datetime.now(UTC),
    )


def _asked(consent: Consent, question: str) -> None:
    if consent.ask is None:
        raise UsageError(
            f"This must be decided and nobody can be asked: {question}",
            hint="Add --yes to fetch it; --dry-run says what would come.",
        )
    if not consent.ask(question):
        raise UsageError("Nothing was fetched.", hint="Run the same command again if you change your mind.")


def _preview(house: House, plan: PullPlan, took: str | None) -> PullPreview:
    names = [plan.reference.name, *plan.base_models, plan.name, PurePosixPath(plan.artifact.name).name]
    whole = catalogue.families(compiled_folder(house.settings.home))
    return PullPreview(
        name=plan.name,
        reference=str(plan.reference),
        kind=plan.artifact.kind,
        files=tuple(
            PreviewFile(
                path=file.path,
                size_bytes=file.size_bytes,
                sha256=file.sha256,
                here=None if file.here is None else str(file.here),
            )
            for file in plan.files
        ),
        licence=licence_note(names, plan.licence, whole),
        licence_tag=plan.licence,
        gated=plan.gated,
        base_models=plan.base_models,
        free_bytes=free_bytes_at(house.settings.home),
        fit=None if all(file.here for file in plan.files) else fits_here(house, plan),
        took=took,
    )


def _package_preview(house: House, wanted: str) -> PullPreview:
    """Return what is known of a package: all of it where the catalogue pins it, else nothing but its name."""
    known = {entry.name: entry for entry in catalogue.entries()}
    entry = known.get(wanted)
    place = entry.places[0] if entry is not None and entry.places else None
    stored = house.models.find(wanted)
    here = None if stored is None else str(stored.path)
    files = [PreviewFile(path=wanted, size_bytes=None, sha256=None, here=here)]
    if place is not None:
        files = [
            PreviewFile(path=part.reference, size_bytes=part.package_bytes, sha256=part.package_sha256, here=here)
            for part in place.parts
        ]
    return PullPreview(
        name=wanted if stored is None else stored.name,
        reference=wanted if place is None else place.reference,
        kind="gguf",
        files=tuple(files),
        licence=None if entry is None else entry_note(entry.licence),
        licence_tag=None,
        gated=False,
        base_models=(),
        free_bytes=free_bytes_at(house.settings.home),
        fit=None,
        took=None,
    )


def _sum(sizes: Any) -> int | None:
    known = list(sizes)
    return None if None in known else sum(known)
