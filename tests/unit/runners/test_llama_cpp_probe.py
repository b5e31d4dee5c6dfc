"""Models of random weights load, have the bytes that they should, and give times that add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.runners.llama_cpp import _probe
from fieldguide.runners.llama_cpp._file_facts import read_file_facts
from fieldguide.runners.llama_cpp._machine import this_machine
from fieldguide.runners.llama_cpp._open import engine_folder
from fieldguide.runners.llama_cpp._probe_model import Q4_1, Q4_K, Q5_0, Q8_0, BlockType, ProbeShape, write_probe_model


@pytest.mark.parametrize("kind", [Q4_1, Q4_K, Q5_0, Q8_0])
def test_the_file_has_the_bytes_of_its_shape(kind: BlockType, tmp_path: Path) -> None:
    """Matrices at the block rate, the embedding beside what is read, and a header that we can read."""
    shape = ProbeShape(hidden=256, ffn=512, layers=3, vocabulary=1024, type=kind)
    path = tmp_path / "probe.gguf"
    write_probe_model(path, shape)
    embedding = shape.hidden * shape.vocabulary * kind.bits / 8
    assert path.stat().st_size == pytest.approx(shape.weights_bytes + embedding, rel=0.1)
    assert path.stat().st_size > shape.weights_bytes + embedding
    assert read_file_facts(path).architecture == "llama"
    before = path.read_bytes()
    write_probe_model(path, shape)
    assert path.read_bytes() == before


async def test_the_engine_runs_it(tmp_path: Path) -> None:
    """Every type loads and answers; rates are above 0."""
    pytest.importorskip("xllamacpp", reason="the extra `llama-cpp` is not installed")
    shape = ProbeShape(hidden=256, ffn=512, layers=2, vocabulary=1024, type=Q4_K)
    path = tmp_path / "probe.gguf"
    write_probe_model(path, shape)
    timing = await _probe.timed(path, this_machine(), engine_folder(), vocabulary=1024, trials=1)
    assert timing.decode_tokens_per_s > 0
    assert timing.prefill_tokens_per_s > timing.decode_tokens_per_s


@pytest.mark.parametrize(("layer_s", "weight_s"), [(1e-4, 2e-11), (0.0, 5e-11), (5e-4, 1e-12)])
def test_layers_and_weights_are_told_apart(layer_s: float, weight_s: float) -> None:
    """Two models of unlike shape give both costs exactly."""
    wide, thin = _probe._WIDE[Q8_0], _probe._THIN
    steps = [shape.layers * layer_s + shape.parameters * weight_s for shape in (wide, thin)]
    assert _probe._solved(*steps) == pytest.approx((layer_s, weight_s), rel=1e-6, abs=1e-15)


def test_memory_is_copied_at_some_rate() -> None:
    """More than a disk, less than any memory that exists."""
    assert 1e8 < _probe.copy_bytes_per_s(1) < 1e13
