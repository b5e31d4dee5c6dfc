"""`fieldguide plan --images` as a person and a program meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.cli import main


def _plan(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> tuple[int, str, str]:
    code = main(["plan", *arguments, "--home", str(home)])
    out, err = capsys.readouterr()
    return code, out, err


def _json(capsys: pytest.CaptureFixture[str], home: Path, *arguments: str) -> dict[str, Any]:
    code, out, err = _plan(capsys, home, *arguments, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_pictures_are_planned_with_resizing_tokens_cache_and_arithmetic(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """1,024 x 768 is 37 x 27 squares of 28 pixels for Qwen2-VL, and two marks around them."""
    found = _json(capsys, tmp_path, "qwen2-vl-7b-instruct", "--images", "2", "--image-size", "1024x768")
    seen = found["images"]
    assert (seen["resized_width_px"], seen["resized_height_px"]) == (1036, 756)
    assert (seen["tokens_per_image"], seen["content_tokens_per_image"], seen["tokens"]) == (1001, 999, 2002)
    assert seen["kv_cache_bytes"] == 2002 * 57344
    assert seen["encoder_flop"] > 2 * 600e6 * seen["patches"] * 2
    assert seen["source"]
    assert found["context_tokens"] == 4096 + 2002
    assert any(term["name"] == "picture encoder" for term in found["terms"])
    assert found["total_bytes"] == sum(term["bytes"] for term in found["terms"])


def test_a_plan_without_pictures_says_null(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Not asked for is not zero."""
    assert _json(capsys, tmp_path, "qwen2-vl-7b-instruct")["images"] is None


def test_people_read_what_is_done_to_a_picture(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """In words, with the source; an engine that holds pictures smaller is named."""
    code, out, err = _plan(capsys, tmp_path, "qwen2.5-vl-7b-instruct", "--images", "1", "--image-size", "4000x3000")
    assert code == 0
    assert "multiples of 28" in out
    assert "preprocessor_config.json" in out
    assert "llama.cpp holds a picture between 8 and 4,096 tokens" in err


def test_a_cross_attending_model_keeps_pictures_beside_the_prompt(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Llama 3.2 Vision: each picture more is 6,404 tokens in eight layers; llama.cpp does not run it."""
    one = _json(capsys, tmp_path, "llama-3.2-11b-vision-instruct", "--images", "1", "--context", "4096")
    three = _json(capsys, tmp_path, "llama-3.2-11b-vision-instruct", "--images", "3", "--context", "4096")
    assert three["kv_cache_bytes"] - one["kv_cache_bytes"] == 2 * 6404 * 8 * 2 * 8 * 128 * 2
    assert one["engine"]["name"] == "transformers"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("qwen2-vl-7b-instruct", "--image-size", "640x480"), "goes with --images"),
        (("qwen2-vl-7b-instruct", "--images", "0"), "from 1 to"),
        (("qwen2-vl-7b-instruct", "--images", "2", "--image-size", "wide"), "width x height"),
        (("qwen2-vl-7b-instruct", "--images", "2", "--image-size", "0x480"), "width of 0"),
        (("qwen2-vl-7b-instruct", "--images", "2", "--image-size", "9000x10"), "200 times"),
        (("qwen2-vl-7b-instruct", "--images", "9", "--context", "4096"), "the context has 4,096"),
        (("gpt-oss-20b", "--images", "1"), "how it makes tokens of pictures"),
    ],
)
def test_what_cannot_be_planned_is_told_with_the_next_step(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """No traceback, exit 1 or 2, and a hint."""
    code, out, err = _plan(capsys, tmp_path, *arguments)
    assert code in {1, 2}
    assert not out
    assert said in err
    assert "next:" in err
