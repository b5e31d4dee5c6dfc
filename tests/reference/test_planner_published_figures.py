"""Figures that can be worked out from what the makers publish, without any code of ours: members of the catalogue."""

from __future__ import annotations

from functools import cache

import pytest

from fieldguide import catalogue
from fieldguide.app.plan_subject import network_of_member
from fieldguide.catalogue import Families
from fieldguide.domain import Network
from fieldguide.planner import (
    adapter_parameters,
    bytes_per_token,
    image_tokens,
    kv_cache_bytes,
    scaling_laws,
    training_flop,
    training_memory,
)


@cache
def _whole() -> Families:
    return catalogue.families()


def network(name: str) -> Network:
    found = catalogue.resolve_model(_whole(), name).model
    assert found is not None
    made = network_of_member(found)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("name", "parameters", "active"),
    [
        ("llama-3-8b-instruct", 8_030_261_248, None),
        ("mixtral-8x7b-instruct", 46_702_792_704, 12_879_925_248),
        ("deepseek-v3", 671_026_419_200, None),
        ("gpt-oss-20b", 20_914_757_184, 3_608_307_264 + 201_088 * 2880),  # the card counts no embedding: 3.61B
        ("qwen2-vl-7b-instruct", 8_291_375_616, None),
    ],
)
def test_parameters_are_those_of_the_published_weights(name: str, parameters: int, active: int | None) -> None:
    """Hugging Face's count of the weights; active ones as papers and model cards have them."""
    found = network(name)
    assert found.parameters == parameters
    if active is not None:
        assert found.active_parameters == active


@pytest.mark.parametrize(
    ("name", "per_token"),
    [
        ("llama-3-8b-instruct", 32 * 2 * 8 * 128 * 2),
        ("deepseek-v3", 61 * (512 + 64) * 2),
        ("mixtral-8x7b-instruct", 32 * 2 * 8 * 128 * 2),
        ("gpt-oss-20b", 24 * 2 * 8 * 64 * 2),
        ("qwen2-vl-7b-instruct", 28 * 2 * 4 * 128 * 2),
        ("qwen3-next-80b-a3b-instruct", 12 * 2 * 2 * 256 * 2),
        ("minimax-m2", 62 * 2 * 8 * 128 * 2),
    ],
)
def test_a_token_of_the_cache_takes_what_the_heads_say(name: str, per_token: int) -> None:
    """Layers with a cache x keys and values x key/value heads x width x 2 bytes; the ranks with latent attention."""
    assert bytes_per_token(network(name)) == per_token


def test_caches_of_whole_contexts() -> None:
    """Llama 3 8B at 8,192 tokens: 1 GiB. Gemma 3 27B: 52 of 62 layers hold 1,024 tokens. gpt-oss: 12 of 24 hold 128."""
    assert kv_cache_bytes(network("llama-3-8b-instruct"), context_tokens=8192) == 2**30
    layer = 2 * 16 * 128 * 2
    assert kv_cache_bytes(network("gemma-3-27b-it"), context_tokens=131_072) == layer * (10 * 131_072 + 52 * 1024)
    layer = 2 * 8 * 64 * 2
    assert kv_cache_bytes(network("gpt-oss-20b"), context_tokens=131_072) == layer * 12 * (131_072 + 128)
    # 36 gated delta nets: 32 heads of 128 x 128, and 3 columns of a convolution over 2 x 16 x 128 + 32 x 128 channels
    states = 36 * 4 * (32 * 128 * 128 + 3 * (2 * 16 * 128 + 32 * 128))
    assert kv_cache_bytes(network("qwen3-next-80b-a3b-instruct"), context_tokens=1) == 24_576 + states


def test_pictures_of_qwen_and_gemma() -> None:
    """Qwen2-VL: 1,024 pixels are 37 squares of 28, so 37 x 37 tokens. Gemma 3: 256 of any picture."""
    for name, content in (("qwen2-vl-7b-instruct", 37 * 37), ("gemma-3-4b-it", 256)):
        model = catalogue.resolve_model(_whole(), name).model
        assert model is not None
        assert model.size.images is not None
        assert image_tokens(model.size.images.value, width_px=1024, height_px=1024).image_tokens == content


def test_training_of_llama_3_1_8b() -> None:
    """6 N D of 15e12 tokens is 7.2e23 FLOP; LoRA of rank 16 on every matrix trains 41,943,040 parameters."""
    model = catalogue.resolve_model(_whole(), "llama-3.1-8b").model
    assert model is not None
    assert model.size.architecture is not None
    shape = model.size.architecture.value
    assert training_flop(8.03e9, 15e12) == pytest.approx(7.227e23, rel=1e-3)
    assert adapter_parameters(8.03e9, 16, shape) == 41_943_040
    lora = training_memory(8_030_261_248, method="lora", architecture=shape, rank=16)
    assert lora.weights_bytes + lora.gradients_bytes + lora.optimizer_bytes == 2 * 8_030_261_248 + 16 * 41_943_040


def test_chinchilla_has_about_twenty_tokens_per_parameter() -> None:
    """At the budget of Chinchilla, 5.76e23 FLOP: about 18 with the refit, 93 as first printed."""
    refit, _, printed = scaling_laws()
    for law, ratio in ((refit, 18.3), (printed, 93)):
        best = law.optimal_parameters(5.76e23)
        assert 5.76e23 / 6 / best / best == pytest.approx(ratio, rel=0.02)
