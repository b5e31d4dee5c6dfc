"""AIME: which problems a name means, wherever they lie and however a copy spells them; its three protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.aime import Aime, part_named
from fieldguide.domain import Completion, Exam, ExamItem, FinishReason
from fieldguide.errors import DatasetUnavailableError, InputFileError, UnknownNameError
from tests.unit.benchmarks.maths_data import write_jsonl


def paper(year: int, name: str = "I", **columns: str) -> list[dict[str, Any]]:
    """Return the 15 rows of a paper; `columns` give more, with `{n}` for the number."""
    return [
        {"problem": f"Problem {number} of {year} {name}?", "answer": f"{number:03d}"}
        | {column: text.format(n=number) for column, text in columns.items()}
        for number in range(1, 16)
    ]


def exam(folder: Path, selector: str | None, **request: Any) -> Exam:
    return Aime().exam(ExamRequest(selector=selector, data_dir=folder, **request))


def ids(one: Exam) -> list[str]:
    return [item.item for item in one.items]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a", [{**row, "Year": 2024, "Part": "II", "Problem Number": at} for at, row in enumerate(paper(2024), 1)]),
        ("a", [{**row, "year": 2024, "aime_number": 2, "problem_number": at} for at, row in enumerate(paper(2024), 1)]),
        ("a", paper(2024, "II", ID="2024-II-{n}")),
        ("a", paper(2024, "II", url="https://a.org/wiki/index.php/2024_AIME_II_Problems/Problem_{n}")),
        ("aime24", paper(2024, "II", id="II-{n}")),
        ("aime2024-II", paper(2024, "II")),
        ("aime_2024", paper(2024, "I") + paper(2024, "II")),
        ("a", [{**row, "year": 2024, "problem_idx": at} for at, row in enumerate(paper(2024) + paper(2024, "II"), 1)]),
    ],
)
def test_every_way_to_say_the_place_gives_the_same_ids(tmp_path: Path, name: str, rows: list[dict[str, Any]]) -> None:
    """Columns, ids, addresses, the file's name, running numbers, and at last the order of the rows."""
    write_jsonl(tmp_path / "aime" / f"{name}.jsonl", rows)
    assert ids(exam(tmp_path, "2024-II")) == [f"aime/2024/II/{number}" for number in range(1, 16)]


def test_numbers_and_not_the_order_of_the_rows_decide(tmp_path: Path) -> None:
    """Some copies are sorted as texts, 1, 10, 11, … 2: places count."""
    rows = paper(2024, "I", url="https://a.org/2024_AIME_I_Problems/Problem_{n}")
    write_jsonl(tmp_path / "a.jsonl", sorted(rows, key=lambda row: str(row["url"])))
    one = exam(tmp_path, "2024-I")
    assert ids(one)[1] == "aime/2024/I/2"
    assert (one.items[1].messages or ())[0].text.startswith("Problem 2 of 2024 I?")
    assert one.items[1].metadata["unique_id"] == "2024-I-2"


def test_a_copy_without_places_is_named_by_its_texts_and_says_so(tmp_path: Path) -> None:
    """Ten rows of a year cannot be numbered: the text's hash names them, with a warning."""
    write_jsonl(tmp_path / "aime_2024.jsonl", paper(2024)[:10])
    one = exam(tmp_path, "2024")
    assert all(item.startswith("aime/2024/sha256/") for item in ids(one))
    assert any("named by their text" in str(warning) for warning in one.source["warnings"])  # type: ignore[union-attr]
    assert any("10 of 30 problems" in str(warning) for warning in one.source["warnings"])  # type: ignore[union-attr]


def test_alone_it_is_the_examination_of_2025_and_says_so(tmp_path: Path) -> None:
    """`aime` has to mean one year; which one stands in the name and in a warning."""
    write_jsonl(tmp_path / "aime25.jsonl", paper(2025) + paper(2025, "II"))
    one = exam(tmp_path, None)
    assert (one.benchmark, len(one.items)) == ("aime@2025", 30)
    assert "aime alone is aime@2025." in one.source["warnings"]  # type: ignore[operator]


def test_as_few_files_as_hold_the_part_are_taken(tmp_path: Path) -> None:
    """Two halves and a whole: the whole alone; with a half missing, the other file joins."""
    for name in ("I", "II"):
        write_jsonl(tmp_path / f"aime2025-{name}.jsonl", paper(2025, name))
    two = exam(tmp_path, "2025")
    assert len(two.items) == 30
    assert len(two.source["files"]) == 2  # type: ignore[arg-type]
    write_jsonl(tmp_path / "whole.jsonl", paper(2025, "I", id="2025-I-{n}") + paper(2025, "II", id="2025-II-{n}"))
    assert exam(tmp_path, "2025").source["file"] == "whole.jsonl"


def test_spellings_of_an_answer_are_one_target_but_for_lm_eval(tmp_path: Path) -> None:
    """025, 25 and 25.0 are 25; the protocol that compares characters keeps the copy's own spelling."""
    rows = [{**row, "answer": spelt} for row, spelt in zip(paper(1990), ["025", 25, 25.0, "7"] + ["1"] * 11)]
    write_jsonl(tmp_path / "aime_1990.jsonl", rows)
    assert [item.target for item in exam(tmp_path, "1990").items[:4]] == ["25", "25", "25", "7"]
    spelt = exam(tmp_path, "1990", protocol="lm-eval")
    assert [item.target for item in spelt.items[:4]] == ["025", "25", "25", "7"]
    assert spelt.items[0].prompt == "Question: Problem 1 of 1990 I?\nAnswer:"
    assert ids(spelt) == ids(exam(tmp_path, "1990", protocol="matharena"))


@pytest.mark.parametrize(
    ("selector", "near"),
    [("1950", "aime@1983"), ("1990-II", "aime@1990"), ("2o24", "aime@2024"), ("2023-1983", "aime@1983-2023")],
)
def test_a_part_that_never_was_names_the_nearest(selector: str, near: str) -> None:
    """Years before the first, a second paper before 2000, misspelt years, ranges backwards."""
    with pytest.raises(UnknownNameError) as raised:
        part_named(selector)
    assert near in (raised.value.hint or "")


def test_a_year_that_the_data_lack_names_those_they_have(tmp_path: Path) -> None:
    """The error says which years there are and which is nearest."""
    write_jsonl(tmp_path / "aime_2024.jsonl", paper(2024) + paper(2024, "II"))
    with pytest.raises(DatasetUnavailableError) as raised:
        exam(tmp_path, "2019")
    assert "aime@2019" in raised.value.message
    assert "`aime@2024`" in (raised.value.hint or "")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": ""}, "line 3: has no answer"),
        ({"answer": "x+1"}, "line 3: the answer 'x\\+1' is no whole number from 0 to 999"),
        ({"answer": "1234"}, "no whole number from 0 to 999"),
        ({"problem": None}, "line 3: has no problem"),
        ({"id": "2024-I-2"}, "line 3: 'aime/2024/I/2' stands twice"),
    ],
)
def test_a_broken_row_names_its_line(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """An item without a target, with an answer that cannot be one, or a second time."""
    rows = paper(2024, "I", id="2024-I-{n}")
    rows[2] |= change
    write_jsonl(tmp_path / "a.jsonl", rows)
    with pytest.raises(InputFileError, match=said):
        exam(tmp_path, "2024-I")


def judged(protocol: str, text: str, target: str = "25", finish: str = "stop") -> tuple[str, str | None]:
    scorer = Aime().scorer(protocol)
    item = ExamItem(item="aime/2024/I/2", target=target, prompt="")
    score = scorer.score(item, Completion(text=text, finish_reason=FinishReason(finish)))
    return score.outcome.value, score.extracted


@pytest.mark.parametrize(
    ("text", "outcome", "extracted"),
    [
        (r"so \boxed{025}.", "correct", "25"),
        (r"<think>\boxed{7}</think>\boxed{\text{25}}", "correct", "25"),
        (r"\boxed{m+n = 25}", "correct", "25"),
        (r"\boxed{25^\circ}", "correct", "25"),
        ("The answer is 25.", "correct", "25"),
        (r"\boxed{\boxed{25}}", "correct", "25"),
        (r"\boxed{26}", "wrong", "26"),
        (r"\boxed{25\frac{1}{2}}", "wrong", r"25\frac{1}{2}"),
        (r"\boxed{25, 26}", "wrong", "25, 26"),
        ("we get 25", "unparsed", None),
        (r"\boxed{25} or rather \boxed{2", "unparsed", None),
    ],
)
def test_our_protocol_reads_a_box_or_an_answer_line_and_never_the_last_number(
    text: str, outcome: str, extracted: str | None
) -> None:
    """025 is 25; an unfinished box is no answer; a number in passing is none either."""
    assert judged("fieldguide", text) == (outcome, extracted)


def test_matharena_reads_boxes_alone() -> None:
    """An answer line is not enough there."""
    assert judged("matharena", r"\boxed{025}") == ("correct", "25")
    assert judged("matharena", "Answer: 25") == ("unparsed", None)


@pytest.mark.parametrize(
    ("text", "target", "outcome"),
    [
        (r"\boxed{25}", "25", "correct"),
        (r"\boxed{25}", "025", "wrong"),
        (r"\boxed{025}", "025", "correct"),
        ("It is $25$", "25", "correct"),
        ("With $a=1$ it is $25$", "25", "wrong"),
        ("25", "25", "correct"),
        ("The answer is 25", "25", "wrong"),
        (r"\boxed{7} and \boxed 25", "25", "correct"),
        (r"first \boxed 7 and then \boxed{25}", "25", "wrong"),
        (r"$25$ or \boxed{2", "25", "correct"),
    ],
)
def test_lm_eval_is_kept_with_its_faults(text: str, target: str, outcome: str) -> None:
    r"""Characters are compared, dollars from first to last, a box overrides, and `\boxed ` with a space beats it."""
    assert judged("lm-eval", text, target)[0] == outcome


def test_what_cannot_be_read_is_shown_by_its_end() -> None:
    """The tail of an answer without an answer stands in the detail."""
    item = ExamItem(item="aime/2024/I/2", target="25", prompt="")
    text = "thinking " * 40 + "and so it must be twenty-five"
    score = Aime().scorer("fieldguide").score(item, Completion(text=text, finish_reason=FinishReason.STOP))
    assert score.detail is not None
    assert score.detail.endswith("so it must be twenty-five")
    assert len(score.detail) < 130
