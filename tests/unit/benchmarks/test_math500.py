"""MATH-500: its exam, its ids and what an answer that cannot be judged becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.math500 import Math, Math500, math_item_id
from fieldguide.domain import Completion, FinishReason, Outcome
from fieldguide.errors import InputFileError
from tests.support.shared import shared
from tests.unit.benchmarks.maths_data import MATH_ROWS, write_jsonl


def test_ids_and_metadata_are_the_data_sets_own(tmp_path: Path) -> None:
    """The unique_id gives the id; subject and level stand beside it."""
    write_jsonl(tmp_path / "math" / "a.jsonl", MATH_ROWS)
    exam = Math500().exam(ExamRequest(data_dir=tmp_path))
    assert [item.item for item in exam.items] == [f"math/test/algebra/{number}" for number in (1, 2, 3)]
    assert dict(exam.items[1].metadata) == {"unique_id": "test/algebra/2.json", "subject": "Algebra", "level": 2}
    assert exam.items[1].target == "2"
    assert exam.decoding.max_output_tokens == 4096


def test_a_copy_with_other_columns_gives_the_same_targets(tmp_path: Path) -> None:
    """`type`, `Level 3` and an answer that only stands boxed in the solution will do; the id is then the text's."""
    rows = [
        {"Problem": row["problem"], "solution": row["solution"], "type": "Algebra", "Level": "Level 3"}
        for row in MATH_ROWS
    ]
    write_jsonl(tmp_path / "a.jsonl", rows)
    exam = Math500().exam(ExamRequest(data_dir=tmp_path))
    assert [item.target for item in exam.items] == ["1", "2", "3"]
    assert exam.items[0].item == math_item_id("Problem\n 1?", None)
    assert dict(exam.items[0].metadata) == {"unique_id": None, "subject": "Algebra", "level": 3}


@pytest.mark.parametrize(
    "unique_id", ["test/precalculus/807.json", "test/precalculus/807", "data/test/precalculus/807.json"]
)
def test_spellings_of_a_unique_id_are_one_item(unique_id: str) -> None:
    """The id does not depend on how a copy spells the path."""
    assert math_item_id("any", unique_id) == "math/test/precalculus/807"


def test_a_repeated_problem_names_its_line(tmp_path: Path) -> None:
    """Two rows with one id would make two answers out of one."""
    write_jsonl(tmp_path / "a.jsonl", [*MATH_ROWS, MATH_ROWS[0]])
    with pytest.raises(InputFileError, match=r"line 4: 'math/test/algebra/1' stands twice"):
        Math500().exam(ExamRequest(data_dir=tmp_path))


def test_a_strange_unique_id_names_its_line(tmp_path: Path) -> None:
    """An id of another form is refused rather than guessed."""
    write_jsonl(tmp_path / "a.jsonl", [{**MATH_ROWS[0], "unique_id": "seven"}])
    with pytest.raises(InputFileError, match="line 1: the unique_id 'seven'"):
        Math500().exam(ExamRequest(data_dir=tmp_path))


def test_an_answer_too_hard_to_compare_is_unparsed_and_disputed(tmp_path: Path) -> None:
    """The comparison is killed at its deadline: not correct, within the bounds, and on the list of the disputed."""
    pytest.importorskip("math_verify", reason="math-verify is not installed (extra `maths`)")
    write_jsonl(tmp_path / "a.jsonl", [{**MATH_ROWS[0], "answer": "x+2"}])
    (item,) = Math500().exam(ExamRequest(data_dir=tmp_path)).items
    scorer = Math500().scorer("fieldguide")
    try:
        score = scorer.score(item, Completion(text=r"\boxed{9^{9^{9^9}}}", finish_reason=FinishReason.STOP))
        after = scorer.score(item, Completion(text=r"\boxed{2+x}", finish_reason=FinishReason.STOP))
    finally:
        scorer.close()
    assert (score.outcome, score.extracted) == (Outcome.UNPARSED, "9^{9^{9^9}}")
    assert score.detail == "disputed: no check of equality came to an end in 2 s"
    assert after.outcome is Outcome.CORRECT


def test_the_whole_test_split_gives_shared_problems_the_same_ids() -> None:
    """All 5,000, from a copy without ids; the 500 keep the ids that they have in `math500`."""
    whole = Math().exam(ExamRequest(data_dir=shared("benchmarks")))
    part = Math500().exam(ExamRequest(data_dir=shared("benchmarks")))
    assert (whole.benchmark, len(whole.items), len(part.items)) == ("math", 5000, 500)
    texts = {item.item: (item.messages or ())[0].text.split() for item in whole.items}
    assert all(texts[item.item] == (item.messages or ())[0].text.split() for item in part.items)
    unique_ids = {item.item: item.metadata["unique_id"] for item in whole.items}
    assert all(unique_ids[item.item] == item.metadata["unique_id"] for item in part.items)


def test_a_copy_without_ids_gives_the_500_the_same_ids(tmp_path: Path) -> None:
    """Ids do not depend on the copy: the usual problems are known by their texts."""
    import json

    rows = [json.loads(line) for line in shared("benchmarks", "math", "math500_test.jsonl").read_text().splitlines()]
    write_jsonl(tmp_path / "a.jsonl", [{**row, "unique_id": None} for row in rows])
    with_ids, without = (Math500().exam(ExamRequest(data_dir=folder)) for folder in (shared("benchmarks"), tmp_path))
    assert without.exam_id == with_ids.exam_id


def test_minerva_continues_after_four_solved_examples(tmp_path: Path) -> None:
    """A text to continue, greedy, that stops at the next problem; what stands in for its equality is told."""
    write_jsonl(tmp_path / "a.jsonl", MATH_ROWS)
    exam = Math500().exam(ExamRequest(data_dir=tmp_path, protocol="minerva"))
    prompt = exam.items[0].prompt or ""
    assert prompt.count("Problem:\n") == 5
    assert prompt.startswith("Problem:\nFind the domain of the expression")
    assert "I hope it is correct.\n\nProblem:\nIf $\\det" in prompt
    assert prompt.endswith("Problem:\nProblem 1?\n\nSolution:")
    assert exam.decoding.stop == ("Problem:",)
    assert any("our equality" in str(warning) for warning in exam.source["warnings"])  # type: ignore[union-attr]


def test_simple_evals_asks_for_an_answer_line(tmp_path: Path) -> None:
    """Its own words, with the problem between them; our equality stands in for its judge."""
    write_jsonl(tmp_path / "a.jsonl", MATH_ROWS)
    exam = Math500().exam(ExamRequest(data_dir=tmp_path, protocol="simple-evals"))
    (message,) = exam.items[0].messages or ()
    assert "of the form Answer: $ANSWER (without quotes)" in message.text
    assert "\n\nProblem 1?\n\n" in message.text
    assert any("the language model that judges" in str(told) for told in exam.source["warnings"])  # type: ignore[union-attr]
    assert Math500().protocols == ("fieldguide", "minerva", "qwen2.5-math", "simple-evals")
