"""GPQA: its exams, the order of its choices, and what an answer is judged to be. All questions are invented."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fieldguide.benchmarks import ExamRequest, HasProtocols
from fieldguide.benchmarks.gpqa import Gpqa
from fieldguide.domain import Completion, Exam, ExamItem, FinishReason, JsonValue, Outcome
from fieldguide.errors import ScoringError, UnknownNameError
from tests.support.gpqa import CANARY, ROWS, SECRET, gpqa_folder, row


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return gpqa_folder(tmp_path)


def exam_of(data: Path, **asked: object) -> Exam:
    return Gpqa().exam(ExamRequest(data_dir=data, **asked))  # type: ignore[arg-type]


def text_of(item: ExamItem) -> str:
    assert item.messages
    return item.messages[-1].text


def order_of(item: ExamItem) -> list[int]:
    order = item.metadata["choice_order"]
    assert isinstance(order, list)
    return [int(str(own)) for own in order]


def test_items_are_known_by_their_record_ids(data: Path) -> None:
    """In order of their ids, wherever the file has them, with what is known of them."""
    exam = exam_of(data)
    assert exam.benchmark == "gpqa@diamond"
    assert [item.item for item in exam.items] == sorted(f"gpqa/{row['Record ID']}" for row in ROWS)
    metadata = dict(exam.items[0].metadata)
    del metadata["choice_order"]
    assert metadata == {"record_id": "rec00000000000010", "subdomain": "Arithmetic", "domain": "Invented"}
    assert exam.source["canary"] == CANARY
    assert exam.restricted


def test_ids_do_not_depend_on_protocol_seed_or_limit(data: Path) -> None:
    """The exam's own id does."""
    exams = [
        exam_of(data),
        exam_of(data, seed=1),
        exam_of(data, protocol="gpqa-paper"),
        exam_of(data, protocol="simple-evals"),
    ]
    assert len({tuple(item.item for item in exam.items) for exam in exams}) == 1
    assert len({exam.exam_id for exam in exams}) == 4
    assert exam_of(data, limit=2).items == exams[0].items[:2]


def test_the_order_of_the_files_rows_does_not_move_our_exam(tmp_path: Path) -> None:
    """Same questions, same exam, whoever sorted the copy."""
    one = exam_of(gpqa_folder(tmp_path / "a"))
    other = exam_of(gpqa_folder(tmp_path / "b", list(reversed(ROWS))))
    assert one.exam_id == other.exam_id


def test_the_choice_order_says_what_stands_where(data: Path) -> None:
    """0 is the right answer, 1 to 3 the wrong ones as the file numbers them."""
    exam = exam_of(data, seed=3)
    choices = ("Correct Answer", "Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
    rows = {f"gpqa/{row['Record ID']}": row for row in ROWS}
    for item in exam.items:
        order = order_of(item)
        assert sorted(order) == [0, 1, 2, 3]
        assert item.target == "ABCD"[order.index(0)]
        for letter, own in zip("ABCD", order, strict=True):
            assert f"\n{letter}) {rows[item.item][choices[own]]}" in text_of(item)


def test_orders_differ_by_item_and_by_seed(tmp_path: Path) -> None:
    """All 24 orders come up, about equally often."""
    data = gpqa_folder(tmp_path, [row(number) for number in range(1, 481)])
    orders = [tuple(order_of(item)) for item in exam_of(data).items]
    assert len(set(orders)) == 24
    rights = [order.index(0) for order in orders]
    assert all(80 < rights.count(place) < 160 for place in range(4))
    assert orders != [tuple(order_of(item)) for item in exam_of(data, seed=1).items]


def test_a_known_order_stays(data: Path) -> None:
    """An order is a promise to every stored answer; this one was drawn when the rule was written."""
    assert [order_of(item) for item in exam_of(data).items][:2] == KNOWN_ORDERS


KNOWN_ORDERS = [[1, 2, 0, 3], [2, 1, 3, 0]]


def test_the_papers_order_is_one_shuffle_after_another(data: Path) -> None:
    """Over the file's rows as they stand: wrong answers first, then the right one."""
    generator = random.Random(0)
    orders = {}
    for one in ROWS:
        order = [1, 2, 3, 0]
        generator.shuffle(order)
        orders[f"gpqa/{one['Record ID']}"] = order
    exam = exam_of(data, protocol="gpqa-paper")
    assert {item.item: order_of(item) for item in exam.items} == orders
    assert text_of(exam.items[0]).startswith("What is the correct answer to this question: What is twice 10")
    assert exam.items[0].messages
    assert exam.items[0].messages[0].role == "system"


def test_simple_evals_draws_on_through_its_repeats(data: Path) -> None:
    """The seed is the number of the repeat."""
    generator = random.Random(0)
    repeats = [[generator.sample(range(4), 4) for _ in ROWS] for _ in range(2)]
    for seed, drawn in enumerate(repeats):
        exam = exam_of(data, protocol="simple-evals", seed=seed)
        wanted = {f"gpqa/{one['Record ID']}": order for one, order in zip(ROWS, drawn, strict=True)}
        assert {item.item: order_of(item) for item in exam.items} == wanted
    assert text_of(exam.items[0]).startswith("Answer the following multiple choice question. The last line")


def test_braces_in_a_question_are_text(tmp_path: Path) -> None:
    """Only the template has places to fill."""
    odd = row(1) | {"Question": "What is {A} and {question}?"}
    assert "What is {A} and {question}?" in text_of(exam_of(gpqa_folder(tmp_path, [odd])).items[0])


def test_unknown_subsets_and_protocols_are_named(data: Path) -> None:
    """With the known ones."""
    with pytest.raises(UnknownNameError) as raised:
        exam_of(data, selector="daimond")
    assert raised.value.close_matches[0] == "diamond"
    with pytest.raises(UnknownNameError, match="lm-eval"):
        exam_of(data, protocol="lm-eval")
    assert isinstance(Gpqa(), HasProtocols)
    assert Gpqa().protocols[0] == "fieldguide"


def said(text: str, finish: FinishReason = FinishReason.STOP, order: JsonValue = None) -> Completion:
    metadata: dict[str, JsonValue] = {} if order is None else {"choice_order": order}
    return Completion(text=text, finish_reason=finish, metadata=metadata)


ITEM = ExamItem(item="gpqa/x", target="C", prompt="", metadata={"choice_order": [1, 3, 0, 2]})


@pytest.mark.parametrize(
    ("completion", "outcome", "extracted"),
    [
        (said("Answer: C"), Outcome.CORRECT, "C"),
        (said("Answer: A"), Outcome.WRONG, "A"),
        (said("Answer: None of the above"), Outcome.WRONG, "none"),
        (said("<think>Answer: A</think>Answer: C"), Outcome.CORRECT, "C"),
        (said("<think>The answer is A and so"), Outcome.TRUNCATED, None),
        (said("Let me think. The answer is A. Or", FinishReason.LENGTH), Outcome.TRUNCATED, None),
        (said("Answer: C\nThis", FinishReason.LENGTH), Outcome.CORRECT, "C"),
        (said("I cannot help with that."), Outcome.REFUSED, None),
        (said("", FinishReason.CONTENT_FILTER), Outcome.REFUSED, None),
        (said(""), Outcome.UNPARSED, None),
        (said("It depends on the weather."), Outcome.UNPARSED, None),
        (said("Answer: A or C"), Outcome.UNPARSED, None),
        (said("Answer: A", order=[0, 1, 2, 3]), Outcome.CORRECT, "A"),
        (said("Answer: C", order=[0, 1, 2, 3]), Outcome.WRONG, "C"),
    ],
)
def test_outcomes(completion: Completion, outcome: Outcome, extracted: str | None) -> None:
    """The order that came with an answer goes before the exam's."""
    score = Gpqa().scorer("fieldguide").score(ITEM, completion)
    assert (score.outcome, score.extracted) == (outcome, extracted)


def test_an_order_that_came_with_the_answer_gives_its_own_target() -> None:
    """So that letter and target can be compared by those who read the file."""
    score = Gpqa().scorer("fieldguide").score(ITEM, said("Answer: A", order=[1, 0, 2, 3]))
    assert (score.outcome, score.extracted, score.target) == (Outcome.WRONG, "A", "B")
    assert Gpqa().scorer("fieldguide").score(ITEM, said("Answer: A")).target is None


@pytest.mark.parametrize("order", [[0, 1, 2], [0, 1, 2, 2], [0, 1, 2, 3, 4], ["0", "1", "2", "3"], "0123"])
def test_an_order_that_is_none_cannot_be_scored(order: JsonValue) -> None:
    """It is a fault and no wrong answer."""
    with pytest.raises(ScoringError, match="choice_order"):
        Gpqa().scorer("fieldguide").score(ITEM, said("Answer: A", order=order))


def test_identical_choices_are_told_apart_by_their_place(tmp_path: Path) -> None:
    """A wrong choice that reads like the right one stays wrong."""
    twin = row(21, wrong=(f"{SECRET} 42", f"{SECRET} 1", f"{SECRET} 2"))
    (item,) = exam_of(gpqa_folder(tmp_path, [twin])).items
    scorer = Gpqa().scorer("fieldguide")
    outcomes = [scorer.score(item, said(f"Answer: {letter}")).outcome for letter in "ABCD"]
    assert outcomes.count(Outcome.CORRECT) == 1
    assert outcomes[order_of(item).index(1)] is Outcome.WRONG


def test_the_end_of_an_unread_answer_is_kept_apart() -> None:
    """The detail shows it, and can be had without it."""
    score = Gpqa().scorer("fieldguide").score(ITEM, said(f"I wonder whether {SECRET} is large."))
    assert score.detail is not None
    assert score.detail.endswith(f"{SECRET} is large.")
    assert score.detail_unquoted == "no choice found"


def test_reference_protocols_read_a_cut_answer_as_theirs_do() -> None:
    """They know nothing of a token limit."""
    cut = said("The correct answer is (C)", FinishReason.LENGTH)
    assert Gpqa().scorer("gpqa-paper").score(ITEM, cut).outcome is Outcome.CORRECT
    assert Gpqa().scorer("simple-evals").score(ITEM, said("answer: c")).outcome is Outcome.WRONG
