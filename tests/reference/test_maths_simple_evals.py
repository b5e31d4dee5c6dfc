"""Answers in simple-evals' form (`Answer: …`), ours against a language model's verdicts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fieldguide.benchmarks import AnswerScorer
from fieldguide.benchmarks.math500 import Math500
from fieldguide.domain import Completion, ExamItem, FinishReason, Outcome
from fieldguide.sources.jsonl import read_jsonl
from tests.support.shared import shared

pytest.importorskip("math_verify", reason="math-verify is not installed (extra `maths`)")
FOLDER = ("benchmarks", "answers", "simple_evals_ru")


@pytest.fixture(scope="module")
def scorer() -> Iterator[AnswerScorer]:
    scorer = Math500().scorer("fieldguide")
    yield scorer
    scorer.close()


@pytest.mark.parametrize("model", ["28_qwen_2_5_32b", "15_qwen_2_5_72b", "13_llama_3_3_70b"])
def test_our_verdicts_agree_with_the_judge(scorer: AnswerScorer, model: str) -> None:
    """At least 97 in 100; what is left is mostly 10 % against 10, 30° against 30 and unreduced fractions."""
    items = {
        line.value["id"]: str(line.value["target"]) for line in read_jsonl(shared(*FOLDER, "benches_math.jsonl.gz"))
    }
    verdicts = []
    for line in read_jsonl(shared(*FOLDER, "math", f"{model}.jsonl.gz")):
        item = ExamItem(item=str(line.value["id"]), target=items[line.value["id"]], prompt="")
        score = scorer.score(item, Completion(text=str(line.value["answer"]), finish_reason=FinishReason.STOP))
        verdicts.append((score.outcome is Outcome.CORRECT) == line.value["is_correct"])
    assert len(verdicts) == 200
    assert sum(verdicts) / len(verdicts) >= 0.97
