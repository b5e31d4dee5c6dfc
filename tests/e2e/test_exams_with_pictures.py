"""Exams with pictures on a model that looks, the whole way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.program import fieldguide
from tests.support.shared import shared
from tests.support.tiny_gguf import tiny_gguf
from tests.support.tiny_vision import tiny_vision_model

pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
QUICK = ("--threads", "1", "--slots", "2", "--json")


async def test_a_model_that_looks_sits_both_exams(tmp_path: Path) -> None:
    """Real figures and real receipts reach the model; the fields of a receipt are asked for once."""
    data = shared("benchmarks")
    model = tiny_vision_model(tmp_path, kind="mlp", context_length=4096)
    arguments = ("--benchmark", "mmmu-pro,receipts", "--limit", "8", "--data", data)
    ran = await fieldguide("evaluate", model, *arguments, *QUICK)
    assert ran.code == 0, ran.err
    questions, receipts = ran.json["results"]
    assert (questions["attempts"], receipts["attempts"]) == (8, 8)
    assert questions["outcomes"]["failed"] == receipts["outcomes"]["failed"] == 0
    assert receipts["outcomes"]["correct"] == 0  # its words are noise
    assert receipts["fields"]["all"]["wanted"] == 8
    exported = await fieldguide("export", receipts["run_id"], "--json")
    assert exported.code == 0, exported.err
    again = await fieldguide("evaluate", model, *arguments, *QUICK)
    assert [result["reused"] for result in again.json["results"]] == [8, 8]


async def test_a_model_that_does_not_look_fails_every_item_and_says_why(tmp_path: Path) -> None:
    """No answer is made up, and none counts as wrong."""
    data = shared("benchmarks")
    model = tiny_gguf(tmp_path / "t.gguf", context_length=2048)
    ran = await fieldguide("evaluate", model, "--benchmark", "mmmu-pro", "--limit", "2", "--data", data, *QUICK)
    assert ran.code != 0
    assert "pictures" in json.dumps(ran.json) + ran.err
