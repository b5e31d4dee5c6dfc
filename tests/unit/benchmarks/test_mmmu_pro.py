"""Exams of MMMU-Pro: rows to questions with pictures, by each protocol, from folders and from a hub."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.mmmu_pro import MmmuPro
from fieldguide.domain import Block, Completion, FinishReason, Image, Outcome, Text
from fieldguide.errors import DatasetUnavailableError, InputFileError, UnknownNameError
from tests.support.pictures import JPEG, png
from tests.support.program import fieldguide

ROW: dict[str, Any] = {
    "id": "test_Art_1",
    "question": "Which of <image 1> and <image 2> is older? <image 1> again",
    "options": "['<image 3>', \"the second's\", 'both']",
    "answer": "C",
    "subject": "Art",
    "topic_difficulty": "Easy",
    "images": ["a.png", "b.jpg", "c.png"],
}


def folder(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    place = tmp_path / "data" / "mmmu_pro"
    place.mkdir(parents=True, exist_ok=True)
    for name, data in (("a.png", png(5, 4)), ("b.jpg", JPEG), ("c.png", png(3, 3, shade=9))):
        (place / name).write_bytes(data)
    (place / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows or (ROW,)), encoding="utf-8")
    return place.parent


def blocks(
    tmp_path: Path, protocol: str | None, *rows: dict[str, Any], setting: str | None = None
) -> tuple[Block, ...]:
    request = ExamRequest(data_dir=folder(tmp_path, *rows), protocol=protocol, selector=setting)
    (message,) = MmmuPro().exam(request).items[0].messages or ()
    return message.blocks


def test_our_protocol_shows_each_picture_where_it_is_named(tmp_path: Path) -> None:
    """After its mark, once; the words are kept as they are."""
    shown = blocks(tmp_path, None)
    assert [type(block) for block in shown] == [Text, Image, Text, Image, Text, Image, Text]
    words = "".join(block.text for block in shown if isinstance(block, Text))
    assert words.startswith(
        "Which of <image 1> and <image 2> is older? <image 1> again\nA. <image 3>\nB. the second's\n"
    )
    assert "'Answer: LETTER'" in words
    assert [block.media_type for block in shown if isinstance(block, Image)] == ["image/png", "image/jpeg", "image/png"]


def test_the_authors_protocol_says_their_words_and_shows_all_pictures_after_them(tmp_path: Path) -> None:
    """Letter for letter as infer_gpt.py builds it."""
    text, *rest = blocks(tmp_path, "mmmu-pro")
    assert isinstance(text, Text)
    assert text.text == (
        "Which of <image> and <image> is older? <image> again\nA. <image>\nB. the second's\nC. both\n"
        "Answer with the option letter from the given choices directly."
    )
    assert [type(block) for block in rest] == [Image] * 3


def test_a_picture_that_no_words_name_is_shown_first(tmp_path: Path) -> None:
    """It belongs to the question all the same."""
    shown = blocks(tmp_path, None, ROW | {"question": "Look.", "options": ["x", "y"], "answer": "B", "images": "a.png"})
    assert [type(block) for block in shown] == [Image, Text]


def test_the_vision_setting_holds_everything_in_the_picture(tmp_path: Path) -> None:
    """Its rows have one picture and no question."""
    row = {"id": "t", "image": "a.png", "options": "['x', 'y']", "answer": "A", "subject": "Art"}
    first, second = blocks(tmp_path, "mmmu-pro-cot", row, setting="vision")
    assert isinstance(first, Text)
    assert first.text.startswith("Write out the multiple-choice question in the image")
    assert isinstance(second, Image)


def test_ids_targets_and_metadata_do_not_depend_on_the_protocol(tmp_path: Path) -> None:
    """Nor on the limit; another picture makes another exam."""
    data = folder(tmp_path, ROW, ROW | {"id": "test_Art_2"})
    exams = [MmmuPro().exam(ExamRequest(data_dir=data, protocol=name)) for name in MmmuPro.protocols]
    assert {tuple(item.item for item in exam.items) for exam in exams} == {
        ("mmmu-pro/standard/test_Art_1", "mmmu-pro/standard/test_Art_2")
    }
    assert {exam.items[0].target for exam in exams} == {"C"}
    assert len({exam.exam_id for exam in exams}) == 3
    assert exams[0].items[0].metadata["question_id"] == "test_Art_1"
    assert [item.item for item in MmmuPro().exam(ExamRequest(data_dir=data, limit=1)).items] == [exams[0].items[0].item]
    (data / "mmmu_pro" / "a.png").write_bytes(png(5, 4, shade=77))
    assert MmmuPro().exam(ExamRequest(data_dir=data)).exam_id != exams[0].exam_id


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"answer": "D"}, "none of its 3 choices"),
        ({"answer": ""}, "none of its 3 choices"),
        ({"options": "['x'"}, "0 choices"),
        ({"options": "__import__('os').getcwd()"}, "0 choices"),
        ({"images": ["a.png"]}, "names a picture that its row does not have"),
        ({"images": ["a.png", "b.jpg", "gone.png"]}, "not there: 'gone.png'"),
        ({"images": ["a.png", "b.jpg", "../../secret.png"]}, "outside its folder"),
        ({"images": ["a.png", "b.jpg", "x.jsonl"]}, "is no PNG, JPEG, GIF or WebP"),
        ({"question": ""}, "without an id or a question"),
    ],
)
def test_a_row_that_does_not_go_together_is_named(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    """By its file and line."""
    with pytest.raises(InputFileError, match=told) as caught:
        MmmuPro().exam(ExamRequest(data_dir=folder(tmp_path, ROW | {"id": "test_Art_0"}, ROW | change)))
    assert caught.value.line == 2


def test_a_question_twice_ten_choices_as_four_and_unknown_names_are_refused(tmp_path: Path) -> None:
    """Each with its reason."""
    data = folder(tmp_path, ROW, ROW)
    with pytest.raises(InputFileError, match="stands twice"):
        MmmuPro().exam(ExamRequest(data_dir=data))
    data = folder(tmp_path, ROW | {"options": list("abcdefghij")})
    with pytest.raises(InputFileError, match="10 choices, and standard-4 has at most 4"):
        MmmuPro().exam(ExamRequest(data_dir=data, selector="standard-4"))
    with pytest.raises(UnknownNameError):
        MmmuPro().exam(ExamRequest(data_dir=data, selector="hearing"))
    with pytest.raises(UnknownNameError):
        MmmuPro().exam(ExamRequest(data_dir=data, protocol="theirs"))


@pytest.mark.parametrize(
    ("text", "finish", "outcome", "extracted"),
    [
        ("Answer: C", FinishReason.STOP, Outcome.CORRECT, "C"),
        ("A. <image 3>", FinishReason.STOP, Outcome.WRONG, "A"),
        ("Answer: G", FinishReason.STOP, Outcome.UNPARSED, None),
        ("", FinishReason.STOP, Outcome.UNPARSED, None),
        ("<think>C or", FinishReason.LENGTH, Outcome.TRUNCATED, None),
        ("I can't help with this picture.", FinishReason.STOP, Outcome.REFUSED, None),
        ("x", FinishReason.CONTENT_FILTER, Outcome.REFUSED, None),
    ],
)
def test_answers_are_kept_apart_by_how_they_ended(
    text: str, finish: FinishReason, outcome: Outcome, extracted: str | None, tmp_path: Path
) -> None:
    """What cannot be read is counted as such and is no wrong letter."""
    benchmark = MmmuPro()
    (item,) = benchmark.exam(ExamRequest(data_dir=folder(tmp_path))).items
    score = benchmark.scorer("fieldguide").score(item, Completion(text=text, finish_reason=finish))
    assert (score.outcome, score.extracted) == (outcome, extracted)


def test_tables_of_a_hub_hold_the_bytes_of_pictures(tmp_path: Path) -> None:
    """Columns `image_1` to `image_7`, as the authors' parquet has them."""
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    row: dict[str, Any] = {key: value for key, value in ROW.items() if key != "images"}
    row |= {f"image_{n}": {"bytes": png(4, n), "path": f"{n}.png"} if n < 4 else None for n in range(1, 8)}
    (tmp_path / "mmmu_pro").mkdir()
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "mmmu_pro" / "x.parquet")
    (item,) = MmmuPro().exam(ExamRequest(data_dir=tmp_path)).items
    assert sum(isinstance(block, Image) for block in (item.messages or ())[0].blocks) == 3


def test_without_data_the_error_says_where_to_put_them(tmp_path: Path) -> None:
    """In a folder of the family's name."""
    with pytest.raises(DatasetUnavailableError) as caught:
        MmmuPro().exam(ExamRequest(data_dir=tmp_path))
    assert "mmmu_pro" in (caught.value.hint or "")


async def test_two_models_get_a_verdict_and_their_answers_are_exported(tmp_path: Path) -> None:
    """`exam`, `compare` and `export` work on it as on any other."""
    rows = [ROW | {"id": f"test_Art_{number}"} for number in range(12)]
    data = folder(tmp_path, *rows)
    answers = {"good": "Answer: C", "bad": "Answer: A"}
    for name, text in answers.items():
        lines = [{"item": f"mmmu-pro/standard/{row['id']}", "attempt": 0, "completion": text} for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    named = [f"recorded:{tmp_path / name}.jsonl" for name in answers]
    ran = await fieldguide("compare", *named, "--benchmark", "mmmu-pro", "--data", data, "--json")
    assert ran.code == 0, ran.err
    (verdict,) = ran.json["verdicts"]
    assert (verdict["verdict"], verdict["benchmark"]) == ("a_better", "mmmu-pro@standard")
    out = tmp_path / "exam.jsonl"
    made = await fieldguide("exam", "mmmu-pro", "--data", data, "--out", out, "--limit", "2", "--json")
    assert made.code == 0, made.err
    assert [json.loads(line).get("item") for line in out.read_text().splitlines()[1:]] == [
        "mmmu-pro/standard/test_Art_0",
        "mmmu-pro/standard/test_Art_1",
    ]
