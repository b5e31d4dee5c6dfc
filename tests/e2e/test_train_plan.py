"""`train-plan` as a person and as a program see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.program import fieldguide

KEYS = {"flops", "loss", "tokens_per_parameter", "compute_optimal_tokens", "gpu_hours", "cost_usd", "notes"}


async def test_a_plan_has_figures_words_and_sources(tmp_path: Path) -> None:
    """JSON with the keys of the contract; nothing else on standard output."""
    ran = await fieldguide(
        "train-plan", "--parameters", "7B", "--tokens", "2T", "--on", "2048xa100-80gb", "--json", "--home", tmp_path
    )
    assert ran.code == 0, ran.err
    assert ran.json.keys() >= KEYS
    assert ran.json["flops"] == pytest.approx(8.4e22)
    assert ran.json["gpu_hours"]["low"] < 184_320 < ran.json["gpu_hours"]["high"]
    assert ran.json["cost_usd"]["low"] > 0
    assert any("Diminishing returns" in note for note in ran.json["notes"])
    assert {law["name"] for law in ran.json["other_laws"]} == {
        "Hoffmann et al., unrounded",
        "Hoffmann et al., as printed",
    }
    assert all(law["warning"] for law in ran.json["other_laws"])


async def test_without_hardware_hours_and_cost_are_unknown(tmp_path: Path) -> None:
    """null, never 0, and the words say what to add."""
    ran = await fieldguide("train-plan", "qwen2.5-0.5b", "--json", "--home", tmp_path)
    assert ran.code == 0, ran.err
    assert ran.json["gpu_hours"] == {"low": None, "likely": None, "high": None}
    assert ran.json["cost_usd"]["likely"] is None
    assert any("--on" in note for note in ran.json["notes"])
    assert ran.json["tokens_per_parameter"] > 10_000


async def test_charts_are_written(tmp_path: Path) -> None:
    """A page without scripts and a picture."""
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed (extra `charts`)")
    page, picture = tmp_path / "plan.html", tmp_path / "plan.png"
    ran = await fieldguide(
        *("train-plan", "--parameters", "1B", "--on", "8xh100", "--html", page, "--png", picture, "--home", tmp_path)
    )
    assert ran.code == 0, ran.err
    assert picture.read_bytes().startswith(b"\x89PNG")
    text = page.read_text(encoding="utf-8")
    assert text.count("<svg") == 4
    assert "<script" not in text
    assert "Loss against size" in text
    assert "Cost against size" in text


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--parameters", "seven"),
        ("--parameters", "0"),
        ("--parameters", "1e30"),
        ("--parameters", "7B", "--tokens", "-3"),
        ("--parameters", "7B", "--on", "warp-drive"),
        ("--parameters", "7B", "--utilisation", "3"),
        ("--parameters", "7B", "--active-parameters", "9B"),
        ("--parameters", "7B", "--runs", "/nowhere.csv"),
        ("qwen2.5",),
        ("no-such-model",),
    ],
)
async def test_a_mistake_says_the_next_step(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Exit code 2, one error with a hint, no traceback."""
    ran = await fieldguide("train-plan", *arguments, "--json", "--home", tmp_path)
    assert ran.code == 2
    assert ran.json["error"]["message"]
    assert ran.json["error"]["hint"]
    assert "Traceback" not in ran.err


async def test_a_law_is_fitted_to_runs_of_ones_own(tmp_path: Path) -> None:
    """Columns N, D and loss; the law's name says where it comes from."""
    lines = ["N,D,loss"]
    for size in (1e8, 3e8, 1e9):
        for tokens in (2e9, 1e10, 5e10):
            lines.append(f"{size},{tokens},{1.7 + 400 / size**0.34 + 900 / tokens**0.33}")
    runs = tmp_path / "runs.csv"
    runs.write_text("\n".join(lines) + "\n", encoding="utf-8")
    ran = await fieldguide("train-plan", "--parameters", "1B", "--runs", runs, "--json", "--home", tmp_path)
    assert ran.code == 0, ran.err
    assert ran.json["law"]["constants"]["alpha"] == pytest.approx(0.34, abs=0.01)
    assert ran.json["law"]["rmse"] < 1e-3
