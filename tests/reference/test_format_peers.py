"""Our readers beside those of the formats' owners, on the same files, where these are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.formats import inspect_path
from tests.support.model_files import gguf_bytes, llama_facts, safetensors_bytes, written
from tests.support.shared import shared
from tests.support.tiny_gguf import tiny_gguf


def same_as_gguf(path: Path) -> None:
    """Compare every tensor with what the package `gguf` reads."""
    reader = pytest.importorskip("gguf", reason="the package gguf is not installed").GGUFReader(path)
    theirs = [
        (t.name, t.tensor_type.name, tuple(map(int, t.shape)), int(t.n_elements), int(t.n_bytes), int(t.data_offset))
        for t in reader.tensors
    ]
    ours = [(t.name, t.type, t.shape, t.elements, t.bytes, t.offset) for t in inspect_path(path).tensors]
    assert ours == theirs


def test_tensors_are_those_that_gguf_reads(tmp_path: Path) -> None:
    """Names, types, shapes, sizes and places of a file that engines load and of one with blocks of every size."""
    same_as_gguf(tiny_gguf(tmp_path / "tiny.gguf"))
    tensors = [(f"t{kind}", (256, 3), kind) for kind in (0, 1, 2, 8, 12, 30)]
    same_as_gguf(written(tmp_path / "types.gguf", gguf_bytes(llama_facts(), tensors)))


def test_tensors_of_the_shared_files_are_those_that_gguf_reads() -> None:
    """The same for the sound files of the collection."""
    same_as_gguf(shared("badfiles", "real", "00_good_tiny_llama.gguf"))
    same_as_gguf(shared("badfiles", "gguf", "00_good.gguf"))


def test_tensors_are_those_that_safetensors_reads(tmp_path: Path) -> None:
    """Names, types and shapes, metadata and order."""
    package = pytest.importorskip("safetensors", reason="the package safetensors is not installed")
    content = safetensors_bytes(
        {"b": ("BF16", [2, 3], b"\1" * 12), "a": ("I64", [], b"\2" * 8), "f8": ("F8_E4M3", [3], b"123")}, {"k": "v"}
    )
    theirs = {name: (info["dtype"], tuple(info["shape"])) for name, info in package.deserialize(content)}
    path = written(tmp_path / "m.safetensors", content)
    assert {tensor.name: (tensor.type, tensor.shape) for tensor in inspect_path(path).tensors} == theirs


@pytest.mark.model
@pytest.mark.parametrize(
    ("pattern", "parameters", "quantization"),
    [("SmolLM2-135M-Instruct*.gguf", 134_515_008, "Q4_1"), ("gemma-3-270m*.gguf", 268_098_176, "Q4_K_M")],
)
def test_real_models_have_the_parameters_that_their_publishers_say(
    pattern: str, parameters: int, quantization: str
) -> None:
    """Counted from the header, the tied head once, and equal to the closed form of the shape."""
    from fieldguide.app.wiring import open_house
    from fieldguide.domain import total_parameters

    found = sorted(open_house({}).settings.home.rglob(pattern))
    if not found:
        pytest.skip(f"needs {pattern} (make setup-models)")
    facts = inspect_path(found[0])
    assert (facts.parameters, facts.quantization, facts.warnings) == (parameters, quantization, ())
    assert facts.shape is not None
    assert total_parameters(facts.shape) == parameters
