"""From any name of a model to the entry of the catalogue that it means.

A name is known as it stands (title, id at a place), or its parts are: the same family, version, kind, size and variant,
whoever packed or serves it. Nothing is guessed: a name that leaves open which of two models it means is not resolved.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from fieldguide.catalogue._alias import Alias
from fieldguide.catalogue._families import CatalogueModel, Families
from fieldguide.catalogue._family import Family, Member
from fieldguide.catalogue._signature import Signature, same_date
from fieldguide.catalogue.names import ModelName, parse_name
from fieldguide.errors import UnknownNameError
from fieldguide.registry import nearest

_WEIGHTS = frozenset({"hf", "modelscope", "ollama"})
_WHOLE_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")
_SIZE_TAG = re.compile(r"(?:[a-z]?[0-9.]+x?[0-9.]*[bm])(?:-|$)")

_SEPARATOR = re.compile(r"[^a-z0-9.]+")
_NOT_BETWEEN_DIGITS = re.compile(r"(?<![0-9])[^a-z0-9.]+|[^a-z0-9.]+(?![0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a name means."""

    name: str
    """As it was asked for."""
    family: Family
    model: CatalogueModel | None
    """None: the whole family."""
    snapshot: str | None = None
    """Of an API: the dated id that is meant, where the entry itself has no date or a moving name was asked for."""
    note: str | None = None
    """One sentence, where the name and the entry are not plainly the same."""


def resolve_model(whole: Families, name: str, *, family_first: bool = False, suggest: bool = True) -> Resolved:
    """Return the model that a name means, or the family where it is the name of one.

    Args:
        whole: The catalogue.
        name: A catalogue name, a title, an id at any hub, API or cloud, a repack, a file name, a moving alias.
        family_first: Whether `gpt-4.1`, the name of a family and of a model, means the family.
        suggest: Whether an error names the nearest; to look for them takes longer than all the rest.

    Raises:
        UnknownNameError: It means none, or leaves open which.
    """
    return _resolver_of(whole).resolve(name, family_first=family_first, suggest=suggest)


_kept: tuple[Families, Resolver] | None = None


def _resolver_of(whole: Families) -> Resolver:
    """Return the resolver of a catalogue; that of the last one is kept, as its tables take a while to make."""
    global _kept
    kept = _kept
    if kept is None or kept[0] is not whole:
        kept = _kept = (whole, Resolver(whole))
    return kept[1]


class Resolver:
    """The names of one catalogue; make one to resolve many."""

    def __init__(self, whole: Families) -> None:
        """Take a catalogue; what takes time is made when it is first needed."""
        self._whole = whole
        self._models = whole.models()
        self._by_name = {model.member.name: model for model in self._models}
        self._aliases = {alias.name: alias for alias in (*_of_members(self._models), *whole.aliases)}

    def resolve(self, name: str, *, family_first: bool = False, suggest: bool = True) -> Resolved:
        """Return what a name means; see `resolve_model`."""
        low = " ".join(name.lower().split())
        family = next((each for each in self._whole.families if low in {each.name, each.title.lower()}), None)
        plainly = None if family is None or family_first else self._plainly(name, low)
        if family is not None and plainly is None:
            moved = self._moved(name, self._aliases[low]) if low in self._aliases else None
            return Resolved(name=name, family=family, model=None, note=moved.note if moved else None)
        found = plainly or self._plainly(name, low) or self._by_parts(name, low)
        if found is None:
            raise self._unknown(name, low) if suggest else UnknownNameError("model", name, [])
        return found

    def _plainly(self, name: str, low: str) -> Resolved | None:
        if (alias := self._aliases.get(low)) is not None:
            return self._moved(name, alias)
        for key in (low, folded(low)):
            if len(models := self._known.get(key, ())) == 1:
                return _resolved(name, self._by_name[next(iter(models))])
        return None

    def _by_parts(self, name: str, low: str) -> Resolved | None:
        parsed = parse_name(low)
        bare = parsed.text.removeprefix(parsed.prefix or "")
        if bare != low and (found := self._plainly(name, bare)) is not None:
            return found
        table = self._ollama_signatures if _is_ollama(parsed) else self._signatures
        candidates = table.get(Signature.of(parsed), {})
        if parsed.revision is not None and re.fullmatch(r"0[0-9]{2}", parsed.revision):
            # `gemini-1.5-pro-002` is a snapshot of what its name without the number means.
            candidates = {key: date for key, date in candidates.items() if not self._has_weights(key)}
            return self._one(name, candidates, f"its snapshot {parsed.revision}", snapshot=bare)
        exact = {key: date for key, date in candidates.items() if same_date(date, parsed.snapshot)}
        if exact:
            return self._one(name, exact, None)
        if parsed.snapshot is not None:
            return self._dated(name, bare, parsed.snapshot, candidates)
        return self._undated(name, parsed, candidates)

    def _one(
        self, name: str, candidates: Iterable[str], what: str | None, snapshot: str | None = None
    ) -> Resolved | None:
        keys = list(candidates)
        if len(keys) != 1:
            return None
        note = None if what is None else f"{name} is {what}; the facts are those of {keys[0]}."
        return _resolved(name, self._by_name[keys[0]], snapshot=snapshot, note=note)

    def _dated(self, name: str, bare: str, day: str, candidates: dict[str, str | None]) -> Resolved | None:
        """Resolve a dated id of an API whose entry has no date; of open weights another date is another model."""
        if not _WHOLE_DAY.fullmatch(day) or any(candidates.values()):
            return None
        keys = [key for key in candidates if not self._has_weights(key)]
        for key in keys:
            stated = self._aliases.get(key)
            if stated is not None and not same_date(parse_name(stated.snapshot).snapshot, day):
                return None
        return self._one(name, keys, f"its snapshot of {day}", snapshot=bare)

    def _undated(self, name: str, parsed: ModelName, candidates: dict[str, str | None]) -> Resolved | None:
        """Resolve an id of an API without its date: as a known alias, as the latest, or as the only one there is."""
        signature = Signature.of(parsed)
        for alias in self._aliases.values():
            if Signature.of(parse_name(alias.name)) == signature:
                return self._moved(name, alias)
        dated = sorted((day, key) for key, day in candidates.items() if day and not self._has_weights(key))
        latest = "latest" in (parsed.variant or "").split("-")
        if not dated or len(dated) < len(candidates) or (len(dated) > 1 and not latest):
            return None
        day, key = dated[-1]
        why = "the newest" if latest else "the only one"
        note = f"{name} moves; it is taken as the snapshot of {day}, {why} that the catalogue has."
        return _resolved(name, self._by_name[key], note=note)

    def _moved(self, name: str, alias: Alias) -> Resolved:
        note = f"{name} moves; on {alias.as_of} it meant {alias.snapshot} ({alias.source})."
        return _resolved(name, self._by_name[alias.member], snapshot=alias.snapshot, note=note)

    def _has_weights(self, key: str) -> bool:
        return any(place.hub in _WEIGHTS for place in self._by_name[key].member.places)

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        """Catalogue names by every spelling that stands somewhere, folded."""
        known: dict[str, set[str]] = defaultdict(set)
        for model in self._models:
            for spelling in (model.member.name, *_spellings(model.member)):
                known[spelling.lower()].add(model.member.name)
        for key in self._by_name:  # a catalogue name is never another's alias
            known[key] = {key}
        return known

    @cached_property
    def _signatures(self) -> dict[Signature, dict[str, str | None]]:
        return self._signed(
            (model.member.name, spelling)
            for model in self._models
            for spelling in (
                model.member.name,
                model.member.title,
                *(place.id for place in model.member.places if place.hub != "ollama"),
            )
        )

    @cached_property
    def _ollama_signatures(self) -> dict[Signature, dict[str, str | None]]:
        of_tags = self._signed(
            (model.member.name, place.id)
            for model in self._models
            for place in model.member.places
            if place.hub == "ollama"
        )
        # A tag that states the kind, `7b-instruct-q4_K_M`, needs no line of its own.
        return {**{key: value for key, value in self._signatures.items() if key.kinds}, **of_tags}

    def _signed(self, spellings: Iterable[tuple[str, str]]) -> dict[Signature, dict[str, str | None]]:
        table: dict[Signature, dict[str, str | None]] = defaultdict(dict)
        for key, spelling in spellings:
            parsed = parse_name(spelling)
            held = table[Signature.of(parsed)]
            held[key] = held.get(key) or parsed.snapshot
        return table

    def _unknown(self, name: str, low: str) -> UnknownNameError:
        several = self._known.get(low) or self._known.get(folded(low))
        if several:  # a title that several sizes share
            return UnknownNameError("model", name, sorted(several)[:3])
        parsed = parse_name(low)
        same = self._signatures.get(Signature.of(parsed), {})
        known = {key: key for key in [*self._by_name, *self._aliases, *(each.name for each in self._whole.families)]}
        known |= {each.title.lower(): each.name for each in self._whole.families if each.title.lower() not in known}
        bare = parsed.text.removeprefix(parsed.prefix or "").partition(":")[0]
        close = [*nearest(low, list(known)), *nearest(bare, list(known))]
        matches = list(dict.fromkeys([*same, *(known[key] for key in close)]))[:3]
        return UnknownNameError("model", name, matches, hint=None if matches else "Search: `fieldguide find WORDS`.")


def _resolved(name: str, model: CatalogueModel, *, snapshot: str | None = None, note: str | None = None) -> Resolved:
    return Resolved(name=name, family=model.family, model=model, snapshot=snapshot, note=note)


def _is_ollama(parsed: ModelName) -> bool:
    """Return whether a name has Ollama's form, where a tag without a kind means the tuned model."""
    return parsed.tag is not None and _SIZE_TAG.match(parsed.tag) is not None


def _of_members(models: Iterable[CatalogueModel]) -> Iterator[Alias]:
    """Yield the moving names that the entries themselves state."""
    for model in models:
        if (stated := model.member.aliases) is None:
            continue
        for name in sorted(stated.value):
            snapshot = model.member.name
            yield Alias(name=name, member=snapshot, snapshot=snapshot, source=stated.source, as_of=stated.as_of)


def _spellings(member: Member) -> Iterator[str]:
    yield member.title
    yield folded(member.name)
    for place in member.places:
        yield place.id
        yield place.id.rpartition("/")[2]


def folded(name: str) -> str:
    """Return a name without what its spellings differ in; dots stay, and a dash between digits: 2-2b is not 22b."""
    return _SEPARATOR.sub("-", _NOT_BETWEEN_DIGITS.sub("", name.lower()))
