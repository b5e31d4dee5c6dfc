"""Which questions a page shows in full, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from fieldguide.domain import Outcome
from fieldguide.reporting._values import ReportItem

MAX_ITEMS = 500
"""Most questions shown in full: a page that a browser opens at once."""
MAX_CHARACTERS = 6_000_000
"""Most characters of questions and answers on a page, together."""
MAX_TEXT_CHARACTERS = 6_000
"""Most characters of one question or one answer."""

_ITEM_OVERHEAD_CHARACTERS = 1_000
_ANSWER_OVERHEAD_CHARACTERS = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """A question with what its answers have in common."""

    item: ReportItem
    differ: bool
    """Some model is right more often than another."""
    none_right: bool
    """At least one answer was judged and none is right."""
    doubtful: bool
    """Some answer could not be judged or read."""

    @property
    def css_classes(self) -> str:
        """Classes by which the filter on the page chooses."""
        names = (("differ", self.differ), ("none-right", self.none_right), ("doubtful", self.doubtful))
        return " ".join(["item", *(name for name, holds in names if holds)])


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItems:
    """The choice of questions for one page."""

    items: tuple[ShownItem, ...]
    total: int
    differ_total: int
    """Of all questions, shown or not."""

    @property
    def left_out(self) -> int:
        """Questions that the page does not show."""
        return self.total - len(self.items)


def choose(items: Sequence[ReportItem]) -> ShownItems:
    """Return what one page shows: first where models differ, then the doubtful, then where none is right.

    At most `MAX_ITEMS` questions and `MAX_CHARACTERS` characters; within a rank the given order holds.
    """
    looked_at = [_looked_at(item) for item in items]
    looked_at.sort(key=_rank)
    chosen: list[ShownItem] = []
    characters = 0
    for shown in looked_at[:MAX_ITEMS]:
        characters += _characters(shown.item)
        if characters > MAX_CHARACTERS:
            break
        chosen.append(shown)
    return ShownItems(items=tuple(chosen), total=len(looked_at), differ_total=sum(shown.differ for shown in looked_at))


def _looked_at(item: ReportItem) -> ShownItem:
    judged = [answer for answer in item.answers if answer.outcome is not Outcome.FAILED]
    return ShownItem(
        item=item,
        differ=len(set(_rates(item))) > 1,
        none_right=bool(judged) and not any(answer.outcome is Outcome.CORRECT for answer in judged),
        doubtful=any(answer.outcome.doubtful for answer in item.answers),
    )


def _rates(item: ReportItem) -> list[Fraction]:
    """Return the fraction right of each model with a judged answer."""
    right_of: dict[str, list[bool]] = {}
    for answer in item.answers:
        if answer.outcome is not Outcome.FAILED:
            right_of.setdefault(answer.model, []).append(answer.outcome is Outcome.CORRECT)
    return [Fraction(sum(right), len(right)) for right in right_of.values()]


def _rank(shown: ShownItem) -> int:
    if shown.differ:
        return 0
    if shown.doubtful:
        return 1
    return 2 if shown.none_right else 3


def _characters(item: ReportItem) -> int:
    texts = [item.prompt_text, item.target, *(answer.text for answer in item.answers)]
    written = sum(min(len(text), MAX_TEXT_CHARACTERS) for text in texts if text is not None)
    return written + _ITEM_OVERHEAD_CHARACTERS + _ANSWER_OVERHEAD_CHARACTERS * len(item.answers)
