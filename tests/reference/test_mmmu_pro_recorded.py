"""Recorded answers of a real model on MMMU-Pro, with the verdicts of the authors' own script beside them."""

from __future__ import annotations

import json

from fieldguide.benchmarks import ExamRequest
from fieldguide.benchmarks.mmmu_pro import MmmuPro
from fieldguide.benchmarks.receipts import Receipts
from fieldguide.domain import Completion, FinishReason, Image, Outcome
from tests.support.shared import shared


def test_each_letter_and_verdict_is_the_authors() -> None:
    """GPT-4o's answers, `pred_indexs` and `if_right` as mmmu-pro/evaluate.py wrote them."""
    data = shared("benchmarks")
    questions = shared("benchmarks", "multimodal", "mmmu_pro", "questions.jsonl")
    rows = [json.loads(line) for line in questions.read_text(encoding="utf-8").splitlines()]
    benchmark = MmmuPro()
    exam = benchmark.exam(ExamRequest(data_dir=data, protocol="mmmu-pro"))
    items = {item.metadata["question_id"]: item for item in exam.items}
    assert len(rows) == len(items) >= 11
    scorer = benchmark.scorer("mmmu-pro")
    for row in rows:
        answer = Completion(text=row["response"], finish_reason=FinishReason.STOP)
        score = scorer.score(items[row["id"]], answer)
        assert score.extracted == row["pred_indexs"], row["id"]
        assert (score.outcome is Outcome.CORRECT) is row["if_right"], row["id"]


def test_every_picture_of_the_shared_sets_is_found_and_named() -> None:
    """Five figures in one question, and each receipt once."""
    data = shared("benchmarks")
    exam = MmmuPro().exam(ExamRequest(data_dir=data))
    counts = {
        item.metadata["question_id"]: sum(isinstance(block, Image) for block in (item.messages or ())[0].blocks)
        for item in exam.items
    }
    assert counts["test_Music_251"] == 5
    assert min(counts.values()) == 1
    receipts = Receipts().exam(ExamRequest(data_dir=data))
    assert len(receipts.items) == 4 * len({item.metadata["receipt"] for item in receipts.items}) >= 40


def test_the_right_fields_are_right_under_both_rules() -> None:
    """An answer of the labels themselves scores everything."""
    data = shared("benchmarks")
    for protocol in Receipts.protocols:
        benchmark = Receipts()
        exam = benchmark.exam(ExamRequest(data_dir=data, protocol=protocol))
        scorer = benchmark.scorer(protocol)
        labels: dict[object, dict[str, str]] = {}
        for item in exam.items:
            labels.setdefault(item.metadata["receipt"], {})[str(item.metadata["field"])] = item.target
        for item in exam.items:
            answer = Completion(text=json.dumps(labels[item.metadata["receipt"]]), finish_reason=FinishReason.STOP)
            assert scorer.score(item, answer).outcome is Outcome.CORRECT, item.item
