"""The main job on answers of real models: Qwen2.5-32B against Qwen2.5-72B on MATH, without calling either."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy.stats import binomtest

from tests.support.program import fieldguide
from tests.support.shared import shared
from tests.support.simple_evals import write_recorded_math


async def test_qwen_32b_and_72b_are_compared_on_math(tmp_path: Path) -> None:
    """The same 200 items for both, so that the test is paired; our difference is the stored judge's, give or take."""
    data = shared("benchmarks")
    lines = [json.loads(line) for line in (data / "math" / "math500_test.jsonl").read_text().splitlines()]
    ids = {line["problem"]: f"math/{line['unique_id'].removesuffix('.json')}" for line in lines}
    models = {"qwen2.5-32b": "28_qwen_2_5_32b", "qwen2.5-72b": "15_qwen_2_5_72b"}
    rows = {name: write_recorded_math(stem, ids, tmp_path / f"{name}.jsonl") for name, stem in models.items()}
    report = tmp_path / "report.html"
    ran = await fieldguide(
        "compare", *(f"recorded:{tmp_path}/{name}.jsonl" for name in models), "--benchmark", "math500",
        "--data", data, "--report", report, "--json", within_s=110,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    value = ran.json
    assert value["models"] == list(models)
    for name, result in zip(models, value["results"], strict=True):
        assert result["attempts"] == 200
        assert result["cost_usd"] is None
        judged_by_llm = sum(row["is_correct"] for row in rows[name]) / 200
        assert abs(result["accuracy"] - judged_by_llm) <= 0.03
    verdict = value["verdicts"][0]
    assert (verdict["a"], verdict["b"]) == tuple(models)
    assert verdict["pairs"] == 200
    by_llm = [sum(row["is_correct"] for row in rows[name]) / 200 for name in models]
    assert abs(verdict["difference"] - (by_llm[0] - by_llm[1])) <= 0.02
    discordant = verdict["discordant"]
    assert discordant["b_only"] > discordant["a_only"]
    p_value = binomtest(discordant["a_only"], discordant["a_only"] + discordant["b_only"]).pvalue
    assert verdict["p_value"] == pytest.approx(p_value, rel=1e-9)
    assert (verdict["p_adjusted"] < 0.05) == (verdict["ci_high"] < 0) == (verdict["verdict"] == "b_better")
    assert report.stat().st_size > 10_000
