"""Few bytes and few requests: a header is read by ranges as well as from a disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fieldguide.errors import InputFileError
from fieldguide.formats import FileSource, gguf_model, read_gguf, read_safetensors
from tests.support.model_files import ARRAY, FLOAT32, FakeRemote, Typed, gguf_bytes, llama_facts, safetensors_bytes


def vocabulary(tokens: int) -> dict[str, object]:
    """Return the metadata of a model with as large a vocabulary, its merges, scores and types."""
    return llama_facts() | {
        "tokenizer.ggml.tokens": [f"token{i:07}" for i in range(tokens)],
        "tokenizer.ggml.scores": Typed(ARRAY, [0.0] * tokens, FLOAT32),
        "tokenizer.ggml.merges": [f"to ken{i:07}" for i in range(tokens)],
    }


def test_a_gguf_header_is_read_by_a_few_ranges() -> None:
    """Of a vocabulary of 49,152 tokens, as SmolLM2's, the strings must pass, the numbers need not, nor the weights."""
    content = gguf_bytes(vocabulary(49_152), [("token_embd.weight", (256, 40_000), 0)])
    remote = FakeRemote(content)
    header = read_gguf(remote)
    assert len(remote.asked) <= 8
    assert remote.fetched_bytes <= header.data_offset + (1 << 20)
    assert remote.fetched_bytes < len(content) / 10


def test_a_small_header_takes_one_request() -> None:
    """What stands at the front of the file comes with the first 64 KiB."""
    remote = FakeRemote(gguf_bytes(llama_facts(), [("a.weight", (256, 40_000), 0)]))
    read_gguf(remote)
    assert remote.asked == [(0, 64 << 10)]


def test_numbers_of_an_array_are_passed_over() -> None:
    """A long array of numbers is skipped by its size and not fetched."""
    remote = FakeRemote(gguf_bytes({"a": Typed(ARRAY, [0.0] * 2_000_000, FLOAT32), "b": 1}))
    assert read_gguf(remote).number("b") == 1
    assert remote.fetched_bytes < 400_000


def test_a_safetensors_header_takes_two_requests() -> None:
    """The length, then the JSON text; never a tensor."""
    remote = FakeRemote(safetensors_bytes({"a": ("F32", [1000, 100], b"\0" * 400_000)}))
    header = read_safetensors(remote)
    assert remote.asked == [(0, 8), (8, header.header_bytes)]


def test_a_tied_head_costs_a_few_samples() -> None:
    """Embedding and output layer are compared by samples and never read whole."""
    tensors = [("token_embd.weight", (256, 4000), 0), ("output.weight", (256, 4000), 0)]
    remote = FakeRemote(gguf_bytes(llama_facts(), tensors))
    assert gguf_model({"m.gguf": remote}).head.stored_twice
    assert remote.fetched_bytes <= (64 << 10) + 16 * 4096


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    """A pipe by the name of a model neither hangs nor is read."""
    pipe = tmp_path / "m.gguf"
    os.mkfifo(pipe)
    with pytest.raises(InputFileError, match="not a plain file"):
        FileSource(pipe)
    with pytest.raises(InputFileError, match="cannot be read"):
        FileSource(tmp_path / "none.gguf")
