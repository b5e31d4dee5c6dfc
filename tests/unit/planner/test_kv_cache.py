"""Bytes of the key/value cache."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.domain import Network, network_of
from fieldguide.errors import UnknownNameError
from fieldguide.planner import bytes_per_token, engine_named, kv_cache_bytes
from tests.unit.domain.test_layer_cache import shape

LLAMA_CPP = engine_named("llama.cpp").habits


def network(**changes: Any) -> Network:
    """Return a small network."""
    return network_of(shape(**changes), name="small", source="test")


def test_the_formula_of_the_docstring_by_hand() -> None:
    """12 layers x 2 x 2 heads x 64 x 2 bytes x 1,000 tokens x 3 sequences."""
    assert kv_cache_bytes(network(), context_tokens=1000, sequences=3) == 12 * 2 * 2 * 64 * 2 * 1000 * 3


def test_a_window_holds_no_more_than_the_window() -> None:
    """Ten of twelve layers stop at 512 tokens, two go on."""
    size = kv_cache_bytes(network(sliding_window=512, global_layer_every=6), context_tokens=4096)
    assert size == 2 * 2 * 64 * 2 * (10 * 512 + 2 * 4096)


def test_llama_cpp_holds_window_and_batch_in_whole_blocks_of_256() -> None:
    """As `llama_kv_cache_iswa` reports: 1,024 cells for a window of 512 and a batch of 512."""
    size = kv_cache_bytes(network(sliding_window=512, global_layer_every=6), context_tokens=4096, habits=LLAMA_CPP)
    assert size == 2 * 2 * 64 * 2 * (10 * 1024 + 2 * 4096)


def test_llama_cpp_pads_the_context() -> None:
    """1,000 tokens take 1,024 cells."""
    padded = kv_cache_bytes(network(), context_tokens=1000, habits=LLAMA_CPP)
    assert padded == kv_cache_bytes(network(), context_tokens=1024)


@pytest.mark.parametrize(
    ("name", "bytes_per_32"), [("f32", 128), ("bf16", 64), ("q8_0", 34), ("q4_0", 18), ("fp8", 32)]
)
def test_block_types_count_their_scales(name: str, bytes_per_32: int) -> None:
    """128 numbers of keys and as many of values, in 12 layers."""
    assert bytes_per_token(network(), name) == 12 * 2 * (128 // 32) * bytes_per_32


def test_an_unknown_type_is_named() -> None:
    """The error lists what is known."""
    with pytest.raises(UnknownNameError, match="q3_z"):
        kv_cache_bytes(network(), context_tokens=1, key_type="q3_z")


def test_a_fixed_state_does_not_grow() -> None:
    """Nine of twelve layers keep 5,000 numbers of 32 bits per sequence."""
    hybrid = shape(kv_heads_by_layer=(0, 0, 0, 2) * 3, state_numbers=5000)
    mixed = network_of(hybrid, name="hybrid", source="test", parameters=(10_000_000, 10_000_000))
    one, two = (kv_cache_bytes(mixed, context_tokens=tokens, sequences=2) for tokens in (1000, 2000))
    assert one == 2 * (9 * 5000 * 4 + 3 * 512 * 1000)
    assert two - one == 2 * 3 * 512 * 1000


def test_heads_that_do_not_divide_are_held_on_several_devices() -> None:
    """Two key/value heads on eight devices: each head is on four of them."""
    whole = kv_cache_bytes(network(), context_tokens=1000)
    assert kv_cache_bytes(network(), context_tokens=1000, devices=2) == whole
    assert kv_cache_bytes(network(), context_tokens=1000, devices=8) == 4 * whole


@given(tokens=st.integers(1, 100_000), window=st.integers(1, 8192), sequences=st.integers(1, 64))
def test_a_window_never_costs_more_and_more_tokens_never_less(tokens: int, window: int, sequences: int) -> None:
    """Monotone in tokens, linear in sequences, bounded by the cache without windows."""
    near, far = network(sliding_window=window, global_layer_every=6), network()
    size = kv_cache_bytes(near, context_tokens=tokens, sequences=sequences)
    assert size <= kv_cache_bytes(far, context_tokens=tokens, sequences=sequences)
    assert size <= kv_cache_bytes(near, context_tokens=tokens + 1, sequences=sequences)
    assert size == sequences * kv_cache_bytes(near, context_tokens=tokens)
