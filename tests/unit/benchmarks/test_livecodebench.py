"""LiveCodeBench: its exam, by release and window, and its scorer."""

from __future__ import annotations

import base64
import os
import pickle
import zlib
from pathlib import Path
from typing import Any

import pytest

from fieldguide.benchmarks import AnswerScorer, ExamRequest
from fieldguide.benchmarks._code_judging import FunctionTest, InputTest
from fieldguide.benchmarks.livecodebench import LiveCodeBench
from fieldguide.domain import Completion, Exam, FinishReason, JsonValue, Outcome
from fieldguide.errors import DatasetUnavailableError, InputFileError, ScoringError, UnknownNameError, UsageError
from tests.support.code_data import FakeJudge, problem, wrapped, write_rows

V5 = "2024-10-10T00:00:00"
CODE = "Here:\n```python\nprint(3)\n```"
STARTER = "class Solution:\n    def add(self, a: int) -> int:\n        "


def exam_of(tmp_path: Path, *rows: dict[str, Any], **asked: Any) -> Exam:
    write_rows(tmp_path / "livecodebench" / "a.jsonl", list(rows))
    return LiveCodeBench().exam(ExamRequest(data_dir=tmp_path, **asked))


def warnings_of(exam: Exam) -> str:
    told = exam.source["warnings"]
    assert isinstance(told, list)
    return " ".join(map(str, told))


def test_items_stand_in_the_order_of_their_ids_and_say_what_they_are(tmp_path: Path) -> None:
    """Metadata carry the data set's own id, the contest and whether there is starter code; never a test."""
    exam = exam_of(tmp_path, problem("b"), problem("a", starter_code=STARTER, metadata='{"func_name": "add"}'))
    assert [item.item for item in exam.items] == ["livecodebench/a", "livecodebench/b"]
    first = exam.items[0]
    assert first.metadata == {
        "question_id": "a",
        "platform": "atcoder",
        "difficulty": "easy",
        "contest_date": "2024-08-10T00:00:00",
        "starter_code": True,
        "tests": "public+private",
    }
    assert first.target.startswith("sha256:")
    assert exam.source["tests"] == "public+private"
    asked = [message.text for item in exam.items for message in item.messages or ()]
    assert "Add {two} numbers (a)." in asked[0]
    assert STARTER in asked[0]
    assert "standard input" in asked[1]
    assert not any("2 2" in text for text in asked)


def test_livecodebench_asks_in_its_own_words(tmp_path: Path) -> None:
    """System message, question, format and answer line, with their sampling."""
    exam = exam_of(tmp_path, problem("a"), protocol="livecodebench")
    system, user = exam.items[0].messages or ()
    assert system.text.startswith("You are an expert Python programmer. You will be given a question")
    assert user.text.startswith("### Question:\nAdd {two} numbers (a).\n\n### Format: Read the inputs from stdin")
    assert user.text.endswith(
        "\n```python\n# YOUR CODE HERE\n```\n\n### Answer: (use the provided format with backticks)\n\n"
    )
    decoding = exam.decoding
    assert (decoding.temperature, decoding.top_p, decoding.max_output_tokens) == (0.2, 0.95, 2000)
    assert exam.exam_id != exam_of(tmp_path, problem("a")).exam_id


def test_without_a_release_it_is_the_newest_that_the_data_reach(tmp_path: Path) -> None:
    """The exam's name says which, and what is missing of it is told."""
    exam = exam_of(tmp_path, problem("a"), problem("c", V5))
    assert exam.benchmark == "livecodebench@v5"
    assert "These data hold 2 of the 880 problems of release v5." in warnings_of(exam)
    assert exam_of(tmp_path, problem("a"), problem("c", V5), selector="v4").benchmark == "livecodebench@v4"
    assert len(exam_of(tmp_path, problem("a"), problem("c", V5), selector="release_v4").items) == 1


def test_some_problems_belong_to_a_later_release_than_their_day_says(tmp_path: Path) -> None:
    """arc184_c is of September 2024 and came with v5; 3579 is of October and came with v4."""
    rows = (problem("arc184_c", "2024-09-22T00:00:00"), problem("3579", "2024-10-05T19:30:00"))
    assert [item.metadata["question_id"] for item in exam_of(tmp_path, *rows, selector="v4").items] == ["3579"]
    assert len(exam_of(tmp_path, *rows, selector="v5").items) == 2


def test_a_windows_end_is_a_midnight(tmp_path: Path) -> None:
    """Both ends are included as moments, so that a contest later on the last day is out."""
    rows = [
        problem("a", "2024-08-01T00:00:00"),
        problem("b", "2024-09-01T00:00:00"),
        problem("c", "2024-09-01T07:30:00"),
    ]
    exam = exam_of(tmp_path, *rows, selector="v5:2024-08-01..2024-09-01")
    assert exam.benchmark == "livecodebench@v5:2024-08-01..2024-09-01"
    assert [item.metadata["question_id"] for item in exam.items] == ["a", "b"]
    alone = exam_of(tmp_path, *rows, selector="2024-09-01T00:00..2024-09-01T08:00")
    assert [item.metadata["question_id"] for item in alone.items] == ["b", "c"]
    assert [item.item for item in exam.items] == [item.item for item in exam_of(tmp_path, *rows).items][:2]


@pytest.mark.parametrize(
    ("selector", "error", "words"),
    [
        ("v9", UnknownNameError, "release of livecodebench named 'v9'"),
        ("v5:2025-02-01..2024-08-01", UsageError, "ends before it begins"),
        ("v5:2024-08-01", UsageError, "no `..`"),
        ("v5:2024-13-01..2025-01-01", UsageError, "is no date"),
        ("v5:x..y", UsageError, "is no date"),
        ("", UsageError, "Nothing follows"),
        ("v5:1999-01-01..1999-02-01", DatasetUnavailableError, "whose contests are of 2024-08-10 to 2024-08-10"),
    ],
)
def test_a_selector_that_asks_for_nothing_says_why(
    tmp_path: Path, selector: str, error: type[Exception], words: str
) -> None:
    """Unknown releases, reversed and empty windows are told apart."""
    with pytest.raises(error, match=words):
        exam_of(tmp_path, problem("a"), selector=selector)


def test_errata_are_marked_by_id_and_by_title(tmp_path: Path) -> None:
    """The mark says what is wrong; the others have none."""
    exam = exam_of(
        tmp_path,
        problem("abc311_c"),
        problem("9999", question_title="find-the-peaks"),
        problem("abc337_e"),
        problem("abc350_c"),
        problem("a"),
    )
    marks = {item.metadata["question_id"]: item.metadata.get("erratum") for item in exam.items}
    assert marks == {
        "abc311_c": "multiple answers",
        "9999": "multiple answers",
        "abc337_e": "interactive",
        "abc350_c": "wrong tests",
        "a": None,
    }
    assert "4 problems are known to be bad" in warnings_of(exam)


def test_files_join_by_question_id_whatever_their_names(tmp_path: Path) -> None:
    """Statements may lie in several files and private tests in another; answers and leaderboards are no problems."""
    folder = tmp_path / "livecodebench"
    write_rows(folder / "z.jsonl", [problem("a", private_test_cases=None)])
    write_rows(folder / "b.jsonl", [{**problem("b", private_test_cases=None), "QUESTION_ID": "b"}])
    private = wrapped([{"input": "5 5\n", "output": "10\n", "testtype": "stdin"}])
    write_rows(folder / "private.jsonl", [{"question_id": "a", "private_tests": private}])
    write_rows(folder / "recovered.jsonl", [{"question_id": "a", "input": "1", "output": "2", "in_public": False}])
    write_rows(folder / "answers.jsonl", [{**problem("x"), "code_list": ["print()"]}])
    (folder / "board.json").write_text('{"performances": [{"question_id": "a", "pass@1": 1}], "models": []}')
    judge = FakeJudge()
    benchmark = LiveCodeBench(open_judge=lambda: judge)
    exam = benchmark.exam(ExamRequest(data_dir=tmp_path))
    assert [item.metadata["tests"] for item in exam.items] == ["public+private", "public"]
    assert exam.source["tests"] == "public"
    assert "(1 of 2 problems have private ones too)" in warnings_of(exam)
    files = exam.source["files"]
    assert isinstance(files, list)
    assert [entry["file"] for entry in files if isinstance(entry, dict)] == ["b.jsonl", "z.jsonl", "private.jsonl"]
    scorer = benchmark.scorer("fieldguide")
    assert scorer.score(exam.items[0], answer(CODE)).outcome is Outcome.CORRECT
    assert judge.asked[0][1] == [
        InputTest(text="1 2\n", expected="3\n"),
        InputTest(text="5 5\n", expected="10\n"),
    ]


def test_public_tests_alone_are_told(tmp_path: Path) -> None:
    """A score without the private tests is no match for a published one, and says so."""
    exam = exam_of(tmp_path, problem("a", private_test_cases=""))
    assert exam.source["tests"] == "public"
    assert "tests: public" in warnings_of(exam)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (problem("b", question_content=None), "no question_content"),
        (problem("b", contest_date=None), "no contest_date"),
        (problem("b", contest_date="soon"), "'soon' is no date"),
        (problem("b", question_id=None), "no question_id"),
        (problem("b", public_test_cases=None, private_test_cases=None), "neither public_test_cases nor"),
        (problem("b", public_test_cases='[{"input": "1"}]'), "public tests cannot be read"),
        (problem("b", public_test_cases="[{"), "public tests cannot be read"),
        (problem("b", metadata="{"), "metadata are no JSON"),
        (problem("a"), "'a' stands twice"),
    ],
)
def test_a_malformed_row_is_named_by_its_line(tmp_path: Path, row: dict[str, Any], words: str) -> None:
    """Missing columns, odd values and ids that stand twice."""
    with pytest.raises(InputFileError, match=f"a.jsonl, line 2: .*{words}"):
        exam_of(tmp_path, problem("a"), row)


def test_data_that_are_not_there_say_where_to_put_them(tmp_path: Path) -> None:
    """The folder is named, and what belongs there."""
    with pytest.raises(DatasetUnavailableError, match="no LiveCodeBench problem file"):
        LiveCodeBench().exam(ExamRequest(data_dir=tmp_path))


def test_a_file_that_was_cut_loses_its_last_line_only_and_says_so(tmp_path: Path) -> None:
    """A download that broke off is told; what came before it holds."""
    path = write_rows(tmp_path / "livecodebench" / "a.jsonl", [problem("a"), problem("b")])
    path.write_bytes(path.read_bytes()[:-40])
    exam = LiveCodeBench().exam(ExamRequest(data_dir=tmp_path))
    assert len(exam.items) == 1
    assert "a.jsonl, line 2" in warnings_of(exam)


def answer(text: str, finish: str = "stop") -> Completion:
    return Completion(text=text, finish_reason=FinishReason(finish))


def scorer_of(tmp_path: Path, row: dict[str, Any], judge: FakeJudge) -> tuple[Exam, AnswerScorer]:
    write_rows(tmp_path / "livecodebench" / "a.jsonl", [row])
    benchmark = LiveCodeBench(open_judge=lambda: judge)
    return benchmark.exam(ExamRequest(data_dir=tmp_path)), benchmark.scorer("fieldguide")


def test_functions_are_called_with_one_json_value_a_line(tmp_path: Path) -> None:
    """The name comes from the metadata; expected values are JSON too."""
    judge = FakeJudge()
    tests: JsonValue = [{"input": '[1, 2]\n"x"', "output": "true", "testtype": "functional"}]
    row = problem("a", metadata='{"func_name": "add"}', public_test_cases=tests, private_test_cases="[]")
    exam, scorer = scorer_of(tmp_path, row, judge)
    scorer.score(exam.items[0], answer(CODE))
    assert judge.asked == [
        ("print(3)", [FunctionTest(function="add", arguments=([1, 2], "x"), expected=True)], "process")
    ]


def test_an_item_without_tests_is_failed_and_never_wrong(tmp_path: Path) -> None:
    """Nothing can be said of its answers; the exam tells beforehand."""
    exam, scorer = scorer_of(tmp_path, problem("a", public_test_cases="[]", private_test_cases=""), FakeJudge())
    assert "1 problems have no tests here and cannot be judged: a." in warnings_of(exam)
    with pytest.raises(ScoringError, match="has no tests"):
        scorer.score(exam.items[0], answer(CODE))


class _Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("what", ["hostile", "cut"])
def test_private_tests_that_are_no_tests_are_an_error_of_the_item(tmp_path: Path, what: str) -> None:
    """A pickle that would run something, and one that was cut: nothing runs, and no answer is wrong for it."""
    mark = tmp_path / "mark"
    pickled = pickle.dumps(_Hostile(mark)) if what == "hostile" else pickle.dumps("[]" + " " * 10_000_000)
    packed = zlib.compress(pickled)
    private = base64.b64encode(packed[:-20] if what == "cut" else packed).decode()
    exam, scorer = scorer_of(tmp_path, problem("a", private_test_cases=private), FakeJudge())
    with pytest.raises(ScoringError, match="private tests of a cannot be read"):
        scorer.score(exam.items[0], answer(CODE))
    assert not mark.exists()


def test_the_newest_release_holds_only_what_is_known(tmp_path: Path) -> None:
    """A problem later than every known release is in none of them."""
    exam = exam_of(tmp_path, problem("a"), problem("b", "2031-01-01"))
    assert [item.metadata["question_id"] for item in exam.items] == ["a"]


def test_the_protocols_are_told(tmp_path: Path) -> None:
    """Ours first; an unknown one is an error with the names."""
    assert LiveCodeBench().protocols == ("fieldguide", "livecodebench")
    with pytest.raises(UnknownNameError, match="protocol of livecodebench"):
        exam_of(tmp_path, problem("a"), protocol="lcb-pro")
