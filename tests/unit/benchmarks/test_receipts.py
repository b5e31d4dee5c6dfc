"""Exams on receipts: fields as items that share one question, judged as the competition does or by meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.field_scores import field_scores, fields_sentence
from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.receipts import Receipts
from fieldguide.domain import Completion, FinishReason, Image, ItemScore, Outcome, request_for
from fieldguide.errors import InputFileError, UnknownNameError
from tests.support.pictures import JPEG, png
from tests.support.program import fieldguide

ROWS = [
    {"company": "ABC HO", "date": "25/12/2018", "address": "NO 1, JALAN X", "total": "9.00", "image": "0.jpg"},
    {"company": "SHELL", "date": "18-11-18", "address": "LOT 2685", "total": "RM5.00", "image": "1.png"},
]
ANSWER = '{"company": "ABC HO", "date": "2018-12-25", "address": "NO 1 JALAN X", "total": null}'


def folder(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    place = tmp_path / "data" / "receipts"
    place.mkdir(parents=True, exist_ok=True)
    (place / "0.jpg").write_bytes(JPEG)
    (place / "1.png").write_bytes(png(4, 6))
    (place / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows or ROWS), encoding="utf-8")
    return place.parent


def test_a_receipt_is_four_items_and_one_question(tmp_path: Path) -> None:
    """The request is the same for all four, so that it is sent once."""
    exam = Receipts().exam(ExamRequest(data_dir=folder(tmp_path)))
    assert [item.item for item in exam.items[:5]] == [
        "receipts/0/company",
        "receipts/0/date",
        "receipts/0/address",
        "receipts/0/total",
        "receipts/1/company",
    ]
    assert [item.target for item in exam.items[:4]] == ["ABC HO", "25/12/2018", "NO 1, JALAN X", "9.00"]
    hashes = [request_for(item, exam.decoding, attempt=0, text=False, chat=True).request_hash for item in exam.items]
    assert (len(set(hashes)), len(set(hashes[:4]))) == (2, 1)
    assert isinstance((exam.items[0].messages or ())[0].blocks[0], Image)


@pytest.mark.parametrize(
    ("protocol", "outcomes"),
    [
        ("fieldguide", [Outcome.CORRECT, Outcome.CORRECT, Outcome.CORRECT, Outcome.WRONG]),
        ("sroie", [Outcome.CORRECT, Outcome.WRONG, Outcome.WRONG, Outcome.WRONG]),
    ],
)
def test_one_answer_is_judged_field_by_field(protocol: str, outcomes: list[Outcome], tmp_path: Path) -> None:
    """The competition wants the same text; ours the same meaning. A field not given lowers recall, not precision."""
    benchmark = Receipts()
    exam = benchmark.exam(ExamRequest(data_dir=folder(tmp_path), protocol=protocol))
    scorer = benchmark.scorer(protocol)
    scores = [scorer.score(item, Completion(text=ANSWER, finish_reason=FinishReason.STOP)) for item in exam.items[:4]]
    assert [score.outcome for score in scores] == outcomes
    assert scores[3].extracted is None
    placed = [
        ItemScore(item=item.item, attempt=0, score=score) for item, score in zip(exam.items, scores, strict=False)
    ]
    found = field_scores(exam, placed)
    assert found is not None
    right = sum(outcome is Outcome.CORRECT for outcome in outcomes)
    whole = found["all"]
    assert (whole.precision, whole.recall) == (right / 3, right / 4)
    assert whole.f1 == pytest.approx(2 * (right / 3) * (right / 4) / (right / 3 + right / 4))
    assert (found["total"].precision, found["total"].recall) == (None, 0.0)
    assert "F1 by field: company 100.0 %" in fields_sentence(found)


@pytest.mark.parametrize(
    ("text", "finish", "outcome"),
    [
        ("The company is ABC HO.", FinishReason.STOP, Outcome.UNPARSED),
        ('{"company": "ABC HO", "da', FinishReason.LENGTH, Outcome.TRUNCATED),
        ("I cannot help with this.", FinishReason.STOP, Outcome.REFUSED),
        ("", FinishReason.CONTENT_FILTER, Outcome.REFUSED),
    ],
)
def test_an_answer_without_fields_is_kept_apart(
    text: str, finish: FinishReason, outcome: Outcome, tmp_path: Path
) -> None:
    """Counted by how it ended."""
    benchmark = Receipts()
    item = benchmark.exam(ExamRequest(data_dir=folder(tmp_path))).items[0]
    assert benchmark.scorer("sroie").score(item, Completion(text=text, finish_reason=finish)).outcome is outcome


def test_the_folders_of_the_competition_are_read_as_they_are(tmp_path: Path) -> None:
    """`img` and `entities`, as it hands them out; a field that is missing is no item."""
    place = tmp_path / "sroie"
    for name in ("img", "entities"):
        (place / name).mkdir(parents=True)
    (place / "img" / "X1.jpg").write_bytes(JPEG)
    (place / "entities" / "X1.txt").write_text('{"company": "A", "date": "1/1/2018", "total": "1.00"}')
    exam = Receipts().exam(ExamRequest(data_dir=tmp_path))
    assert [item.item for item in exam.items] == ["receipts/X1/company", "receipts/X1/date", "receipts/X1/total"]
    (place / "entities" / "X2.txt").write_text('{"company": "A"}')
    with pytest.raises(InputFileError, match="no picture of its name"):
        Receipts().exam(ExamRequest(data_dir=tmp_path))


def test_bad_lists_are_named(tmp_path: Path) -> None:
    """A receipt twice, a picture that is not there, a part or protocol that does not exist."""
    with pytest.raises(InputFileError, match="stands twice"):
        Receipts().exam(ExamRequest(data_dir=folder(tmp_path, ROWS[0], ROWS[0])))
    with pytest.raises(InputFileError, match="not there"):
        Receipts().exam(ExamRequest(data_dir=folder(tmp_path, ROWS[0] | {"image": "9.jpg"})))
    with pytest.raises(UnknownNameError):
        Receipts().exam(ExamRequest(data_dir=folder(tmp_path), selector="x"))
    with pytest.raises(UnknownNameError):
        Receipts().exam(ExamRequest(data_dir=folder(tmp_path), protocol="x"))


async def test_score_tells_precision_recall_and_f1(tmp_path: Path) -> None:
    """For people and for programs, for all fields and for each."""
    data = folder(tmp_path)
    lines = [{"item": f"receipts/0/{name}", "attempt": 0, "completion": ANSWER} for name in list(ROWS[0])[:4]]
    answers = tmp_path / "a.jsonl"
    answers.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = await fieldguide("score", "receipts", answers, "--data", data, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["fields"]["all"] == {
        "precision": 1.0,
        "recall": 0.75,
        "f1": pytest.approx(6 / 7),
        "correct": 3,
        "given": 3,
        "wanted": 4,
    }
    people = await fieldguide("score", "receipts", answers, "--data", data)
    assert "fields: F1 85.7 % (precision 100.0 %, recall 75.0 %)" in people.out
