"""What a check found, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["ok", "warning", "failed", "could_not_tell"]
Certainty: TypeAlias = Literal["certain", "likely"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check."""

    check: str
    state: State
    detail: str
    hint: str | None = None
    certainty: Certainty | None = None
    """How sure a finding about a model is: `certain` rests on counts and texts, `likely` on what a model did, which a
    weak one may do for reasons of its own. None for checks of the installation, and where nothing could be told."""


def ok(check: str, detail: str, certainty: Certainty = "certain") -> Finding:
    """Return a finding that all is well."""
    return Finding(check=check, state="ok", detail=detail, certainty=certainty)


def broken(check: str, detail: str, hint: str, certainty: Certainty = "certain") -> Finding:
    """Return a finding that something is broken."""
    return Finding(check=check, state="failed", detail=detail, hint=hint, certainty=certainty)


def doubtful(check: str, detail: str, hint: str | None = None) -> Finding:
    """Return a finding of something odd that harms nobody by itself."""
    return Finding(check=check, state="warning", detail=detail, hint=hint, certainty="certain")


def untold(check: str, detail: str) -> Finding:
    """Return a finding that nothing could be told."""
    return Finding(check=check, state="could_not_tell", detail=detail)
