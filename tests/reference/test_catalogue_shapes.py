"""Shapes of the catalogue against sizes and caches that others published, to the byte.

- gpt-oss: `total_size` of its safetensors index (20B), bytes of its tensors (120B), and what llama.cpp says a file of
  the 120B in MXFP4 has (`size` of its `/v1/models`), by code search.
- Command A: `KV self size` of llama.cpp at 32,768 tokens with both halves in Q8_0, in a build without windows.
- DeepSeek-V3: 70,272 bytes a token in BF16 (docs of the shared facts: 61 layers of 576 numbers).
- Qwen2.5-VL: weights of the vision part alone, as a training script printed them.
"""

from __future__ import annotations

import pytest

from fieldguide.app.plan_subject import network_of_member
from fieldguide.catalogue import CatalogueModel, families
from fieldguide.domain import Network
from fieldguide.planner import CacheHabits, bytes_per_token, kv_cache_bytes, weights_of


def _network(name: str) -> Network:
    for family in families().families:
        for size in family.sizes:
            for member in size.members:
                if member.name == name:
                    network = network_of_member(CatalogueModel(family=family, size=size, member=member))
                    assert network is not None
                    return network
    raise AssertionError(f"{name} is not in the catalogue")


@pytest.mark.parametrize(
    ("name", "quantization", "published"),
    [
        ("gpt-oss-20b", "MXFP4", 13_761_264_768),
        ("gpt-oss-120b", "MXFP4", 65_248_815_744),
        ("gpt-oss-120b", "MXFP4_MOE", 63_374_323_968),
    ],
)
def test_weights_of_gpt_oss_are_met_to_the_byte(name: str, quantization: str, published: int) -> None:
    """Experts in blocks of 32 with a scale, the rest at 16 bits, or in Q8_0 with biases, sinks and router at 32."""
    assert weights_of(_network(name), quantization).total_bytes == published


def test_the_cache_of_command_a_is_what_llama_cpp_reported() -> None:
    """4,352 MiB at 32,768 tokens, all layers counted as looking at everything."""
    cache = kv_cache_bytes(
        _network("command-a-03-2025"), context_tokens=32768, key_type="Q8_0", habits=CacheHabits(windows=False)
    )
    assert cache == 4352 * 2**20


def test_the_latent_cache_of_deepseek_is_what_is_published_and_the_indexer_adds_its_keys() -> None:
    """70,272 bytes a token; V3.2 keeps 128 numbers more in each of 61 layers."""
    assert bytes_per_token(_network("deepseek-v3.1"), "BF16") == 70_272
    assert bytes_per_token(_network("deepseek-v3.2"), "BF16") == 70_272 + 61 * 128 * 2


def test_the_vision_part_of_qwen2_5_vl_has_its_published_weights() -> None:
    """676,550,144 of 8,292,166,656 in the 7B."""
    assert _network("qwen2.5-vl-7b-instruct").tower_parameters == 676_550_144


def test_windows_and_chunks_bound_the_cache_of_most_layers() -> None:
    """gpt-oss: 12 of 24 layers keep 128 tokens; Llama 4: 36 of 48 keep a chunk of 8,192."""
    each = 2 * 8 * 64 * 2
    assert kv_cache_bytes(_network("gpt-oss-20b"), context_tokens=32768) == 12 * each * (32768 + 128)
    each = 2 * 8 * 128 * 2
    assert kv_cache_bytes(_network("llama-4-scout"), context_tokens=131072) == each * (12 * 131072 + 36 * 8192)


def test_gemma_4_shares_caches_and_widens_the_layers_that_see_everything() -> None:
    """E2B: 15 of 35 layers keep one; of them 3 see everything with a head of 512, 12 keep 512 tokens of 256."""
    expected = 2 * 2 * (3 * 512 * 16384 + 12 * 256 * 512)
    assert kv_cache_bytes(_network("gemma-4-e2b-it"), context_tokens=16384) == expected
    expected = 2 * 2 * (10 * 4 * 512 * 16384 + 50 * 16 * 256 * 1024)
    assert kv_cache_bytes(_network("gemma-4-31b-it"), context_tokens=16384) == expected


def test_three_of_four_layers_of_qwen3_next_keep_a_state_of_fixed_size() -> None:
    """36 states of 32 x 128 x 128 and the tail of a convolution over 8,192 numbers, at 32 bits; 12 caches."""
    state = 36 * 4 * (32 * 128 * 128 + 3 * (2 * 16 * 128 + 32 * 128))
    network = _network("qwen3-next-80b-a3b-instruct")
    assert kv_cache_bytes(network, context_tokens=0) == state
    assert kv_cache_bytes(network, context_tokens=262144) == state + 12 * 2 * 2 * 256 * 2 * 262144


def test_llama_3_2_vision_keeps_what_a_picture_becomes_in_its_crossing_layers() -> None:
    """8 of 40 layers keep 6,404 tokens of the picture and none of the text."""
    network = _network("llama-3.2-11b-vision-instruct")
    each = 2 * 8 * 128 * 2
    assert kv_cache_bytes(network, context_tokens=1000) == each * (32 * 1000 + 8 * 6404)


def test_an_embedding_model_keeps_no_cache() -> None:
    """It reads its text at once."""
    assert kv_cache_bytes(_network("bge-m3"), context_tokens=8192) == 0
