"""What a page is: a context that is documented, shown by a template and given to programs as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fieldguide.app.wiring import House
from fieldguide.errors import UsageError
from fieldguide.web._entry import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks a page for."""

    house: House
    visitor: Visitor
    parts: Mapping[str, str]
    """Named parts of the path."""
    loaded: Mapping[str, str] = field(default_factory=dict)
    """Models that are in memory, or on their way there, each with how it stands."""
    query: Mapping[str, tuple[str, ...]]
    """Fields of the form, each with every value that was given; empty ones are left out."""

    def one(self, name: str) -> str | None:
        """Return the last value of a field; None where it was not filled in."""
        values = self.query.get(name, ())
        return values[-1] if values else None

    def every(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return self.query.get(name, ())

    def text(self, name: str) -> str:
        """Return a field's text; nothing where it was not filled in."""
        return self.one(name) or ""

    def count(self, name: str, default: int | None = None) -> int | None:
        """Return a whole number.

        Raises:
            UsageError: The field holds something else.
        """
        given = self.one(name)
        if given is None:
            return default
        plain = given.replace(",", "").replace("_", "").strip()
        if not plain.isdecimal() or len(plain) > 15:
            raise UsageError(f"{name} takes a whole number, not {given!r}.", hint="Go back and correct the field.")
        return int(plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a page shows."""

    title: str
    context: dict[str, Any]
    """The JSON twin; its keys are those that the page declares."""
    drawn: Mapping[str, Any] = field(default_factory=dict)
    """What only a person sees: charts."""


Make: TypeAlias = Callable[[Asked], Shown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One kind of page."""

    name: str
    path: str
    """With parts in braces; under the same path and `.json`, or with `?format=json`, it is JSON."""
    template: str
    about: str
    """One sentence for the documentation."""
    make: Make
    keys: Mapping[str, str]
    """The context: what each key holds."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """What can be asked in the address."""
    nav: str | None = None
    """Its word in the navigation; None for a page that others lead to."""
    slow: bool = False
    """Whether making it may wait for the network or for a long reading, and so must hold up no other page."""
    slow_fields: frozenset[str] = frozenset()
    """Fields with which it may."""
