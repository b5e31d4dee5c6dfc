"""A whole plan: its terms, its engines and its range."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.planner import Adapter, MemoryPlan, Workload, engine_named, memory_plan
from fieldguide.planner._torch_allocator import block_bytes
from tests.unit.planner.test_weights import network

_MIB = 2**20
_ENGINES = (
    "llama.cpp",
    "vllm",
    "sglang",
    "transformers@4.38",
    "transformers@4.46.1",
    "transformers@4.51.3",
    "transformers",
)


def made(engine: str = "llama.cpp", quantization: str = "BF16", devices: int = 1) -> MemoryPlan:
    """Return a plan for a small network."""
    work = Workload(context_tokens=8192, devices=devices)
    return memory_plan(network(kv_heads=2), quantization, engine_named(engine), work)


@pytest.mark.parametrize("engine", _ENGINES)
def test_terms_add_up_and_each_is_explained(engine: str) -> None:
    """The total is the sum of its terms, and each has formula, inputs and source."""
    plan = made(engine)
    assert plan.total_bytes == plan.weights.bytes + plan.kv_cache.bytes + plan.engine_bytes
    assert plan.total_low_bytes <= plan.total_bytes <= plan.total_high_bytes
    assert all(each.formula and each.source and each.inputs for each in plan.terms)


def test_old_transformers_keep_the_logits_of_the_whole_prompt() -> None:
    """4.38 holds 6 bytes x vocabulary per prompt token, 4.46 does not."""
    old, new = made("transformers@4.38"), made("transformers@4.46")
    assert old.engine_bytes - new.engine_bytes > 6 * 32000 * 6144 - made("transformers@4.46").kv_cache.bytes


def test_versions_are_told_apart_at_4_45_and_4_48() -> None:
    """What a version does is decided by when it changed, not by its exact number."""
    kinds = [engine_named(f"transformers@{version}").kind for version in ("4.44.2", "4.45", "4.47.9", "4.48", "5.1")]
    assert kinds[0].startswith("4.38")
    assert kinds[1] == kinds[2] != kinds[3] == kinds[4]


@pytest.mark.parametrize("name", ["exllama", "transformers@new"])
def test_unknown_engines_and_versions_are_refused(name: str) -> None:
    """A mistake of the user, said so."""
    with pytest.raises(UsageError):
        engine_named(name)
    with pytest.raises(UnknownNameError):
        engine_named("exllama")


def test_every_device_holds_its_own_activations() -> None:
    """Two devices hold twice the passing tensors, and the weights once."""
    one, two = made("transformers@4.46"), made("transformers@4.46", devices=2)
    assert two.weights.bytes == one.weights.bytes
    assert two.engine_bytes > one.engine_bytes
    assert two.per_device_bytes == -(-two.total_bytes // 2)


def test_an_adapter_is_a_term_of_its_own() -> None:
    """Two thin matrices beside each matrix of the layers."""
    plain = made()
    adapted = memory_plan(
        plain.network, "BF16", plain.engine, plain.work, adapter=Adapter(rank=16, roles=("attn_q",), count=2)
    )
    assert adapted.total_bytes - plain.total_bytes == 2 * 16 * 32 * (1024 + 1024) * 2


@pytest.mark.parametrize(
    ("tensor", "block"), [(43, 44), (26.25, 26.25), (129.5, 130), (270, 270), (8.3125, 8.3125), (0.0001, 512 / _MIB)]
)
def test_the_allocator_keeps_a_rest_of_at_most_one_mebibyte(tensor: float, block: float) -> None:
    """A matrix of 43 MiB holds a block of 44; of 26.25 MiB the rest is split off."""
    assert block_bytes(int(tensor * _MIB)) == int(block * _MIB)


@pytest.mark.parametrize(("context", "devices", "answer"), [(0, 1, None), (8, 0, None), (8, 1, 9)])
def test_nonsense_is_refused(context: int, devices: int, answer: int | None) -> None:
    """No tokens, no devices, an answer longer than the context."""
    with pytest.raises(UsageError):
        Workload(context_tokens=context, devices=devices, answer_tokens=answer)


def test_states_are_kept_to_step_back_to_as_windows_are() -> None:
    """llama.cpp's server makes checkpoints of hybrid and recurrent models too: two after a prompt, 32 at most."""
    plain = network(kv_heads=2)
    states = tuple(replace(cache, key_width=0, value_width=0, state_numbers=1000) for cache in plain.caches[:1])
    hybrid = replace(plain, caches=states + plain.caches[1:])
    work = Workload(context_tokens=8192, sequences=3)
    terms = {each.name: each for each in memory_plan(hybrid, "BF16", engine_named("llama.cpp"), work).terms}
    kept = terms["checkpoints of windows and states"]
    assert (kept.low_bytes, kept.bytes, kept.high_bytes) == (0, 2 * 4000 * 3, 32 * 4000 * 3)
    bare = memory_plan(plain, "BF16", engine_named("llama.cpp"), work)
    assert "checkpoints of windows and states" not in {each.name for each in bare.terms}
