"""Model files that are damaged or hostile: refused in time, with the reason, and nothing left running."""

from __future__ import annotations

import math
import os
import re
import time
from pathlib import Path

import pytest

from fieldguide.domain import CompletionRequest
from fieldguide.errors import ModelLoadError
from fieldguide.runners.llama_cpp import _engine_process, open_runner
from tests.support.embedded import children, opened, settings
from tests.support.tiny_gguf import LOOP_TEMPLATE, RECURSION_TEMPLATE, tiny_gguf

SHARED = Path(os.environ.get("FIELDGUIDE_SHARED", Path(__file__).parents[3].parent / "shared")) / "badfiles"
REAL = {
    "01_template_loop.gguf": "template",
    "02_template_recursion.gguf": "SIGSEGV while reading its chat template",
    "04_template_ssti.gguf": "chat template: Callee is not a function",
    "05_template_syntax.gguf": "chat template: Unexpected token",
    "07_fuzz_abort_vocab.gguf": "SIGABRT while loading it: llama-vocab.cpp.*GGML_ASSERT",
    "09_truncated_1_byte.gguf": "interrupted",
    "11_weights_nan.gguf": "not a number",
}


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A template gets 2 s here; the tiny files need a hundredth of that."""
    monkeypatch.setattr(_engine_process, "_TEMPLATE_DEADLINE_S", 2.0)


async def refusal(path: Path, home: Path) -> ModelLoadError:
    """Return the error of opening this file, within a minute, with nothing left running."""
    pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
    began_s = time.monotonic()
    with pytest.raises(ModelLoadError) as caught:
        await open_runner(str(path), settings(home))
    assert time.monotonic() - began_s < 60
    assert children() == set()
    assert not caught.value.retryable
    assert caught.value.hint
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"GGUF", "cut to a few bytes"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>" * 3, "HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS pointer"),
        (b"PK\x03\x04" + b"\0" * 60, "zip archive"),
        (b"RIFF" + b"\0" * 60, "starts with b'RIFF"),
    ],
)
async def test_what_is_not_gguf_is_said_to_be_what_it_is(content: bytes, said: str, tmp_path: Path) -> None:
    """A file that is no GGUF file is recognised before the engine sees it, and the error says what it is."""
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelLoadError, match=said):
        await open_runner(str(path), settings(tmp_path))


async def test_a_download_that_broke_off_is_refused(tmp_path: Path) -> None:
    """A file cut anywhere is refused with the engine's reason or ours."""
    whole = tiny_gguf(tmp_path / "whole.gguf").read_bytes()
    for size, said in ((len(whole) - 1, "interrupted"), (6_000, "interrupted"), (300, "interrupted")):
        path = tmp_path / f"cut{size}.gguf"
        path.write_bytes(whole[:size])
        assert said in str(await refusal(path, tmp_path))


async def test_a_template_that_never_ends_is_given_up_soon(tmp_path: Path) -> None:
    """A chat template that loops at loading is an error that names the template, not a hang."""
    path = tiny_gguf(tmp_path / "loop.gguf", chat_template=LOOP_TEMPLATE)
    assert "chat template did not finish" in str(await refusal(path, tmp_path))


async def test_a_template_that_crashes_the_engine_is_an_error(tmp_path: Path) -> None:
    """Endless recursion in a template kills the child with SIGSEGV, and only the child."""
    path = tiny_gguf(tmp_path / "recursion.gguf", chat_template=RECURSION_TEMPLATE)
    assert "SIGSEGV while reading its chat template" in str(await refusal(path, tmp_path))


async def test_a_template_that_does_not_parse_is_an_error(tmp_path: Path) -> None:
    """A template that the engine cannot read makes the file unusable for chat, and the error says so."""
    path = tiny_gguf(tmp_path / "syntax.gguf", chat_template="{% for %}{{")
    assert "chat template" in str(await refusal(path, tmp_path))


async def test_weights_that_are_not_numbers_are_found(tmp_path: Path) -> None:
    """A file whose weights hold NaN would load and answer nonsense; it is refused."""
    path = tiny_gguf(tmp_path / "nan.gguf", weight=math.nan)
    assert "not a number (nan)" in str(await refusal(path, tmp_path))


@pytest.mark.parametrize("name", sorted(REAL))
async def test_the_shared_bad_files_are_refused_with_their_reason(name: str, tmp_path: Path) -> None:
    """Each malformed model of the shared collection is refused in time, with the reason that it was made for."""
    path = SHARED / "real" / name
    if not path.is_file():
        pytest.skip(f"needs {path}; set FIELDGUIDE_SHARED to the folder of shared test files")
    error = await refusal(path, tmp_path)
    assert re.search(REAL[name], str(error))


async def test_the_shared_good_file_answers(tmp_path: Path) -> None:
    """The well-formed model of the shared collection loads and answers."""
    path = SHARED / "real" / "00_good_tiny_llama.gguf"
    if not path.is_file():
        pytest.skip(f"needs {path}; set FIELDGUIDE_SHARED to the folder of shared test files")
    async with opened(path, settings(tmp_path)) as runner:
        assert (await runner.complete(CompletionRequest(prompt="a b", max_output_tokens=4))).usage.output_tokens
        assert runner.model.facts["context_tokens"] == 128


async def test_every_shared_malformed_header_is_refused(tmp_path: Path) -> None:
    """None of the shared malformed headers loads, crashes the program or hangs; none is a whole model."""
    folder = SHARED / "gguf"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}; set FIELDGUIDE_SHARED to the folder of shared test files")
    for path in sorted(folder.glob("*.gguf")):
        await refusal(path, tmp_path)
