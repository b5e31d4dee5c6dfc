"""Precision, recall and F1 of fields, for exams whose items ask for one field each (metadata `field`)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.domain import Exam, ItemScore, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldScores:
    """How many fields were given and right; None where there is nothing to divide by."""

    wanted: int
    """Fields that were asked for, in attempts that could be judged."""
    given: int
    correct: int

    @property
    def precision(self) -> float | None:
        """Right among those that were given."""
        return self.correct / self.given if self.given else None

    @property
    def recall(self) -> float | None:
        """Right among those that were asked for."""
        return self.correct / self.wanted if self.wanted else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of both."""
        return 2 * self.correct / (self.given + self.wanted) if self.given + self.wanted else None

    def as_json(self) -> dict[str, float | int | None]:
        """Return it as programs read it."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "correct": self.correct,
            "given": self.given,
            "wanted": self.wanted,
        }


def field_scores(exam: Exam, scores: Sequence[ItemScore]) -> dict[str, FieldScores] | None:
    """Return the scores by field, those of all under `all`; None where the exam asks for no fields.

    Attempts that failed are left out. Of an answer without any fields none was given.
    """
    field_of = {item.item: str(item.metadata["field"]) for item in exam.items if item.metadata.get("field")}
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in scores:
        field = field_of.get(each.item)
        if field is None or each.score.outcome is Outcome.FAILED:
            continue
        for name in ("all", field):
            sums[name][0] += 1
            sums[name][1] += each.score.extracted is not None
            sums[name][2] += each.score.outcome is Outcome.CORRECT
    if not sums:
        return None
    return {
        name: FieldScores(wanted=wanted, given=given, correct=right) for name, (wanted, given, right) in sums.items()
    }


def fields_sentence(found: dict[str, FieldScores]) -> str:
    """Return the figures on one line."""
    shown = [f"{name} {_percent(each.f1)}" for name, each in found.items() if name != "all"]
    whole = found["all"]
    return (
        f"fields: F1 {_percent(whole.f1)} (precision {_percent(whole.precision)}, recall {_percent(whole.recall)}); "
        f"F1 by field: {', '.join(shown)}"
    )


def _percent(value: float | None) -> str:
    return "n/a" if value is None else f"{100 * value:.1f} %"
