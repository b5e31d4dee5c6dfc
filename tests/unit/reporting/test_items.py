from __future__ import annotations

from fieldguide.domain import Outcome
from fieldguide.reporting import ReportAnswer, ReportItem
from fieldguide.reporting import _items as items


def item(name: str, *outcomes: Outcome, text: str = "text") -> ReportItem:
    answers = tuple(
        ReportAnswer(model=f"m{place}", attempt=0, outcome=outcome, extracted=None, text=text)
        for place, outcome in enumerate(outcomes)
    )
    return ReportItem(benchmark="b", item=name, prompt_text="q", target="t", answers=answers)


RIGHT, WRONG, CUT, FAILED = Outcome.CORRECT, Outcome.WRONG, Outcome.TRUNCATED, Outcome.FAILED


def test_questions_on_which_models_differ_come_first() -> None:
    """Then the doubtful, then those that none has right, then the rest; the given order holds within each."""
    given = [
        item("all right", RIGHT, RIGHT),
        item("none right", WRONG, WRONG),
        item("doubtful", CUT, WRONG),
        item("differ", RIGHT, WRONG),
        item("differ too", CUT, RIGHT),
    ]
    names = [shown.item.item for shown in items.choose(given).items]
    assert names == ["differ", "differ too", "doubtful", "none right", "all right"]


def test_a_failed_answer_makes_no_difference_between_models() -> None:
    """A fault is not a wrong answer."""
    (shown,) = items.choose([item("one side failed", RIGHT, FAILED)]).items
    assert not shown.differ
    assert shown.doubtful


def test_several_attempts_differ_only_by_how_often_they_are_right() -> None:
    """Two of four equals one of two."""
    answers = [("a", RIGHT), ("a", WRONG), ("b", WRONG), ("b", RIGHT), ("b", RIGHT), ("b", WRONG)]
    made = tuple(
        ReportAnswer(model=model, attempt=place, outcome=outcome, extracted=None, text="")
        for place, (model, outcome) in enumerate(answers)
    )
    (shown,) = items.choose([ReportItem(benchmark="b", item="i", prompt_text="", target="", answers=made)]).items
    assert not shown.differ


def test_a_large_exam_is_shown_in_part_and_the_rest_is_counted() -> None:
    """The most telling questions stay."""
    given = [item(f"same {place}", RIGHT, RIGHT) for place in range(5000)] + [item("differ", RIGHT, WRONG)]
    chosen = items.choose(given)
    assert len(chosen.items) == items.MAX_ITEMS
    assert chosen.items[0].item.item == "differ"
    assert chosen.left_out == 5001 - items.MAX_ITEMS
    assert chosen.differ_total == 1


def test_long_answers_leave_room_for_fewer_questions() -> None:
    """The characters on a page are bounded, whatever models write."""
    given = [item(f"i{place}", *[RIGHT] * 20, text="x" * 100_000) for place in range(400)]
    chosen = items.choose(given)
    assert 0 < len(chosen.items) < 60
    assert chosen.left_out == 400 - len(chosen.items)
