"""Recordings of any length, heard piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from fieldguide.domain import Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningOrder:
    """A recording to write down."""

    path: Path
    """A file on this machine, in any format that can be decoded."""
    language: str | None = None
    """ISO 639-1 code; None has it recognised."""
    translate: bool = False
    """Whether to write English, whatever is spoken."""
    words: bool = False
    """Whether to tell the time of each word."""
    skip_silence: bool = True
    """Whether to look first where anyone speaks, and to listen only there."""
    prompt: str | None = None
    """Words that are likely to occur."""
    temperature: float | None = None
    start_s: float = 0.0
    """Where to go on: what lies before is decoded and passed over."""


@runtime_checkable
class ListeningRunner(Protocol):
    """A runner that works through a recording in bounded memory and tells what it hears meanwhile."""

    def listen(self, order: ListeningOrder) -> AsyncIterator[Heard]:
        """Yield what is heard, in the order of time; the last event is a `Reached` with `last`.

        Raises:
            InputFileError: The file holds no sound that can be decoded.
            UsageError: The model does not know the language.
            RunnerError: The engine died, or was silent for longer than the deadline.
        """
