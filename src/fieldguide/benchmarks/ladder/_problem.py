"""What a rung gives: one question and its only right answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fieldguide.benchmarks.ladder._draw import Draw


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A question and its target: an integer, a bracketed list of integers, or a short word."""

    question: str
    target: str


Rung: TypeAlias = Callable[[Draw], Problem]
"""Draws one problem of one difficulty."""
