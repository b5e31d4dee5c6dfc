"""Word problems: people who hold, buy, lose and exchange things, told one event a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from fieldguide.benchmarks.ladder._draw import Draw
from fieldguide.benchmarks.ladder._problem import Problem, Rung

_NAMES = ("Ana", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Hugo", "Ines", "Jack", "Kira", "Leo")
_THINGS = ("apples", "balls", "books", "cards", "coins", "eggs", "marbles", "pens", "shells", "stamps")
_OTHER_THINGS = ("cousins", "hats", "pets", "shirts", "umbrellas")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How hard a story is."""

    people: int = 1
    events: int
    """Events after everyone's holdings are told."""
    size: int
    """Largest number told in a sentence."""
    moves: tuple[str, ...]
    """Kinds of event to choose from."""
    related: bool = False
    """Whether the second and later holdings are told relative to earlier ones."""
    distractors: int = 0
    """Sentences that do not matter."""
    questions: tuple[str, ...] = ("now",)


class _Story:
    """A story being told, with what everyone holds so far."""

    def __init__(self, draw: Draw, plan: _Plan) -> None:
        self.draw = draw
        self.plan = plan
        self.things = draw.pick(_THINGS)
        self.people = draw.distinct(_NAMES, plan.people)
        self.held: dict[str, int] = {}
        self.sentences: list[str] = []

    def number(self) -> int:
        return self.draw.between(2, self.plan.size)

    def small(self) -> int:
        return self.draw.between(2, 9)

    def tell(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def two_people(self) -> tuple[str, str]:
        first, second = self.draw.distinct(self.people, 2)
        return first, second


def _one(story: _Story) -> bool:
    person = story.draw.pick(story.people)
    story.held[person] += 1
    story.tell(f"{person} {story.draw.pick(('buys', 'finds'))} 1 more {story.things.removesuffix('s')}.")
    return True


def _buys(story: _Story) -> bool:
    person, count = story.draw.pick(story.people), story.number()
    story.held[person] += count
    story.tell(f"{person} {story.draw.pick(('buys', 'finds'))} {count} more {story.things}.")
    return True


def _loses(story: _Story) -> bool:
    person = story.draw.pick(story.people)
    if story.held[person] < 3:
        return False
    count = story.draw.between(2, min(story.plan.size, story.held[person] - 1))
    story.held[person] -= count
    story.tell(f"{person} {story.draw.pick(('loses', 'sells'))} {count} {story.things}.")
    return True


def _gives(story: _Story) -> bool:
    giver, taker = story.two_people()
    if story.held[giver] < 3:
        return False
    count = story.draw.between(2, min(story.plan.size, story.held[giver] - 1))
    story.held[giver] -= count
    story.held[taker] += count
    story.tell(f"{giver} gives {count} {story.things} to {taker}.")
    return True


def _bags(story: _Story) -> bool:
    person, bags, each = story.draw.pick(story.people), story.small(), story.number()
    story.held[person] += bags * each
    story.tell(f"{person} buys {bags} bags with {each} {story.things} in each bag.")
    return True


def _days(story: _Story) -> bool:
    person, days, each = story.draw.pick(story.people), story.draw.between(3, 12), story.number()
    story.held[person] += days * each
    story.tell(f"On each of the next {days} days, {person} collects {each} {story.things}.")
    return True


def _part(story: _Story) -> bool:
    giver, taker = story.two_people()
    word, parts = story.draw.pick((("half", 2), ("a third", 3), ("a quarter", 4)))
    if story.held[giver] % parts or not story.held[giver]:
        return False
    moved = story.held[giver] // parts
    story.held[giver] -= moved
    story.held[taker] += moved
    story.tell(f"{giver} gives {word} of {giver}'s {story.things} to {taker}.")
    return True


def _matches(story: _Story) -> bool:
    person, other = story.two_people()
    story.held[person] += story.held[other]
    story.tell(f"{person} buys as many {story.things} as {other} has.")
    return True


def _swaps(story: _Story) -> bool:
    first, second = story.two_people()
    story.held[first], story.held[second] = story.held[second], story.held[first]
    story.tell(f"{first} and {second} swap all their {story.things}.")
    return True


def _shares(story: _Story) -> bool:
    first, second = story.two_people()
    together = story.held[first] + story.held[second]
    if together % 2 or story.held[first] == story.held[second]:
        return False
    story.held[first] = story.held[second] = together // 2
    story.tell(f"{first} and {second} put their {story.things} together and share them equally.")
    return True


_MOVES: Mapping[str, Callable[[_Story], bool]] = {
    "one": _one,
    "buys": _buys,
    "loses": _loses,
    "gives": _gives,
    "bags": _bags,
    "days": _days,
    "part": _part,
    "matches": _matches,
    "swaps": _swaps,
    "shares": _shares,
}
"""Each tells one event and says whether the holdings allowed it."""


def _introduce(story: _Story) -> None:
    for place, person in enumerate(story.people):
        if place == 0 or not story.plan.related:
            story.held[person] = story.number() + 1
            story.tell(f"{person} has {story.held[person]} {story.things}.")
        elif story.draw.below(2):
            other, factor = story.people[place - 1], story.draw.between(2, 5)
            story.held[person] = story.held[other] * factor
            story.tell(f"{person} has {factor} times as many {story.things} as {other}.")
        else:
            other, more = story.people[place - 1], story.number()
            story.held[person] = story.held[other] + more
            story.tell(f"{person} has {more} more {story.things} than {other}.")


def _distract(story: _Story) -> None:
    """Put sentences that do not matter between the others; each says something of its own."""
    people = story.draw.shuffled(story.people)
    said = [f"It is {story.draw.between(10, 35)} degrees outside."]
    said += [f"{person} is {story.draw.between(8, 40)} years old." for person in people]
    other = story.draw.pick(_OTHER_THINGS)
    said += [f"{person} also has {story.draw.between(2, 12)} {other}." for person in people]
    for sentence in story.draw.distinct(said, story.plan.distractors):
        story.sentences.insert(story.draw.between(1, len(story.sentences)), sentence)


def _question(story: _Story) -> tuple[str, int]:
    kind = story.draw.pick(story.plan.questions)
    if kind == "now":
        person = story.draw.pick(story.people)
        return f"How many {story.things} does {person} have now?", story.held[person]
    if kind == "price":
        person, price = story.draw.pick(story.people), story.small()
        question = (
            f"{person} sells all of {person}'s {story.things} for {price} dollars each. How many dollars is that?"
        )
        return question, price * story.held[person]
    first, second = story.two_people()
    if kind == "difference" and story.held[first] != story.held[second]:
        more, fewer = sorted((first, second), key=lambda person: -story.held[person])
        question = f"How many more {story.things} does {more} have than {fewer}?"
        return question, story.held[more] - story.held[fewer]
    together = story.held[first] + story.held[second]
    return f"How many {story.things} do {first} and {second} have together?", together


def _tell(plan: _Plan, draw: Draw) -> Problem:
    story = _Story(draw, plan)
    _introduce(story)
    events = 0
    while events < plan.events:
        events += _MOVES[draw.pick(plan.moves)](story)
    _distract(story)
    question, answer = _question(story)
    return Problem(question=" ".join((*story.sentences, question)), target=str(answer))


_SIMPLE = ("buys", "loses")
_PAIRED = (*_SIMPLE, "gives", "bags")
_RICH = (*_PAIRED, "days", "part")
_ALL = ("gives", "bags", "days", "part", "matches", "swaps", "shares", "loses")
_BETWEEN_TWO = ("now", "together", "difference")

PLANS: tuple[_Plan, ...] = (
    _Plan(events=0, size=40, moves=_SIMPLE),
    _Plan(events=0, size=40, moves=_SIMPLE, people=2),
    _Plan(events=1, size=20, moves=("one",)),
    _Plan(events=1, size=20, moves=_SIMPLE),
    _Plan(events=2, size=20, moves=(*_SIMPLE, "bags")),
    _Plan(events=2, size=20, moves=_PAIRED, people=2, related=True, questions=_BETWEEN_TWO),
    _Plan(events=4, size=40, moves=_RICH, people=2, related=True, distractors=1, questions=(*_BETWEEN_TWO, "price")),
    _Plan(
        events=6,
        size=60,
        moves=_RICH,
        people=3,
        related=True,
        distractors=2,
        questions=("together", "difference", "price"),
    ),
    _Plan(events=8, size=90, moves=_ALL, people=3, related=True, distractors=2, questions=("difference", "price")),
    _Plan(events=11, size=250, moves=_ALL, people=4, related=True, distractors=3, questions=("difference", "price")),
)

RUNGS: tuple[Rung, ...] = tuple(partial(_tell, plan) for plan in PLANS)
"""Rungs 1 to 10."""
