"""GSM8K: its exam and its scorer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldguide.benchmarks import AnswerScorer, ExamRequest
from fieldguide.benchmarks.gsm8k import Gsm8k
from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome
from fieldguide.errors import InputFileError, UnknownNameError
from tests.unit.benchmarks.maths_data import GSM8K_ROWS, write_jsonl


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "gsm8k" / "any name.jsonl", GSM8K_ROWS)
    return tmp_path


@pytest.fixture
def scorer() -> Iterator[AnswerScorer]:
    scorer = Gsm8k().scorer("fieldguide")
    yield scorer
    scorer.close()


def test_the_exam_asks_the_questions_in_the_files_order(data: Path) -> None:
    """Ids are line numbers from 0, targets lose their commas, and braces in a question are left alone."""
    exam = Gsm8k().exam(ExamRequest(data_dir=data))
    assert [item.item for item in exam.items] == ["gsm8k/test/0", "gsm8k/test/1", "gsm8k/test/2"]
    assert [item.target for item in exam.items] == ["5", "1001", "3"]
    assert [dict(item.metadata) for item in exam.items] == [{"line": 0}, {"line": 1}, {"line": 2}]
    (message,) = exam.items[1].messages or ()
    assert message.text.startswith("A thousand and {1}?\n\n")
    assert message.text.endswith(r"within \boxed{}.")
    assert (exam.benchmark, exam.protocol, exam.available_items) == ("gsm8k", "fieldguide", 3)
    assert (exam.decoding.temperature, exam.decoding.max_output_tokens) == (0.0, 2048)


def test_the_source_is_told_and_is_no_part_of_the_id(data: Path, tmp_path: Path) -> None:
    """The same rows in another file give the same exam; name and sha256 stand beside it."""
    other = tmp_path / "other"
    write_jsonl(other / "x.jsonl", [{"Answer": row["answer"], "PROBLEM": row["question"]} for row in GSM8K_ROWS])
    exam, same = (Gsm8k().exam(ExamRequest(data_dir=folder)) for folder in (data, other))
    assert exam.exam_id == same.exam_id
    assert (exam.source["file"], same.source["file"]) == ("gsm8k/any name.jsonl", "x.jsonl")
    assert exam.source["sha256"] != same.source["sha256"]
    assert exam.source["warnings"] == ["gsm8k/any name.jsonl holds 3 of the usual 1319 items."]


def test_a_limit_is_a_prefix_and_protocols_share_ids(data: Path) -> None:
    """Item ids depend neither on limit nor on protocol nor on seed; the exam id tells protocols apart."""
    whole = Gsm8k().exam(ExamRequest(data_dir=data))
    part = Gsm8k().exam(ExamRequest(data_dir=data, limit=2, seed=7))
    qwen = Gsm8k().exam(ExamRequest(data_dir=data, protocol="qwen2.5-math"))
    assert part.items == whole.items[:2]
    assert part.available_items == 3
    assert [item.item for item in qwen.items] == [item.item for item in whole.items]
    assert qwen.exam_id != whole.exam_id
    assert [message.role for message in qwen.items[0].messages or ()] == ["system", "user"]


@pytest.mark.parametrize(
    ("request_", "name"), [({"protocol": "qwen2-math"}, "qwen2-math"), ({"selector": "hard"}, "hard")]
)
def test_unknown_names_are_refused(data: Path, request_: dict[str, str], name: str) -> None:
    """A protocol or part that does not exist is named, with the nearest where there is one."""
    with pytest.raises(UnknownNameError, match=name):
        Gsm8k().exam(ExamRequest(data_dir=data, **request_))  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ["no hashes", "####  ", None])
def test_a_row_without_a_target_names_its_line(tmp_path: Path, answer: str | None) -> None:
    """A broken row is an error of the file and of its line."""
    path = write_jsonl(tmp_path / "a.jsonl", [*GSM8K_ROWS, {"question": "?", "answer": answer}])
    with pytest.raises(InputFileError, match="line 4"):
        Gsm8k().exam(ExamRequest(data_dir=path.parent))


ITEM = ExamItem(item="gsm8k/test/0", target="18", prompt="")


@pytest.mark.parametrize(
    ("text", "finish", "outcome"),
    [
        (r"\boxed{18}", "stop", "correct"),
        (r"<think>\boxed{7}</think>The answer is $18$ dollars.", "stop", "correct"),
        ("9 * 2 = 18", "stop", "correct"),
        ("#### 18", "stop", "correct"),
        (r"\boxed{17}", "stop", "wrong"),
        ("no idea", "stop", "unparsed"),
        ("", "stop", "unparsed"),
        ("I'm sorry, but I can't help with that.", "stop", "refused"),
        ("", "content_filter", "refused"),
        (r"so \boxed{18} and further", "length", "correct"),
        (r"so \boxed{1", "length", "truncated"),
        ("first 18, then", "length", "truncated"),
        ("The answer is 1", "length", "truncated"),
        ("The answer is 18.\nAnd", "length", "correct"),
        ("<think>18, so", "length", "truncated"),
        ("<think>18, so", "stop", "truncated"),
    ],
)
def test_every_way_an_answer_can_end(scorer: AnswerScorer, text: str, finish: str, outcome: str) -> None:
    """Correct, wrong, cut off, without an answer, and declined are five different things."""
    score = scorer.score(ITEM, Completion(text=text, finish_reason=FinishReason(finish)))
    assert score.outcome is Outcome(outcome)
    assert (score.extracted is None) == (outcome not in {"correct", "wrong"})


def test_the_scorer_says_who_it_is(scorer: AnswerScorer) -> None:
    """Name and version, with the library behind the slow step."""
    assert (scorer.identity.name, scorer.identity.version) == ("maths", "2+math-verify-0.9.0")
