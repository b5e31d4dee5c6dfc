"""References to what can be fetched: `source:repo[@revision][#file]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fieldguide.errors import UsageError

_SOURCE = re.compile(r"[a-z][a-z0-9.-]*")
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]*")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReference:
    """A reference taken apart. `str()` gives its canonical form."""

    source: str
    """Name of the source, such as `package` or `file`."""
    name: str
    """Repository, package or path; a package name is in its normal form (lower case, single dashes)."""
    revision: str | None = None
    """Version of a package; None where the source has no revisions or none was given."""
    file: str | None = None
    """Which file of several."""

    def __str__(self) -> str:
        between = "==" if self.source == "package" else "@"
        revision = "" if self.revision is None else f"{between}{self.revision}"
        return f"{self.source}:{self.name}{revision}" + ("" if self.file is None else f"#{self.file}")


def parse_source_reference(text: str) -> SourceReference:
    """Return `source:repo[@revision][#file]` taken apart.

    `package:` also takes pip's own `NAME==VERSION`, and needs a version: without one, the same reference would mean
    something else tomorrow. What follows `file:` is a path and what follows `https:` an address, taken as they
    stand.

    Raises:
        UsageError: The text is not of this form, or a package has no version.
    """
    source, colon, rest = text.partition(":")
    if not colon or not rest or not _SOURCE.fullmatch(source):
        raise UsageError(
            f"{text!r} is not a reference.",
            hint="References read `source:repo[@revision][#file]`, e.g. `package:N==V`.",
        )
    if source == "file":
        return SourceReference(source=source, name=rest)
    if source in {"http", "https"}:
        return SourceReference(source=source, name=rest.partition("#")[0])
    rest, _, file = rest.partition("#")
    if source == "package":
        return _package(text, rest, file or None)
    name, _, revision = rest.partition("@")
    return SourceReference(source=source, name=name, revision=revision or None, file=file or None)


def _package(text: str, rest: str, file: str | None) -> SourceReference:
    name, separator, version = rest.partition("==") if "==" in rest else rest.partition("@")
    if not separator:
        raise UsageError(
            f"{text!r} names no version, so it would mean something else tomorrow.",
            hint=f"Pin one: `package:{name}==VERSION`.",
        )
    # Name and version go into a requirements file for pip: nothing but these letters may get there.
    if not (_PACKAGE.fullmatch(name) and _VERSION.fullmatch(version)):
        raise UsageError(f"{text!r} is not a package with one exact version.", hint="Write `package:NAME==VERSION`.")
    if file is not None and (not _FILE.fullmatch(file) or ".." in file):
        raise UsageError(
            f"{file!r} is not a file name inside a package.", hint="Write `package:NAME==VERSION#FILE.gguf`."
        )
    normal = re.sub(r"[-_.]+", "-", name).lower()
    return SourceReference(source="package", name=normal, revision=version, file=file)
