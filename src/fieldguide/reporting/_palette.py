"""Colours and shapes. Nothing is said by colour alone: models differ in shape, outcomes in words.

The drawings carry the light colour of each role; `report.css` gives each role its light and its dark colour through
the class that `_svg` puts in the colour's place.
"""

from __future__ import annotations

from typing import NamedTuple

from fieldguide.domain import Outcome


class Role(NamedTuple):
    """A colour by its job."""

    name: str
    """Ends the class names: `f-ink` fills with it, `s-ink` draws lines with it."""
    hex: str
    """As it stands in a drawing; unlike that of every other role."""


INK = Role("ink", "#1b2733")
MUTED = Role("muted", "#55636f")
GRID = Role("grid", "#dde3e8")
AXIS = Role("axis", "#8896a2")
DOUBT = Role("doubt", "#c3ced8")
MARGIN = Role("margin", "#e8eef4")
SURFACE = Role("surface", "#ffffff")

MODELS = (
    Role("m1", "#0b62a4"),
    Role("m2", "#b8500b"),
    Role("m3", "#0b7a63"),
    Role("m4", "#8a3f9e"),
    Role("m5", "#7a6400"),
    Role("m6", "#a8325a"),
)
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
"""Vega's names of the models' shapes, in the order of `MODELS`; `report.html.j2` draws the same ones."""

OUTCOMES = {
    Outcome.CORRECT: Role("correct", "#1d7a4c"),
    Outcome.WRONG: Role("wrong", "#66727d"),
    Outcome.TRUNCATED: Role("truncated", "#8f5d00"),
    Outcome.UNPARSED: Role("unparsed", "#7b5cc4"),
    Outcome.REFUSED: Role("refused", "#0f7f93"),
    Outcome.FAILED: Role("failed", "#b3323b"),
}

OUTCOME_MEANINGS = {
    Outcome.CORRECT: "the right answer",
    Outcome.WRONG: "an answer, but not the right one",
    Outcome.TRUNCATED: "cut off by the token limit before an answer could be read",
    Outcome.UNPARSED: "no answer could be read from the text",
    Outcome.REFUSED: "the model or its provider declined",
    Outcome.FAILED: "no answer came or it could not be judged: a fault, which counts neither way",
}

NAME_OF_HEX = {
    role.hex: role.name for role in (INK, MUTED, GRID, AXIS, DOUBT, MARGIN, SURFACE, *MODELS, *OUTCOMES.values())
}


def model_role(index: int) -> Role:
    """Return the colour of the model at `index`; the seventh has that of the first, and another shape."""
    return MODELS[index % len(MODELS)]


def model_shape(index: int) -> str:
    """Return Vega's name for the shape of the model at `index`."""
    return SHAPES[(index + index // len(SHAPES)) % len(SHAPES)]
