"""From what a user names to what is to be fetched."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from fieldguide.catalogue import ModelEntry, entries, entry
from fieldguide.errors import UsageError
from fieldguide.sources._interface import PullOrder
from fieldguide.sources._reference import SourceReference, parse_source_reference


def order_for(what: ModelEntry | str) -> PullOrder:
    """Return what is to be fetched for a catalogue entry, a catalogue name or a reference.

    A reference that the catalogue knows, the package of a single part included, means that entry with its pins and its
    licence. A package whose other version the catalogue knows comes under the same licence, but nothing is pinned.

    Raises:
        UnknownNameError: No model of the catalogue has this name.
        UsageError: The reference is malformed, or the file lies here already.
    """
    if isinstance(what, ModelEntry):
        return _order_of_entry(what)
    if ":" not in what:
        return _order_of_entry(entry(what))
    reference = parse_source_reference(what)
    if reference.source == "file":
        raise UsageError(f"{reference.name} is a file of yours; there is nothing to fetch.", hint="Use it as it is.")
    same_name = None
    for known in entries():
        for place in known.places:
            for part in place.parts:
                candidate = parse_source_reference(part.reference)
                if _without_file(candidate) == _without_file(reference):
                    return PullOrder(
                        name=known.name,
                        reference=parse_source_reference(place.reference),
                        place=place,
                        licence=known.licence,
                    )
                if (candidate.source, candidate.name) == (reference.source, reference.name):
                    same_name = known
    return PullOrder(
        name=_name_of(reference),
        reference=reference,
        place=None,
        licence=same_name.licence if same_name else None,
    )


def _order_of_entry(model: ModelEntry) -> PullOrder:
    if not model.places:
        raise UsageError(f"The catalogue knows no place to fetch {model.name} from.", hint="Give a reference.")
    place = model.places[0]
    return PullOrder(
        name=model.name, reference=parse_source_reference(place.reference), place=place, licence=model.licence
    )


def _without_file(reference: SourceReference) -> tuple[str, str, str | None]:
    return reference.source, reference.name, reference.revision


def _name_of(reference: SourceReference) -> str:
    """Return a name that is a file name too. `==` keeps it apart from every catalogue name."""
    name = f"{reference.name.replace('/', '--')}=={reference.revision or 'latest'}"
    if reference.file is not None:
        name = f"{name}#{PurePosixPath(reference.file).name}"
    return re.sub(r"[^A-Za-z0-9._+!=#-]", "-", name)
