"""`fieldguide inspect` as a person and as a program use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.model_files import gguf_bytes, llama_facts, written
from tests.support.program import fieldguide
from tests.support.tiny_gguf import tiny_gguf

KEYS = {
    "format", "version", "architecture", "parameters", "tensors", "file_bytes", "quantization", "context_length",
    "chat_template_sha256", "warnings",
}  # fmt: skip


async def test_programs_get_the_agreed_keys(tmp_path: Path) -> None:
    """Standard output is one JSON value; tensors are listed when asked for."""
    path = tiny_gguf(tmp_path / "tiny.gguf", context_length=777, chat_template=None)
    ran = await fieldguide("inspect", path, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.json.keys() >= KEYS
    assert "tensor_list" not in ran.json
    assert (ran.json["format"], ran.json["version"], ran.json["context_length"]) == ("gguf", 3, 777)
    assert ran.json["file_bytes"] == path.stat().st_size
    assert ran.json["chat_template_sha256"] is None
    listed = (await fieldguide("inspect", path, "--json", "--tensors")).json
    assert len(listed["tensor_list"]) == listed["tensors"]
    assert listed["tensor_list"][0]["name"] == "token_embd.weight"


async def test_people_get_a_table_and_the_warnings(tmp_path: Path) -> None:
    """Names are shown without effect on the terminal."""
    facts = llama_facts() | {"general.name": "\x1b[31mred"}
    path = written(tmp_path / "m.gguf", gguf_bytes(facts, [("a\x1b", (32,), 0)]))
    ran = await fieldguide("inspect", path, "--tensors")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "a\\x1b" in ran.out
    assert "warning: " in ran.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("m.gguf", b"GGUF\3\0\0\0", "byte 8"), ("m.bin", b"PK\3\4", "unpickling"), ("m.gguf", b"", "empty")],
)
async def test_a_refusal_is_bad_input_with_the_byte(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    """Exit code 2, one error value for programs, a sentence and the next step for people."""
    path = written(tmp_path / name, content)
    ran = await fieldguide("inspect", path)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "next: " in ran.err
    told = (await fieldguide("inspect", path, "--json")).json["error"]
    assert told["type"] == "FormatError"
    assert said in told["message"]


async def test_a_path_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    """No file, no traceback."""
    ran = await fieldguide("inspect", tmp_path / "none.gguf")
    assert ran.code == 2
    assert "cannot be read" in ran.err
