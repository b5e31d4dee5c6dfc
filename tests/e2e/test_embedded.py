"""The program on its embedded engine, with a model of random weights that the test makes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.program import fieldguide
from tests.support.tiny_gguf import tiny_gguf

pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
QUICK = ("--threads", "1", "--slots", "2")


async def test_a_model_file_is_examined_and_its_answers_are_reused(tmp_path: Path) -> None:
    """A GGUF file goes the whole way: load, ask, judge, record; the second time nothing is generated."""
    model = tiny_gguf(tmp_path / "tiny.gguf", context_length=2048)
    arguments = ("evaluate", model, "--benchmark", "ladder", "--limit", "8", *QUICK, "--json")
    first = await fieldguide(*arguments)
    assert first.code == 0, first.err
    result = first.json["results"][0]
    assert (result["attempts"], result["cost_usd"], result["reused"]) == (8, 0.0, 0)
    assert result["usage"]["input_tokens"] > 0
    assert "file_sha256" in result["identity"]
    second = await fieldguide(*arguments)
    assert second.json["results"][0]["reused"] == 8
    assert second.json["results"][0]["outcomes"] == result["outcomes"]


async def test_a_model_file_is_known_by_its_content(tmp_path: Path) -> None:
    """A copy of the file under another name is the same model, and its answers count."""
    tiny_gguf(tmp_path / "one.gguf")
    tiny_gguf(tmp_path / "two.gguf")
    arguments = ("--benchmark", "ladder", "--limit", "2", *QUICK, "--json")
    await fieldguide("evaluate", tmp_path / "one.gguf", *arguments)
    second = await fieldguide("evaluate", tmp_path / "two.gguf", *arguments)
    assert second.json["results"][0]["reused"] == 2


@pytest.mark.parametrize("content", [b"", b"GGUF", b"<!DOCTYPE html><html>Not found</html>" * 50, b"\0" * 4096])
async def test_a_file_that_is_no_model_gets_a_sentence(tmp_path: Path, content: bytes) -> None:
    """Empty, cut, a web page, zeros: exit code 2, the file named, no traceback."""
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    ran = await fieldguide("ask", path, "hello")
    assert ran.code == 2
    assert "broken.gguf" in ran.err
    assert "Traceback" not in ran.err


async def test_a_truncated_model_gets_a_sentence(tmp_path: Path) -> None:
    """A file that lost its end is refused with the engine's reason."""
    path = tiny_gguf(tmp_path / "cut.gguf")
    path.write_bytes(path.read_bytes()[:-4096])
    ran = await fieldguide("ask", path, "hello", *QUICK, "--json")
    assert ran.code == 2
    assert ran.json["error"]["type"] == "ModelLoadError"


async def test_ask_answers_from_a_file(tmp_path: Path) -> None:
    """`ask` streams from the embedded engine; the model's words are noise, the numbers beside them are not."""
    model = tiny_gguf(tmp_path / "tiny.gguf")
    ran = await fieldguide("ask", model, "hello", "--max-tokens", "5", "--temperature", "0", *QUICK, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["usage"]["output_tokens"] == 5
    assert ran.json["finish_reason"] == "length"


async def test_a_busy_port_does_not_matter(tmp_path: Path) -> None:
    """The engine opens no port, so that a busy one is no obstacle."""
    model = tiny_gguf(tmp_path / "tiny.gguf")
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        ran = await fieldguide("doctor", model, *QUICK, "--json")
    assert ran.code == 0, ran.out
