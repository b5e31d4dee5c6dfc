"""Estimates against what a process really holds: random models of many shapes, and SmolLM2, loaded by llama.cpp.

Measured is the proportional set size with all mapped pages of the file, after a prompt that fills the context; the
estimate must be within 5 % or 20 MB. Right after loading, less may be held, as the compute buffer is not touched yet.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.app.network_of_file import network_of_file
from fieldguide.planner import MemoryPlan, Workload, engine_named, memory_plan
from tests.support.loaded_model import measured
from tests.support.memory_loads import LONG, QUICK, Load
from tests.support.random_gguf import random_gguf

_SHARE, _BYTES = 0.05, 20e6


def _plan(path: Path, *, context_tokens: int, slots: int, kv_type: str) -> MemoryPlan:
    network = network_of_file(path)
    work = Workload(context_tokens=context_tokens, sequences=slots, kv_type=kv_type)
    return memory_plan(network, "F16", engine_named("llama.cpp"), work)


def _check(path: Path, load: Load) -> None:
    plan = _plan(path, context_tokens=load.context_tokens, slots=load.slots, kv_type=load.kv_type)
    loaded, used = measured(
        path,
        context_tokens=load.context_tokens,
        slots=load.slots,
        kv_type=load.kv_type,
        prompt_tokens=load.context_tokens - 16,
    )
    allowed = max(_SHARE * used.pss_bytes, _BYTES)
    assert abs(plan.total_bytes - used.pss_bytes) <= allowed, (plan.total_bytes, used)
    assert plan.total_low_bytes - allowed <= loaded.pss_bytes <= plan.total_bytes + allowed, (plan.total_bytes, loaded)


@pytest.mark.parametrize("load", QUICK, ids=lambda load: load.name)
def test_the_estimate_is_what_the_process_holds(load: Load, tmp_path: Path) -> None:
    """Three shapes, in the quick suite."""
    _check(random_gguf(tmp_path / "model.gguf", load.model), load)


@pytest.mark.long
@pytest.mark.parametrize("load", LONG, ids=lambda load: load.name)
def test_the_estimate_is_what_the_process_holds_in_every_kind(load: Load, tmp_path: Path) -> None:
    """Grouped heads from 1 to all, experts, windows, quantized weights and caches, several contexts and slots."""
    _check(random_gguf(tmp_path / "model.gguf", load.model), load)
