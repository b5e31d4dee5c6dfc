"""What is heard in a recording: segments with their times, and the spans in which anyone speaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word, with the blank before it, if any."""

    start_s: float
    end_s: float
    text: str
    probability: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Something that was said at a stretch."""

    start_s: float
    end_s: float
    text: str
    avg_logprob: float | None = None
    """Mean natural logarithm of the tokens' probabilities."""
    no_speech_probability: float | None = None
    """The model's own doubt that anyone speaks in this stretch."""
    words: tuple[Word, ...] = ()
    """Empty where times of words were not asked for."""

    @property
    def confidence(self) -> float | None:
        """Geometric mean of the tokens' probabilities (0 to 1)."""
        return None if self.avg_logprob is None else math.exp(min(self.avg_logprob, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenLanguage:
    """The language that was recognised, once in a recording."""

    code: str
    probability: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a recording has been worked through: all before `until_s` is done and will not change."""

    until_s: float
    speech: tuple[tuple[float, float], ...] | None
    """Spans since the last such point in which anyone speaks (seconds); None where that was not looked for."""
    last: bool = False
    """Whether the recording ends here."""
    damaged_frames: int = 0
    """Pieces of the recording that could not be decoded and were left out."""


Heard: TypeAlias = SpokenLanguage | Segment | Reached
