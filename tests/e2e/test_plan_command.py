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
        ["gpt-4o"],
        ["grok-2"],
        ["qwen2.5-7b", "--on", "rtx9999"],
        ["qwen2.5-7b", "--on", "rtx4090", "--devices", "2"],
        ["qwen2.5-7b", "--context", "-5"],
        ["qwen2.5-7b", "--sequences", "0"],
        ["qwen2.5-7b", "--memory", "16GB"],
        ["qwen2.5-7b", "--job", "write code", "--memory", "16GB"],
        ["--job", "write code"],
        ["--job", "write code", "--memory", "16GB", "--png", "x.png"],
        [],
    ],
)
def test_mistakes_end_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 2, and what to do next."""
    code, _, err = _plan(capsys, tmp_path, *arguments)
    assert code == 2
    assert "next:" in err


def test_a_number_too_large_is_told_its_bound(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Not that it should be above 0, which it is."""
    code, _, err = _plan(capsys, tmp_path, "qwen2.5-7b", "--context", "9" * 20)
    assert code == 2
    assert "takes a number below 1,099,511,627,776" in err


def test_on_hardware_it_fits_and_has_a_speed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ranges in order, at most a factor of 2.5 wide; sources of the hardware and of the speed are named."""
    found = _json(capsys, tmp_path, "qwen2.5-7b-instruct:Q4_K_M", "--on", "rtx4090")
    assert found["fits"] is True
    assert found["fit"]["verdict"] == "yes"
    assert found["hardware"] == "NVIDIA GeForce RTX 4090"
    for key in ("decode_tokens_per_s", "prefill_tokens_per_s"):
        assert 0 < found[key]["low"] <= found[key]["likely"] <= found[key]["high"] <= 2.5 * found[key]["low"]
    assert any(source.startswith("speed:") for source in found["sources"])
    assert found["fit"]["largest_context_tokens"] == 32768


def test_what_does_not_fit_says_what_to_give_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No speed is made up; each change has its bytes; a smaller model of the family that fits stands last."""
    found = _json(capsys, tmp_path, "llama-3.1-70b-instruct:Q8_0", "--on", "2xrtx4090")
    assert found["fits"] is False
    assert found["decode_tokens_per_s"] is None
    assert found["devices"] == 2
    changes = found["fit"]["give_up"]
    assert {each["what"]: each["fits"] for each in changes}["weights in Q4_K_M"] == "yes"
    assert changes[-1]["what"] == "llama-3.1-8b-instruct"
    assert "not modelled" in found["fit"]["partial_offload"]
    code, out, err = _plan(capsys, tmp_path, "llama-3.1-70b-instruct:Q8_0", "--on", "2xrtx4090")
    assert code == 0
    assert "It does not fit" in out
    assert "no speed is given" in err


def test_names_at_hubs_and_their_quantizations(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A repository, a file of one, a tag of Ollama, an AWQ repository: one model, in what the name says."""
    for name, quantization in (
        ("hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF#qwen2.5-0.5b-instruct-q8_0.gguf", "Q8_0"),
        ("qwen2.5:0.5b", "Q4_K_M"),
        ("Qwen/Qwen2.5-0.5B-Instruct-AWQ", "AWQ"),
    ):
        found = _json(capsys, tmp_path, name)
        assert (found["model"], found["quantization"]) == ("qwen2.5-0.5b-instruct", quantization)


def test_a_job_gets_models_that_fit(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Ranked, each with reasons, how it fits and what is unknown."""
    found = _json(capsys, tmp_path, "--job", "summarise patient letters", "--memory", "16GB", "--licence", "commercial")
    assert found["models"]
    for model in found["models"]:
        assert model["fit"]["total_bytes"] <= 16e9
        assert model["reasons"]
        assert model["commercial_use"] in {"yes", "with-conditions"}
        assert model["rent"]["usd_per_month"] > 0


def test_charts_are_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Memory against context as page and picture; the page loads and runs nothing."""
    page, picture = tmp_path / "plan.html", tmp_path / "plan.png"
    code, _, _ = _plan(capsys, tmp_path, "qwen2.5-7b", "--on", "rtx4090", "--html", str(page), "--png", str(picture))
    assert code == 0
    assert "<script" not in page.read_text(encoding="utf-8")
    assert "Q8_0" in page.read_text(encoding="utf-8")
    assert picture.read_bytes().startswith(b"\x89PNG")
