"""The fixed, endless order of items for one seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from fieldguide.benchmarks.ladder import _arithmetic, _programs, _sequences, _stories
from fieldguide.benchmarks.ladder._draw import Draw
from fieldguide.benchmarks.ladder._problem import Problem, Rung
from fieldguide.benchmarks.ladder._prompts import FORMS
from fieldguide.domain import ExamItem

VERSION = 1
"""Goes up whenever any item of any seed changes; the golden test then has to be renewed."""

SKILLS: Mapping[str, tuple[Rung, ...]] = {
    "arithmetic": _arithmetic.RUNGS,
    "stories": _stories.RUNGS,
    "sequences": _sequences.RUNGS,
    "programs": _programs.RUNGS,
}
RUNG_COUNT = 10
BLOCK_ITEMS = len(SKILLS) * RUNG_COUNT
"""Items in which every skill and rung occurs exactly once."""

_OFFSETS = (0, 2, 5, 7)
"""Distances between the rungs of one row of four, so that each row holds easy and hard items."""
_REDRAWS = 200


def items(seed: int) -> Iterator[ExamItem]:
    """Yield the items of `seed` without end. Each depends on nothing but the seed and its place."""
    asked = {(skill, shot.question) for skill, form in FORMS.items() for shot in form.examples}
    line = count()
    for block in count():
        for skill, rung in block_order(seed, block):
            problem = _unasked(seed, skill, rung, block, asked)
            asked.add((skill, problem.question))
            yield ExamItem(
                item=f"ladder/{seed}/{skill}-{rung:02d}-{block:04d}",
                target=problem.target,
                prompt=FORMS[skill].prompt(problem.question),
                metadata={"skill": skill, "rung": rung, "line": next(line)},
            )


def block_order(seed: int, block: int) -> list[tuple[str, int]]:
    """Return the 40 pairs of skill and rung (1 to 10) of one block, in order.

    Four in a row always hold the four skills at well spread rungs, so that even a short prefix is balanced.
    """
    draw = Draw(f"ladder/{VERSION}/{seed}/order/{block}")
    offsets = dict(zip(SKILLS, draw.shuffled(_OFFSETS)))
    order = []
    for row in draw.shuffled(range(RUNG_COUNT)):
        for skill in draw.shuffled(tuple(SKILLS)):
            order.append((skill, (row + offsets[skill]) % RUNG_COUNT + 1))
    return order


def _unasked(seed: int, skill: str, rung: int, number: int, asked: set[tuple[str, str]]) -> Problem:
    """Return the cell's problem of that number; a question asked before is drawn again.

    Cells of the lowest rungs hold some hundred questions. When a very long exam has used one up, it repeats them.
    """
    draw = Draw(f"ladder/{VERSION}/{seed}/{skill}/{rung}/{number}")
    problem = SKILLS[skill][rung - 1](draw)
    for _ in range(_REDRAWS):
        if (skill, problem.question) not in asked:
            break
        problem = SKILLS[skill][rung - 1](draw)
    return problem
