"""What terms a model comes under: from the catalogue by its names, else from the tag that its hub shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fieldguide.catalogue import Families, Licence, LicenceTerms, Resolver
from fieldguide.errors import UnknownNameError

_TAGS = {
    "apache license 2.0": "apache-2.0",
    "mit license": "mit",
    "llama3": "llama-3-community",
    "llama3.1": "llama-3.1-community",
    "llama3.2": "llama-3.2-community",
    "llama3.3": "llama-3.3-community",
    "llama4": "llama-4-community",
}
"""Tags of the hubs that are written otherwise here. Any other tag is taken only if it is an id of the catalogue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceNote:
    """Facts about the terms of one model; never legal advice. None is unknown."""

    id: str
    """As the catalogue has it, else the hub's tag."""
    name: str | None
    commercial_use: str | None
    """`yes`, `with-conditions`, `no`, or a sentence."""
    duties: Mapping[str, str]
    """Conditions and what must be done, by kind."""
    terms_url: str | None
    needs_acceptance: bool
    """Whether the terms hold conditions that a user should have read before the first byte."""
    known_by: Literal["catalogue", "tag"]

    def as_json(self) -> dict[str, Any]:
        """Return the facts as programs read them."""
        return {
            "id": self.id,
            "name": self.name,
            "commercial_use": self.commercial_use,
            "duties": dict(self.duties),
            "terms_url": self.terms_url,
            "needs_acceptance": self.needs_acceptance,
            "known_by": self.known_by,
        }


def terms_of_tag(tag: str | None, terms: Mapping[str, LicenceTerms]) -> LicenceTerms | None:
    """Return the terms that a hub's tag names, where they are known here."""
    low = (tag or "").lower()
    return terms.get(_TAGS.get(low, low))


def licence_note(names: Iterable[str], tag: str | None, whole: Families) -> LicenceNote | None:
    """Return the terms of a model that goes by these names, the best known first; None where nothing is known.

    The catalogue goes before the tag, which is its owner's word: a repack is often tagged with other terms than the
    model that it was made from has.
    """
    resolver = Resolver(whole)
    for name in names:
        try:
            found = resolver.resolve(name).model
        except UnknownNameError:
            continue
        if found is not None and found.size.licence is not None:
            terms = whole.licences.get(found.size.licence.value)
            if terms is not None:
                return _noted(terms, known_by="catalogue")
    known = terms_of_tag(tag, whole.licences)
    if known is not None:
        return _noted(known, known_by="tag")
    if not tag or tag in {"other", "unknown"}:
        return None
    return LicenceNote(
        id=tag, name=None, commercial_use=None, duties={}, terms_url=None, needs_acceptance=False, known_by="tag"
    )


def entry_note(licence: Licence) -> LicenceNote:
    """Return the terms of an entry whose file the catalogue pins."""
    return LicenceNote(
        id=licence.id,
        name=licence.name,
        commercial_use=licence.commercial_use,
        duties={},
        terms_url=licence.terms_url,
        needs_acceptance=licence.needs_acceptance,
        known_by="catalogue",
    )


def _noted(terms: LicenceTerms, *, known_by: Literal["catalogue", "tag"]) -> LicenceNote:
    said = {
        "threshold": terms.threshold,
        "naming": terms.naming,
        "use_restrictions": terms.use_restrictions,
        "outputs": terms.outputs,
        "redistribution": terms.redistribution,
        "region_limits": terms.region_limits,
        "ship_along": terms.ship_along,
    }
    return LicenceNote(
        id=terms.id,
        name=terms.name,
        commercial_use=terms.commercial_use,
        duties={kind: text for kind, text in said.items() if text},
        terms_url=terms.source,
        needs_acceptance=terms.commercial_use != "yes",
        known_by=known_by,
    )
