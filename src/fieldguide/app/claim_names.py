"""Which claims a person means by a model's name: as published, or as a hub or a provider writes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from fieldguide.app.show import show_model
from fieldguide.catalogue import parse_name
from fieldguide.catalogue.claims import Claim, model_key, split_snapshot
from fieldguide.errors import UnknownNameError
from fieldguide.registry import nearest

_INSTRUCT = "instruct"
_NOT_IN_KEYS = re.compile(r"[^a-z0-9+]")


def claims_about(home: Path, name: str, ledger: Sequence[Claim], *, suggest: bool = True) -> list[Claim]:
    """Return the claims about one model; with `suggest`, the error for one without any names the nearest.

    The catalogue's names come first (`qwen2.5:7b` is an instruct model at Ollama), then the name as it is written, with
    `Instruct` where only that was measured, and last what a name says when it is taken apart. A name with a snapshot
    means that snapshot where the ledger has it, and otherwise the model.

    Raises:
        UnknownNameError: There are none; the nearest names are given.
    """
    keys = (wanted for key in spellings(home, name) for wanted in (key, key + _INSTRUCT))
    known = by_key(ledger)
    found = next((known[key] for key in keys if key in known), None) or list(_by_parts(name, ledger))
    if not found:
        names = sorted({claim.model.lower() for claim in ledger}) if suggest else []
        close = nearest(split_snapshot(name)[0].lower(), names)
        hint = None if close else "`fieldguide find` looks models up; the ledger has no score of one so named."
        raise UnknownNameError("model", name, close, hint=hint)
    snapshot = model_key(name)[1] or parse_name(name).snapshot
    return [claim for claim in found if snapshot is None or claim.snapshot == snapshot] or found


def spellings(home: Path, name: str) -> Iterator[str]:
    """Yield the keys of the ledger that a name may stand for, likeliest first."""
    try:
        page = show_model(home, name, suggest=False)
    except UnknownNameError:
        page = None
    if page is not None and not page.is_family:
        [(_, member)] = page.members
        yield model_key(member.title)[0]
        yield model_key(member.name)[0]
    yield model_key(name)[0]


_kept: tuple[Sequence[Claim], dict[str, list[Claim]]] | None = None


def by_key(ledger: Sequence[Claim]) -> dict[str, list[Claim]]:
    """Return claims by what names of one model have in common; those of the last tuple are kept."""
    global _kept
    kept = _kept
    if kept is None or kept[0] is not ledger or not isinstance(ledger, tuple):
        made: dict[str, list[Claim]] = {}
        for claim in ledger:
            made.setdefault(claim.model_key, []).append(claim)
        kept = _kept = (ledger, made)
    return kept[1]


def base_note(about: Iterable[Claim], ledger: Sequence[Claim]) -> str | None:
    """Return a sentence where claims about a base model were found and its tuned sibling has its own."""
    names = {claim.model_key: claim.model for claim in about}
    known = by_key(ledger)
    tuned = {claim.model for key in names for claim in known.get(key + _INSTRUCT, ())}
    return f"Claims about {', '.join(sorted(tuned))}, the tuned model, are others." if tuned else None


def _by_parts(name: str, ledger: Sequence[Claim]) -> Iterator[Claim]:
    wanted = _parts(name)
    if wanted is None:
        return
    family = _NOT_IN_KEYS.sub("", str(wanted[0]).lower())
    for key, several in by_key(ledger).items():
        if family not in key:
            continue  # taking thousands of names apart takes seconds
        for claim in several:
            if _parts(claim.model) == wanted:
                yield claim


@cache
def _parts(name: str) -> tuple[object, ...] | None:
    """Return what a name says of the model itself: not who keeps it, how it is stored, or its day."""
    parsed = parse_name(name)
    if parsed.family is None:
        return None
    size = (parsed.parameters, parsed.active_parameters, parsed.experts)
    return parsed.family, parsed.version, frozenset(parsed.kinds), parsed.variant, size
