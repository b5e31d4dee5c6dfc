"""Models of speech that consist of several files, each pinned. YAML in `speech/`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fieldguide.catalogue._entry import _CLOSED, Fact, Licence, Place
from fieldguide.catalogue._read import read_yaml, validated


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechEntry:
    """One model of speech, and the files that an engine needs of it."""

    __pydantic_config__ = _CLOSED

    name: str
    title: str
    publisher: Fact[str]
    parameters: Fact[int]
    languages: Fact[int]
    """Number of languages it writes down or speaks."""
    licence: Licence
    files: tuple[Place, ...]
    """Each with the packages that carry it."""
    note: str | None = None


@cache
def speech_entry(name: str) -> SpeechEntry:
    """Return the model of speech that is called `name`.

    Raises:
        CatalogueError: There is none, or its file is malformed.
    """
    item = files("fieldguide.catalogue").joinpath("speech", f"{name}.yaml")
    entry: SpeechEntry = validated(item.name, read_yaml(item), SpeechEntry)
    return entry
