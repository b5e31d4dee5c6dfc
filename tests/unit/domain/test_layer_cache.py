"""What each layer keeps, for every kind of network."""

from __future__ import annotations

from typing import Any

import pytest

from fieldguide.domain import Architecture, layer_caches, network_of
from fieldguide.errors import UnsupportedError


def shape(**changes: Any) -> Architecture:
    """Return a small shape of 12 layers with 8 heads of 64, two of them for keys and values."""
    usual: dict[str, Any] = {"scheme": "llama", "layers": 12, "hidden": 512, "ffn": 1024, "heads": 8, "kv_heads": 2}
    return Architecture(**{**usual, "head_dim": 64, "vocabulary": 1000, "tied_head": True, **changes})


def test_grouped_heads_keep_only_the_keys_and_values_they_have() -> None:
    """Two heads of 64 keep 128 numbers, and not the 512 of all query heads."""
    assert {(each.key_width, each.value_width, each.window) for each in layer_caches(shape())} == {(128, 128, None)}


@pytest.mark.parametrize(("every", "far"), [(2, {1, 3, 5, 7, 9, 11}), (6, {5, 11}), (4, {3, 7, 11}), (None, set())])
def test_the_last_layer_of_each_period_sees_everything(every: int | None, far: set[int]) -> None:
    """Gemma 2 and gpt-oss, Gemma 3, Llama 4, and Mistral 7B v0.1, whose every layer has the window."""
    caches = layer_caches(shape(sliding_window=512, global_layer_every=every))
    assert {layer for layer, each in enumerate(caches) if each.window is None} == far


def test_layers_that_see_everything_can_be_listed() -> None:
    """A pattern without a period is written as a list."""
    caches = layer_caches(shape(sliding_window=512, global_layers=(0, 7)))
    assert {layer for layer, each in enumerate(caches) if each.window is None} == {0, 7}


def test_layers_without_attention_keep_a_fixed_state_and_no_tokens() -> None:
    """A hybrid (Jamba, Granite 4, LFM2) lists its key/value heads by layer, with 0 for the others."""
    heads = (0, 0, 0, 2) * 3
    caches = layer_caches(shape(kv_heads_by_layer=heads, state_numbers=5000))
    assert [each.key_width for each in caches] == [0, 0, 0, 128] * 3
    assert [each.state_numbers for each in caches] == [5000, 5000, 5000, 0] * 3


def test_a_hybrid_without_the_size_of_its_state_is_refused() -> None:
    """Unknown is not zero."""
    with pytest.raises(UnsupportedError):
        layer_caches(shape(kv_heads_by_layer=(0,) * 12))


def test_a_hybrid_takes_its_published_count() -> None:
    """No closed form holds for it; with the count all but the embedding is one matrix."""
    mixed = shape(kv_heads_by_layer=(0, 2) * 6, state_numbers=10)
    with pytest.raises(UnsupportedError):
        network_of(mixed, name="hybrid", source="test")
    network = network_of(mixed, name="hybrid", source="test", parameters=(20_000_000, 20_000_000))
    assert network.parameters == 20_000_000
    assert abs(sum(tensor.numbers for tensor in network.tensors) - 20_000_000) < 512


def test_latent_attention_keeps_rank_and_rotary_part_and_no_values() -> None:
    """DeepSeek-V3: 512 + 64 numbers per token and layer."""
    latent = {"q_lora_rank": 1536, "kv_lora_rank": 512, "rope_head_dim": 64, "value_head_dim": 64}
    caches = layer_caches(shape(scheme="deepseek-v3", **latent))
    assert {(each.key_width, each.value_width) for each in caches} == {(576, 0)}


def test_cross_attention_keeps_the_encoders_tokens() -> None:
    """A layer that looks at an image keeps its tokens, however long the text is."""
    caches = layer_caches(shape(cross_layers=(3, 8), cross_tokens=1601))
    assert [layer for layer, each in enumerate(caches) if each.fixed_tokens == 1601] == [3, 8]


def test_every_layer_of_whisper_keeps_its_text_and_the_sound() -> None:
    """The decoder's layers count twice: their own tokens, and the 1,500 frames."""
    whisper = shape(scheme="whisper", encoder_layers=12, mel_bins=80, positions=448, kv_heads=8)
    caches = layer_caches(whisper)
    assert len(caches) == 24
    assert sum(each.fixed_tokens == 1500 for each in caches) == 12


def test_heads_by_layer_must_fit_the_layers() -> None:
    """One number per layer."""
    with pytest.raises(ValueError, match="one number per layer"):
        shape(kv_heads_by_layer=(2, 2))
