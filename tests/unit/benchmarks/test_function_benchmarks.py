"""HumanEval and MBPP with their larger sets: exams, programs and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks._code_judging import AppendedTest
from fieldguide.benchmarks._function_protocols import whole_program
from fieldguide.benchmarks.humaneval import HumanEval, HumanEvalPlus
from fieldguide.benchmarks.mbpp import Mbpp, MbppPlus
from fieldguide.domain import Completion, Exam, FinishReason
from fieldguide.errors import DatasetUnavailableError, InputFileError, UnknownNameError
from tests.support.code_data import FakeJudge, write_rows

PROMPT = 'import math\n\n\ndef double(x):\n    """Twice x."""\n'
TASK: dict[str, Any] = {
    "task_id": "HumanEval/7",
    "prompt": PROMPT,
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
PLUS_TASK = {**TASK, "base_input": [[2]], "plus_input": [[3], [4.5]], "atol": 0}
MBPP_TASK: dict[str, Any] = {
    "text": "Write a function to double.",
    "code": "def double(x):\r\n  return 2 * x",
    "task_id": 11,
    "test_setup_code": "",
    "test_list": ["assert double(1) == 2", "assert double(2) == 4"],
    "challenge_test_list": [],
}
MBPP_PLUS_TASK: dict[str, Any] = {
    "task_id": "Mbpp/2",
    "prompt": '"""\nWrite a function to double.\nassert double((1,)) == 2\n"""\n',
    "entry_point": "double",
    "canonical_solution": "\ndef double(x):\n    return 2 * x[0]\n",
    "base_input": [[[1]]],
    "plus_input": {},
    "atol": 0,
}


def humaneval(tmp_path: Path, *rows: dict[str, Any], **asked: Any) -> tuple[Exam, FakeJudge, HumanEval]:
    write_rows(tmp_path / "humaneval" / "a.jsonl", list(rows or (TASK,)))
    judge = FakeJudge()
    benchmark = HumanEval(open_judge=lambda: judge)
    return benchmark.exam(ExamRequest(data_dir=tmp_path, **asked)), judge, benchmark


def run(text: str, exam: Exam, judge: FakeJudge, benchmark: HumanEval | Mbpp | MbppPlus) -> str:
    scorer = benchmark.scorer(exam.protocol)
    scorer.score(exam.items[0], Completion(text=text, finish_reason=FinishReason.STOP))
    program = judge.asked[-1][0]
    namespace: dict[str, Any] = {}
    exec(program, namespace)  # Our own test's code.
    assert namespace["double"](2) == 4
    return program


@pytest.mark.parametrize(
    "text",
    [
        "```python\ndef double(x):\n    return 2 * x\n```",
        "```python\nfrom math import *\n\ndef double(x):\n    return 2 * x\n```",
        "```python\n    return 2 * x\n```",
        "```python\nreturn 2 * x\n```",
        "def double(x):\n    return 2 * x",
        "Use:\n```python\nprint(double(2))\n```\nwith\n```python\ndef double(x):\n    return math.floor(2 * x)\n```",
    ],
)
def test_a_chat_models_code_completes_the_prompt(tmp_path: Path, text: str) -> None:
    """The prompt's imports are there, a repeated signature wins, and a bare body is taken as one."""
    exam, judge, benchmark = humaneval(tmp_path)
    assert exam.items[0].item == "humaneval/7"
    assert exam.items[0].metadata == {"task_id": "HumanEval/7", "entry_point": "double"}
    assert run(text, exam, judge, benchmark).startswith("import math")
    assert judge.asked[0][1] == [AppendedTest(text=TASK["test"], entry_point="double", calls_check=True)]


@pytest.mark.parametrize("text", ["    return 2 * x\n\ndef other(): (", PROMPT + "    return 2 * x\n"])
def test_a_base_models_continuation_is_appended_and_ends_at_a_stop(tmp_path: Path, text: str) -> None:
    """A continuation that repeats the prompt is taken as well."""
    exam, judge, benchmark = humaneval(tmp_path, protocol="human-eval")
    assert exam.items[0].prompt == PROMPT
    assert "\ndef" in exam.decoding.stop
    run(text, exam, judge, benchmark)


def test_the_tests_are_no_part_of_what_is_asked(tmp_path: Path) -> None:
    """Neither the solution nor a test stands in a message; the target addresses the tests."""
    exam, _, _ = humaneval(tmp_path)
    asked = " ".join(message.text for message in exam.items[0].messages or ())
    assert "check" not in asked
    assert "2 * x" not in asked
    other, _, _ = humaneval(tmp_path, {**TASK, "test": TASK["test"] + "    assert candidate(0) == 0\n"})
    assert other.items[0].target != exam.items[0].target


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (TASK, "'HumanEval/7' stands twice"),
        ({**TASK, "task_id": "HumanEval/x"}, "is not `HumanEval/N`"),
        ({**TASK, "prompt": ""}, "no prompt"),
        ({**TASK, "test": ""}, "no test"),
        ({**TASK, "entry_point": None}, "no entry_point"),
    ],
)
def test_a_malformed_task_is_named_by_its_line(tmp_path: Path, row: dict[str, Any], words: str) -> None:
    """Duplicate ids, missing columns and tests."""
    with pytest.raises(InputFileError, match=f"line 2: .*{words}"):
        humaneval(tmp_path, TASK, row)


def test_the_larger_set_is_told_from_the_first_by_its_columns(tmp_path: Path) -> None:
    """Each takes its own file of the folder; without it the error says what is wanted."""
    write_rows(tmp_path / "humaneval" / "a.jsonl", [TASK])
    with pytest.raises(DatasetUnavailableError, match=r"HumanEval\+"):
        HumanEvalPlus().exam(ExamRequest(data_dir=tmp_path))
    write_rows(tmp_path / "humaneval" / "b.jsonl", [PLUS_TASK])
    plus, first = (b.exam(ExamRequest(data_dir=tmp_path)) for b in (HumanEvalPlus(), HumanEval()))
    assert (plus.benchmark, plus.source["file"]) == ("humaneval+", "humaneval/b.jsonl")
    assert (first.benchmark, first.source["file"]) == ("humaneval", "humaneval/a.jsonl")
    assert plus.items[0].item == first.items[0].item


@pytest.mark.parametrize(
    ("body", "right"),
    [("return 2 * x", True), ("return x + 2", False), ("return 2 * x + 1e-9", True), ("return str(2 * x)", False)],
)
def test_evalplus_inputs_are_held_against_the_data_sets_own_solution(tmp_path: Path, body: str, right: bool) -> None:
    """Floats within a tolerance, everything else exactly; the failing input is named."""
    write_rows(tmp_path / "humaneval" / "b.jsonl", [{**PLUS_TASK, "base_input": [[4.0]], "plus_input": [[3.0]]}])
    judge = FakeJudge()
    benchmark = HumanEvalPlus(open_judge=lambda: judge)
    exam = benchmark.exam(ExamRequest(data_dir=tmp_path))
    scorer = benchmark.scorer("fieldguide")
    scorer.score(exam.items[0], Completion(text=f"```python\n{body}\n```", finish_reason=FinishReason.STOP))
    program, (test,), _ = judge.asked[0]
    assert isinstance(test, AppendedTest)
    namespace: dict[str, Any] = {}
    if right:
        exec(program + test.text, namespace)  # Our own test's code.
    else:
        with pytest.raises(AssertionError, match=r"input 0: \(4.0,\); expected 8.0"):
            exec(program + test.text, namespace)


def test_mbpp_shows_its_tests_and_takes_tasks_11_to_510(tmp_path: Path) -> None:
    """The function's name is found from tests and solution; setup code runs before the tests."""
    rows = [{**MBPP_TASK, "task_id": number, "test_setup_code": "seed = 1"} for number in (2, 10, 11, 510, 511)]
    write_rows(tmp_path / "mbpp" / "mbpp.jsonl", rows)
    judge = FakeJudge()
    benchmark = Mbpp(open_judge=lambda: judge)
    exam = benchmark.exam(ExamRequest(data_dir=tmp_path))
    assert [item.item for item in exam.items] == ["mbpp/11", "mbpp/510"]
    assert exam.items[0].metadata == {"task_id": "11", "entry_point": "double"}
    assert "assert double(2) == 4" in (exam.items[0].messages or ())[0].text
    run("```python\ndef double(x):\n    return 2 * x\n```", exam, judge, benchmark)
    text = "seed = 1\nassert double(1) == 2\nassert double(2) == 4\n"
    assert judge.asked[0][1] == [AppendedTest(text=text, entry_point="double")]


def test_mbpps_paper_shows_three_solved_tasks(tmp_path: Path) -> None:
    """Tasks 2, 3 and 4 with their solutions; a file without them is an error."""
    rows = [{**MBPP_TASK, "task_id": number} for number in (2, 3, 4, 11)]
    path = write_rows(tmp_path / "mbpp" / "mbpp.jsonl", rows)
    exam = Mbpp().exam(ExamRequest(data_dir=tmp_path, protocol="mbpp-paper"))
    prompt = exam.items[0].prompt or ""
    assert prompt.count("[BEGIN]\ndef double(x):\n  return 2 * x\n[DONE]\n\n") == 3
    assert prompt.endswith("assert double(2) == 4\n[BEGIN]\n")
    write_rows(path, rows[2:])
    with pytest.raises(InputFileError, match="lacks the tasks 2, 3"):
        Mbpp().exam(ExamRequest(data_dir=tmp_path, protocol="mbpp-paper"))


def test_mbpps_sanitized_part_has_its_own_columns(tmp_path: Path) -> None:
    """`prompt` instead of `text`, and imports for the tests; other parts are unknown."""
    row = {name: value for name, value in MBPP_TASK.items() if name not in {"text", "test_setup_code"}}
    write_rows(tmp_path / "mbpp" / "s.jsonl", [{**row, "prompt": "Double it.", "test_imports": ["import math"]}])
    exam = Mbpp().exam(ExamRequest(data_dir=tmp_path, selector="sanitized"))
    assert exam.benchmark == "mbpp@sanitized"
    with pytest.raises(UnknownNameError, match="part of mbpp"):
        Mbpp().exam(ExamRequest(data_dir=tmp_path, selector="hard"))
    with pytest.raises(DatasetUnavailableError, match="MBPP file"):
        Mbpp().exam(ExamRequest(data_dir=tmp_path))


def test_mbpp_plus_takes_its_wish_and_its_test_from_the_docstring(tmp_path: Path) -> None:
    """Inputs of this task are tuples again, as EvalPlus makes them; an empty set of further inputs is none."""
    write_rows(tmp_path / "mbpp" / "plus.jsonl", [MBPP_PLUS_TASK])
    judge = FakeJudge()
    benchmark = MbppPlus(open_judge=lambda: judge)
    exam = benchmark.exam(ExamRequest(data_dir=tmp_path))
    content = (exam.items[0].messages or ())[0].text
    assert content.startswith("Write a function to double.\n\nThe function must pass these tests:\n\n```python\nassert")
    scorer = benchmark.scorer("fieldguide")
    code = "```python\ndef double(x):\n    return 2 * x[0]\n```"
    scorer.score(exam.items[0], Completion(text=code, finish_reason=FinishReason.STOP))
    (test,) = judge.asked[0][1]
    assert isinstance(test, AppendedTest)
    assert "_inputs = [((1,),)]" in test.text


def test_a_repeated_signature_with_the_prompts_docstring_is_whole() -> None:
    """A prompt without any body is still valid before the later definition."""
    program = whole_program("def double(x):\n", "def double(x):\n    return 2 * x", "double")
    namespace: dict[str, Any] = {}
    exec(program, namespace)  # Our own test's code.
    assert namespace["double"](4) == 8
