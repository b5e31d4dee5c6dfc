"""From a network to what a step of decoding moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fieldguide.domain import Architecture, LayerCache, Tensor, network_of
from fieldguide.planner import MatrixLoad, Workload, attended_in_prompt, load_of, prompt_parameters, weights_of

SHAPE = Architecture(
    scheme="llama", layers=2, hidden=64, ffn=96, heads=4, kv_heads=2, head_dim=16, vocabulary=1000, tied_head=False
)
WORK = Workload(context_tokens=1000, answer_tokens=200)


def test_an_embedding_apart_is_not_read_and_the_head_is() -> None:
    """Weights without the table of the vocabulary; a prompt passes neither of the two."""
    network = network_of(SHAPE, name="m", source="test")
    load = load_of(network, weights_of(network, "BF16"), WORK)
    table = 64 * 1000
    assert load.active_parameters == network.parameters - table
    assert load.weights_bytes == 2 * load.active_parameters
    assert prompt_parameters(network) == network.parameters - 2 * table


def test_a_tied_embedding_is_read_once_even_where_a_copy_is_stored() -> None:
    """The output layer is the embedding again: the same bytes with and without the copy."""
    tied = network_of(replace(SHAPE, tied_head=True), name="m", source="test")
    copied = replace(tied, tensors=(*tied.tensors, Tensor(name="output.weight", columns=64, rows=1000)))
    loads = [load_of(network, weights_of(network, "BF16"), WORK) for network in (tied, copied)]
    assert loads[0].weights_bytes == loads[1].weights_bytes == 2 * tied.parameters
    assert loads[0].active_parameters == loads[1].active_parameters


def test_the_cache_is_that_of_half_an_answer() -> None:
    """800 tokens of prompt and 100 of 200 answered: 900 tokens of keys and values in two layers."""
    network = network_of(SHAPE, name="m", source="test")
    assert load_of(network, weights_of(network, "BF16"), WORK).kv_bytes == 900 * 2 * (2 * 32) * 2


def test_a_token_passes_its_experts_and_more_sequences_wake_more() -> None:
    """Two of eight experts; all of them with many sequences."""
    shape = replace(SHAPE, experts=8, experts_per_token=2, expert_ffn=96)
    network = network_of(shape, name="m", source="test")
    load = load_of(network, weights_of(network, "BF16"), WORK)
    assert load.active_parameters == network.active_parameters - 64 * 1000
    experts = 2 * 2 * 8 * 3 * 64 * 96
    assert load.expert_bytes == experts / 4
    assert load.streamed_bytes(10_000) == pytest.approx(load.weights_bytes + experts * 3 / 4)


def test_matrices_are_told_apart_by_type_and_the_head_from_the_layers() -> None:
    """In Q8_0 the layers and the head are two entries; norms are no matrices, and experts count by their share."""
    network = network_of(SHAPE, name="m", source="test")
    head, layers = load_of(network, weights_of(network, "Q8_0"), WORK).matrices
    assert head == MatrixLoad(type="Q8_0", bits=8.5, weights=64_000, rows=1000, in_prompts=False)
    rows = 2 * (64 + 32 + 32 + 64 + 96 + 96 + 64)
    weights = 2 * (64 * (64 + 32 + 32 + 64) + 3 * 64 * 96)
    assert layers == MatrixLoad(type="Q8_0", bits=8.5, weights=weights, rows=rows)
    mixed = network_of(replace(SHAPE, experts=8, experts_per_token=2, expert_ffn=96), name="m", source="test")
    passed = load_of(mixed, weights_of(mixed, "Q8_0"), WORK).matrices
    assert sum(each.weights for each in passed if each.in_prompts) == pytest.approx(
        weights + 2 * 3 * 64 * 96 + sum(each.weights for each in passed if each.type == "F32")
    )


def test_heads_that_share_keys_each_look_at_them_and_windows_bound_how_far() -> None:
    """Four heads of 16, keys and values, at every token before: 900 in an answer, half of the prompt in a prompt."""
    network = network_of(SHAPE, name="m", source="test")
    assert load_of(network, weights_of(network, "BF16"), WORK).attended_numbers == 2 * 4 * 2 * 16 * 900
    assert attended_in_prompt(network, 800) == 2 * 4 * 2 * 16 * 400
    narrow = network_of(replace(SHAPE, sliding_window=100), name="m", source="test")
    assert load_of(narrow, weights_of(narrow, "BF16"), WORK).attended_numbers == 2 * 4 * 2 * 16 * 100
    assert attended_in_prompt(narrow, 800) == 2 * 4 * 2 * 16 * (100 - 100 * 100 / 1600)


def test_latent_keys_are_looked_at_twice_and_a_layer_without_attention_looks_at_nothing() -> None:
    """DeepSeek's heads look at one compressed row each, as keys and as values; a state is no look back."""
    network = network_of(SHAPE, name="m", source="test")
    work = Workload(context_tokens=10, answer_tokens=0)
    latent = replace(network, caches=(LayerCache(key_width=48), LayerCache(state_numbers=100)))
    assert load_of(latent, weights_of(latent, "BF16"), work).attended_numbers == 10 * 4 * 2 * 48
    layers = (LayerCache(key_width=64, value_width=64), LayerCache(key_width=16, value_width=16))
    by_layer = replace(network, caches=layers, kv_heads=4)
    assert load_of(by_layer, weights_of(by_layer, "BF16"), work).attended_numbers == 2 * 10 * 4 * 2 * 16
