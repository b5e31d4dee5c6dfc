"""Bytes of the weights, by name of a quantization."""

from __future__ import annotations

import pytest

from fieldguide.domain import Network, network_of
from fieldguide.errors import UnknownNameError
from fieldguide.planner import active_bytes, gguf_types, quantization_named, quantization_names, weights_of
from tests.unit.domain.test_layer_cache import shape


def network(
    *, heads: int = 8, kv_heads: int = 8, layers: int = 32, experts: int | None = None, tied: bool = False
) -> Network:
    """Return a network whose rows are whole blocks."""
    chosen = None if experts is None else 2
    made = shape(
        hidden=1024,
        ffn=2048,
        heads=heads,
        kv_heads=kv_heads,
        layers=layers,
        head_dim=128,
        vocabulary=32000,
        tied_head=tied,
        experts=experts,
        experts_per_token=chosen,
        expert_ffn=None if experts is None else 2048,
    )
    return network_of(made, name="net", source="test")


def types(net: Network, name: str, role: str) -> list[str]:
    """Return the types of one role, layer by layer."""
    return [kind for tensor, kind in gguf_types(net, name) if tensor.role == role]


@pytest.mark.parametrize("name", quantization_names())
def test_every_name_gives_a_size_below_32_bits(name: str) -> None:
    """No name of the list is without a rule."""
    net = network(experts=8, kv_heads=2)
    weights = weights_of(net, name)
    assert 1.1 < weights.bits_per_weight(net.parameters) <= 32.01
    assert sum(weights.bytes_by_type.values()) == weights.total_bytes


def test_q4_k_m_gives_more_bits_to_the_ends_and_every_third_layer() -> None:
    """First and last eighth of 32 layers, and every third between."""
    down = types(network(), "Q4_K_M", "ffn_down")
    richer = {layer for layer, kind in enumerate(down) if kind == "Q6_K"}
    assert richer == {0, 1, 2, 3, *range(6, 28, 3), 28, 29, 30, 31}


def test_values_of_eight_experts_and_of_70b_models_get_more_bits() -> None:
    """Q8_0 for Mixtral; Q5_K where 80 layers share values among heads."""
    assert set(types(network(experts=8, kv_heads=2), "Q4_K_S", "attn_v")) == {"Q8_0"}
    assert set(types(network(layers=80, kv_heads=1), "Q3_K_M", "attn_v")) == {"Q5_K"}


def test_a_tied_embedding_is_quantized_as_the_output_layer() -> None:
    """Q6_K and not Q4_K."""
    assert types(network(tied=True), "Q4_K_M", "token_embd") == ["Q6_K"]
    assert types(network(), "Q4_K_M", "token_embd") == ["Q4_K"]


def test_rows_that_are_no_whole_block_fall_back() -> None:
    """Rows of 896 (Qwen2.5-0.5B) are not divisible by 256: Q4_K becomes Q5_0, the output layer Q8_0."""
    odd = network_of(shape(hidden=896, ffn=4864, heads=14, tied_head=True), name="odd", source="test")
    assert set(types(odd, "Q4_K_M", "attn_q")) == {"Q5_0"}
    assert types(odd, "Q4_K_M", "token_embd") == ["Q8_0"]


def test_gptq_leaves_embedding_and_head_at_16_bits() -> None:
    """Only matrices of the layers are packed; scales and zeros come per 128 weights."""
    weights = weights_of(network(), "gptq-int4")
    kinds = {tensor.role: kind for tensor, kind, _ in weights.stored}
    assert kinds["token_embd"] == kinds["output"] == kinds["attn_norm"] == "BF16"
    query = next(size for tensor, _, size in weights.stored if tensor.role == "attn_q")
    groups = 1024 * 8
    assert query == 1024 * 1024 // 2 + groups * 2 + groups // 2 + 4 * 1024


def test_idle_experts_are_held_and_not_read() -> None:
    """Two of eight experts take part in a token, and the table of the input embedding does not."""
    net = network(experts=8, kv_heads=2)
    weights = weights_of(net, "F16")
    experts = sum(size for tensor, _, size in weights.stored if tensor.experts > 1)
    embedding = 2 * 32000 * 1024
    assert active_bytes(net, weights) == weights.total_bytes - embedding - experts * 6 // 8


def test_names_are_read_in_any_spelling_and_unknown_ones_refused() -> None:
    """Case and dashes do not matter."""
    assert quantization_named("q4-k-m") == "Q4_K_M"
    assert quantization_named("gptq_int8") == "GPTQ-INT8"
    with pytest.raises(UnknownNameError, match="Q4_Z"):
        quantization_named("Q4_Z")
