"""Rho-Math's recorded answers under Qwen2.5-Math's protocol: our scores against the published ones."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from fieldguide.benchmarks import Benchmark, ExamRequest
from fieldguide.benchmarks.gsm8k import Gsm8k
from fieldguide.benchmarks.math500 import Math500
from fieldguide.domain import Completion, FinishReason, Outcome
from tests.support.shared import shared

pytest.importorskip("math_verify", reason="math-verify is not installed (extra `maths`)")
RUNS = [
    (Gsm8k, "rho-math-1b-v0.1/gsm8k", 36.2, 1),
    (Math500, "rho-math-1b-v0.1/minerva_math", 15.8, 0),
    (Gsm8k, "rho-math-7b-interpreter-v0.1/gsm8k", 81.3, 0),
    (Math500, "rho-math-7b-interpreter-v0.1/minerva_math", 52.0, 0),
]


def recorded(folder: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(shared("benchmarks", "answers", "rho_1b_cot_and_7b_interpreter.zip")) as archive:
        (name,) = (name for name in archive.namelist() if name.startswith(f"{folder}/") and name.endswith(".jsonl"))
        return [json.loads(line) for line in archive.read(name).decode().split("\n") if line]


def judged(benchmark: Benchmark, rows: list[dict[str, Any]], data: Path) -> list[tuple[bool, bool]]:
    """Return our verdict and theirs for each recorded answer."""
    exam = benchmark.exam(ExamRequest(data_dir=data, protocol="qwen2.5-math"))
    items = {(item.messages or ())[-1].text.strip(): item for item in exam.items}
    scorer = benchmark.scorer("qwen2.5-math")
    try:
        return [
            (
                scorer.score(
                    items[row["question"].strip()], Completion(text=row["code"][0], finish_reason=FinishReason.STOP)
                ).outcome
                is Outcome.CORRECT,
                bool(row["score"][0]),
            )
            for row in rows
        ]
    finally:
        scorer.close()


@pytest.mark.long
@pytest.mark.parametrize(("benchmark", "folder", "published", "disagreements"), RUNS)
def test_published_scores_come_out(
    benchmark: type[Benchmark], folder: str, published: float, disagreements: int
) -> None:
    """The published score exactly, and item by item no disagreement but the one that is known (`5 bags`)."""
    verdicts = judged(benchmark(), recorded(folder), shared("benchmarks"))
    assert round(100 * sum(ours for ours, _ in verdicts) / len(verdicts), 1) == published
    assert sum(ours != theirs for ours, theirs in verdicts) <= disagreements


def test_a_sample_of_recorded_verdicts_comes_out() -> None:
    """A hundred answers of the small model on GSM8K: at most one verdict differs from the recorded one."""
    rows = random.Random(0).sample(recorded("rho-math-1b-v0.1/gsm8k"), 100)
    verdicts = judged(Gsm8k(), rows, shared("benchmarks"))
    assert sum(ours != theirs for ours, theirs in verdicts) <= 1
