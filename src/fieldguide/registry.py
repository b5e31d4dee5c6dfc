"""Names to plug-ins, by entry point; our own runners, sources and benchmarks come in by the same door."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

from fieldguide.errors import RunnerError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = Literal["runners", "sources", "benchmarks"]


@cache
def _found(kind: Kind) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # Takes time to load, and `list` names no plug-in.

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=f"fieldguide.{kind}"):
        earlier = found.get(point.name)
        if earlier is not None and earlier.value != point.value:
            raise UsageError(
                f"Two packages claim the {kind[:-1]} name {point.name!r}: {earlier.value} and {point.value}.",
                hint="Uninstall one of them.",
            )
        found[point.name] = point
    return found


def names(kind: Kind) -> list[str]:
    """Return the registered names of one kind, sorted."""
    return sorted(_found(kind))


def load(kind: Kind, name: str) -> object:
    """Import and return what is registered under `name`.

    Raises:
        UnknownNameError: Nothing is; the nearest names are given.
        RunnerError: The plug-in is there but fails to import.
    """
    point = _found(kind).get(name)
    if point is None:
        raise UnknownNameError(kind[:-1], name, nearest(name, names(kind)))
    try:
        return point.load()
    except ImportError as error:
        package = point.dist.name if point.dist else "unknown"
        raise RunnerError(
            f"The {kind[:-1]} {name!r} of package {package!r} cannot be imported: {error}.",
            hint=f"Reinstall it: pip install --force-reinstall {package}",
        ) from error


def nearest(name: str, known: list[str], *, most: int = 3) -> list[str]:
    """Return up to `most` known names that look like `name`, best first."""
    import difflib

    folded = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), list(folded), n=most, cutoff=0.5)
    return [folded[match] for match in found]
