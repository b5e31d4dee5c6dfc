"""Tensors, towers and counts of schemes beyond the plain llama."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldguide.domain import (
    LinearAttention,
    Tower,
    active_parameters,
    encoder_parameters,
    tensors_of,
    total_parameters,
    tower_parameters,
)
from fieldguide.domain.scheme import TRAITS
from tests.unit.domain.test_layer_cache import shape

_LATENT = {"q_lora_rank": 64, "kv_lora_rank": 32, "rope_head_dim": 16, "value_head_dim": 64}
_LINEAR = LinearAttention(key_heads=2, value_heads=4, key_dim=16, value_dim=16, kernel=4)
_ENCODER = {"encoder_layers": 2, "encoder_hidden": 64, "encoder_ffn": 128, "mel_bins": 80, "positions": 448}


def _of_scheme(scheme: str, **changes: Any) -> Any:
    usual: dict[str, Any] = {}
    if scheme == "deepseek-v3":
        usual = _LATENT | {"indexer_heads": 2, "indexer_head_dim": 16}
    elif scheme in {"whisper", "qwen2-vl", "qwen2-audio"}:
        usual = dict(_ENCODER, positions=448 if scheme == "whisper" else None)
    elif scheme == "qwen3-next":
        usual = {"linear": _LINEAR, "global_layer_every": 4}
    elif scheme == "gemma4":
        usual = {"global_layer_every": 6, "sliding_window": 64, "per_layer_width": 8, "shared_kv_layers": 4}
    elif scheme == "mllama":
        usual = {"cross_layers": (3, 7), "cross_tokens": 100, "extra_rows": 8}
    return shape(scheme=scheme, **(usual | changes))


@pytest.mark.parametrize("scheme", TRAITS)
def test_the_tensors_of_every_scheme_hold_all_its_parameters(scheme: str) -> None:
    """The count goes by kinds of layers, the list by layers: both must agree."""
    made = _of_scheme(scheme)
    assert sum(tensor.numbers for tensor in tensors_of(made)) == total_parameters(made)
    assert len({tensor.name for tensor in tensors_of(made)}) == len(tensors_of(made))


@given(
    every=st.integers(1, 4),
    dense=st.integers(0, 3),
    experts=st.integers(2, 16),
    chosen=st.integers(1, 2),
    shared=st.integers(0, 2),
)
def test_idle_experts_are_what_active_parameters_leave_out(
    every: int, dense: int, experts: int, chosen: int, shared: int
) -> None:
    """Whatever the rhythm of layers with experts; biases of experts idle with them (gpt-oss)."""
    for scheme in ("llama4", "gpt-oss"):
        made = _of_scheme(
            scheme,
            experts=experts,
            experts_per_token=chosen,
            expert_ffn=64,
            shared_experts=shared,
            dense_layers=dense,
            experts_every=every,
        )
        routed = [tensor for tensor in tensors_of(made) if "_exps" in tensor.name]
        assert len({tensor.layer for tensor in routed}) == sum(made.has_experts(layer) for layer in range(12))
        idle = sum(tensor.numbers for tensor in routed) * (experts - chosen) // experts
        assert active_parameters(made) == total_parameters(made) - idle


def test_biases_are_rows_of_their_own_and_stay_whole_in_a_quantized_file() -> None:
    """A bias of experts is no matrix: llama.cpp keeps it at 32 bits."""
    made = _of_scheme("gpt-oss", experts=4, experts_per_token=2, expert_ffn=64)
    biases = [tensor for tensor in tensors_of(made) if tensor.name.endswith(".bias")]
    assert biases
    assert not any(tensor.is_matrix for tensor in biases)


def test_layers_that_share_a_cache_may_have_a_wider_block() -> None:
    """Gemma 4 E2B doubles it in the layers that keep no cache."""
    plain, wider = _of_scheme("gemma4"), _of_scheme("gemma4", shared_kv_ffn=2048)
    assert total_parameters(wider) - total_parameters(plain) == 4 * 3 * 512 * (2048 - 1024)


def test_a_tower_is_counted_with_its_way_to_the_decoder() -> None:
    """A projector grows with the decoder's width; a tower of which only the count is known does not."""
    pixtral = Tower(kind="pixtral", layers=2, hidden=64, ffn=128, patch=14, merge=2)
    layers = 2 * (4 * 64**2 + 3 * 64 * 128 + 2 * 64)
    assert tower_parameters(pixtral, 512) == 3 * 14**2 * 64 + 64 + layers + 64 + 4 * 64**2 + 64 * 512 + 512**2
    counted = Tower(kind="counted", parameters=1000)
    assert tower_parameters(counted, 512) == tower_parameters(counted, 1024) == 1000
    both = shape(towers=(pixtral, counted))
    assert encoder_parameters(both) == tower_parameters(pixtral, 512) + 1000
    assert total_parameters(both) == total_parameters(shape()) + encoder_parameters(both)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "counted"},
        {"kind": "siglip", "layers": 2, "hidden": 64},
        {"kind": "clip", "layers": 2, "hidden": 64, "ffn": 128},
        {"kind": "counted", "parameters": -1},
    ],
)
def test_a_tower_without_the_numbers_of_its_kind_is_refused(changes: dict[str, Any]) -> None:
    """Unknown is not zero."""
    with pytest.raises(ValueError, match=r"needs|greater"):
        Tower(**changes)
