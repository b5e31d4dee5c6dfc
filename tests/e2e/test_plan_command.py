"""`fieldguide plan` as a person and a program meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.cli import main
from tests.support.random_gguf import RandomModel, random_gguf


def _plan(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> tuple[int, str, str]:
    code = main(["plan", *arguments, "--home", str(tmp_path)])
    out, err = capsys.readouterr()
    return code, out, err


def _json(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> dict[str, Any]:
    code, out, _ = _plan(capsys, tmp_path, *arguments, "--json")
    assert code == 0
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_catalogue_model_is_planned_term_by_term(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Weights, cache and engine add up, each with formula and source; what is not known yet is null."""
    found = _json(capsys, tmp_path, "qwen2.5-7b-instruct", "--quantization", "Q4_K_M", "--context", "8192")
    assert found["kv_cache_bytes"] == 8192 * 57344
    assert found["total_bytes"] == found["weights_bytes"] + found["kv_cache_bytes"] + found["engine_bytes"]
    assert found["total_bytes"] == sum(term["bytes"] for term in found["terms"])
    assert found["bits_per_weight"] == pytest.approx(4.91, abs=0.01)
    assert found["hardware"] is found["fits"] is None
    assert found["sources"]


def test_the_quantization_may_stand_in_the_name(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`NAME:Q8_0` is as `--quantization Q8_0`."""
    named = _json(capsys, tmp_path, "qwen2.5-7b-instruct:Q8_0")
    assert (
        named["weights_bytes"]
        == _json(capsys, tmp_path, "qwen2.5-7b-instruct", "--quantization", "q8_0")["weights_bytes"]
    )


def test_a_file_is_planned_from_its_header(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Its tensors' own types, its heads by layer and its window."""
    model = RandomModel(architecture="deci", layers=4, kv_heads=(8, 4, 2, 1), vocabulary=1024)
    path = random_gguf(tmp_path / "model.gguf", model)
    found = _json(capsys, tmp_path, str(path), "--context", "512")
    assert found["kv_cache_bytes"] == 512 * (8 + 4 + 2 + 1) * 64 * 2 * 2
    assert path.stat().st_size - 200_000 < found["weights_bytes"] < path.stat().st_size
    smaller = _json(capsys, tmp_path, str(path), "--context", "512", "--quantization", "Q4_K_M")
    assert smaller["weights_bytes"] < found["weights_bytes"] / 2


def test_people_see_the_terms_and_the_range(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The table names each term; what was assumed is said on standard error."""
    code, out, err = _plan(capsys, tmp_path, "qwen2.5-7b-instruct")
    assert code == 0
    assert all(word in out for word in ("weights", "key/value cache", "compute buffer", "total:", "sources"))
    assert "4,096" in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch-model"],
        ["qwen2.5-7b", "--quantization", "Q9"],
        ["qwen2.5"],
        ["qwen2.5-7b", "--engine", "none"],
        ["no.gguf"],
    ],
)
def test_mistakes_end_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 2, and what to do next."""
    code, _, err = _plan(capsys, tmp_path, *arguments)
    assert code == 2
    assert "next:" in err
