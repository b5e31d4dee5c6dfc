"""Our readers beside those of the formats' owners, on the same files, where these are installed."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from fieldguide.domain import total_parameters
from fieldguide.formats import inspect_path
from tests.support.model_files import gguf_bytes, llama_facts, safetensors_bytes, written
from tests.support.shared import shared
from tests.support.tiny_gguf import tiny_gguf

_HOME = Path(os.environ.get("FIELDGUIDE_HOME") or platformdirs.user_data_path("fieldguide"))
"""The person's own, seen before each test gets one of its own: real models lie there."""

SMOLLM2 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GEMMA = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
"""sha256 of the files, as the catalogue has them."""


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


def stored(sha256: str) -> Path:
    """Return the blob of a model that `make setup-models` fetches; skip the test where it is not."""
    path = _HOME / "models" / "blobs" / f"sha256-{sha256}.gguf"
    if not path.exists():
        pytest.skip("needs the small real models (make setup-models)")
    return path


@pytest.mark.model
@pytest.mark.parametrize(
    ("sha256", "parameters", "quantization"), [(SMOLLM2, 134_515_008, "Q4_1"), (GEMMA, 268_098_176, "Q4_K_M")]
)
def test_real_models_have_the_parameters_that_their_publishers_say(
    sha256: str, parameters: int, quantization: str
) -> None:
    """Counted from the header, the tied head once, and equal to the closed form of the shape."""
    facts = inspect_path(stored(sha256))
    assert (facts.parameters, facts.quantization, facts.warnings) == (parameters, quantization, ())
    assert facts.shape is not None
    assert total_parameters(facts.shape) == parameters


@pytest.mark.model
def test_tensors_of_a_real_model_are_those_that_gguf_reads() -> None:
    """Every tensor of SmolLM2; `gguf` takes a while for its vocabulary."""
    same_as_gguf(stored(SMOLLM2))
