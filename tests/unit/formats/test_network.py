"""What headers and configurations say of a network: heads, windows, experts, latent attention and states, per layer."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from fieldguide.domain import total_parameters
from fieldguide.errors import FormatError
from fieldguide.formats import NetworkFacts, architecture_of, config_network, gguf_network, read_config, read_gguf
from tests.support.model_files import ARRAY, BOOL, UINT32, FakeRemote, Typed, gguf_bytes

KINDS = {"full": "f", "window": "w", "chunk": "c", "recurrent": "r", "none": "n", None: "?"}


def kinds(facts: NetworkFacts) -> str:
    """Return a letter for each layer."""
    return "".join(KINDS[layer.kind] for layer in facts.layers)


def of_gguf(family: str, **changed: Any) -> NetworkFacts:
    """Return the facts of a small network of a family."""
    facts: dict[str, Any] = {"general.architecture": family}
    numbers: dict[str, Any] = {
        "block_count": 6,
        "context_length": 512,
        "embedding_length": 32,
        "feed_forward_length": 64,
        "attention.head_count": 4,
        "attention.head_count_kv": 2,
    }
    for key, value in (numbers | changed).items():
        facts[f"{family}.{key}"] = value
    return gguf_network(read_gguf(FakeRemote(gguf_bytes(facts))), tied_head=True)


@pytest.mark.parametrize(
    ("family", "changed", "expected"),
    [
        ("llama", {"attention.sliding_window": 16}, "ffffff"),
        ("gemma2", {"attention.sliding_window": 16}, "wfwfwf"),
        ("gemma3", {"attention.sliding_window": 16}, "wwwwwf"),
        ("gemma3", {}, "ffffff"),
        ("gpt-oss", {"attention.sliding_window": 16}, "wfwfwf"),
        ("llama4", {}, "cccfcc"),
        ("exaone9", {"attention.sliding_window": 16, "attention.sliding_window_pattern": 3}, "wwfwwf"),
        (
            "gemma9",
            {
                "attention.sliding_window": 16,
                "attention.sliding_window_pattern": Typed(ARRAY, [True, False, False], BOOL),
            },
            "wffwff",
        ),
        ("mamba", {"attention.head_count": 0, "ssm.state_size": 16}, "rrrrrr"),
        ("qwen3next", {}, "rrrfrr"),
        ("qwen3next", {"full_attention_interval": 2}, "rfrfrf"),
        (
            "jamba",
            {"attention.head_count_kv": Typed(ARRAY, [0, 0, 2, 0, 0, 2], UINT32), "ssm.state_size": 16},
            "rrfrrf",
        ),
        ("deci", {"attention.head_count_kv": Typed(ARRAY, [2, 0, 2, 0, 2, 2], UINT32)}, "fnfnff"),
        (
            "kimi-linear",
            {"attention.head_count_kv": Typed(ARRAY, [0, 0, 0, 1, 0, 0], UINT32), "kda.head_dim": 16},
            "rrrfrr",
        ),
        (
            "nemotron_h_moe",
            {
                "attention.head_count_kv": Typed(ARRAY, [0, 0, 2, 0, 0, 2], UINT32),
                "feed_forward_length": Typed(ARRAY, [0, 64, 0, 0, 64, 0], UINT32),
                "ssm.state_size": 16,
            },
            "rnfrnf",
        ),
    ],
)
def test_every_layer_has_its_kind(family: str, changed: dict[str, Any], expected: str) -> None:
    """Stated patterns, those that engines know by the family, recurrent layers and layers without attention."""
    assert kinds(of_gguf(family, **changed)) == expected


def test_heads_and_widths_may_differ_by_layer() -> None:
    """The cache adds up layer by layer, of layers that have one."""
    facts = of_gguf(
        "deci",
        **{
            "attention.head_count": Typed(ARRAY, [4, 4, 8, 8, 4, 4], UINT32),
            "attention.head_count_kv": Typed(ARRAY, [2, 0, 4, 4, 2, 2], UINT32),
            "attention.key_length": 8,
            "attention.value_length": 16,
        },
    )
    assert [layer.kv_heads for layer in facts.layers] == [2, 0, 4, 4, 2, 2]
    assert facts.kv_bytes_per_token() == (2 + 4 + 4 + 2 + 2) * (8 + 16) * 2


def test_latent_attention_caches_ranks() -> None:
    """DeepSeek: the cache holds the compressed vector and the part with the position, whatever the heads."""
    facts = of_gguf(
        "deepseek2",
        **{
            "attention.kv_lora_rank": 512,
            "attention.q_lora_rank": 1536,
            "attention.key_length": 576,
            "attention.value_length": 512,
            "attention.key_length_mla": 192,
            "attention.value_length_mla": 128,
            "rope.dimension_count": 64,
        },
    )
    assert (facts.nope_head_dim, facts.rope_head_dim, facts.value_head_dim) == (128, 64, 128)
    assert facts.kv_bytes_per_token() == 6 * (512 + 64) * 2


def test_the_delta_net_of_kimi_linear_has_as_many_heads_as_there_are_queries() -> None:
    """`kda.head_dim` is the side of each head's square; keys and values are alike."""
    recurrent = of_gguf("kimi-linear", **{"kda.head_dim": 16, "ssm.conv_kernel": 4}).recurrent
    assert recurrent is not None
    assert (recurrent.key_heads, recurrent.value_heads) == (4, 4)
    assert (recurrent.key_head_dim, recurrent.value_head_dim, recurrent.conv_kernel) == (16, 16, 4)


def test_layers_for_prediction_are_not_layers_of_the_network() -> None:
    """Multi-token prediction adds blocks that a plain run does not use."""
    facts = of_gguf("glm4moe", nextn_predict_layers=1, expert_count=8, leading_dense_block_count=1)
    assert len(facts.layers) == 5
    assert [layer.has_experts for layer in facts.layers] == [False, True, True, True, True]


QWEN3 = {
    "model_type": "qwen3_moe",
    "num_hidden_layers": 48,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "vocab_size": 151_936,
    "tie_word_embeddings": False,
    "max_position_embeddings": 40_960,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "sliding_window": None,
    "use_sliding_window": False,
}
DEEPSEEK = {
    "model_type": "deepseek_v3",
    "num_hidden_layers": 61,
    "hidden_size": 7168,
    "intermediate_size": 18_432,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "vocab_size": 129_280,
    "tie_word_embeddings": False,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "n_shared_experts": 1,
    "moe_intermediate_size": 2048,
    "first_k_dense_replace": 3,
    "moe_layer_freq": 1,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}


@pytest.mark.parametrize(("config", "parameters"), [(QWEN3, 30_532_122_624), (DEEPSEEK, 671_026_419_200)])
def test_a_configuration_gives_the_shape_with_the_published_count(config: dict[str, Any], parameters: int) -> None:
    """Qwen3-30B-A3B and DeepSeek-V3: from config.json to the exact number of parameters."""
    shape = architecture_of(config_network(config))
    assert shape is not None
    assert total_parameters(shape) == parameters


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"sliding_window": 16}, "wwww"),
        ({"sliding_window": 16, "use_sliding_window": False}, "ffff"),
        ({"sliding_window": 16, "use_sliding_window": True, "max_window_layers": 2}, "ffww"),
        ({"sliding_window": 16, "sliding_window_pattern": 2}, "wfwf"),
        ({"layer_types": ["linear_attention", "full_attention", "sliding_attention", "what"]}, "rfw?"),
        ({"full_attention_interval": 4}, "rrrf"),
        ({"hybrid_override_pattern": "M*-E"}, "rfnn"),
        ({"attn_layer_period": 2, "attn_layer_offset": 1}, "rfrf"),
        ({"attn_layer_indices": [1, 3]}, "rfrf"),
        ({"attn_type_list": [0, 0, 0, 1]}, "rrrf"),
        ({"attn_type_list": [1, 1]}, "ff??"),
        ({"linear_attn_config": {"kda_layers": [1, 2, 3], "full_attn_layers": [4]}}, "rrrf"),
    ],
)
def test_a_configuration_gives_every_layer_its_kind(config: dict[str, Any], expected: str) -> None:
    """The several ways in which configurations say which layers look at what."""
    assert (
        kinds(config_network({"num_hidden_layers": 4, "num_attention_heads": 4, "hidden_size": 8} | config)) == expected
    )


def test_a_configuration_of_several_parts_is_read_where_the_decoder_is() -> None:
    """Text model inside, towers beside it."""
    facts = config_network(
        {
            "model_type": "gemma3",
            "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 2, "hidden_size": 8, "head_dim": 4},
            "vision_config": {"num_hidden_layers": 27, "hidden_size": 1152, "patch_size": 14},
        }
    )
    assert (facts.family, len(facts.layers), facts.tied_head) == ("gemma3_text", 2, True)
    assert [(tower.modality, tower.layers, tower.patch_size) for tower in facts.towers] == [("image", 27, 14)]
    assert architecture_of(facts) is None


@pytest.mark.parametrize(
    "text", ['{"num_hidden_layers": 99999999}', '{"hidden_size": -1}', "[]", '{"a": 1, "a": 2}', '{"a": NaN}', "{"]
)
def test_absurd_configurations_are_refused(text: str) -> None:
    """Counts beyond reason, and what is no strict JSON object."""
    with pytest.raises(FormatError):
        read_config(FakeRemote(text.encode(), name="config.json"))


@pytest.mark.parametrize("key", ["attn_layer_indices", "mlp_only_layers"])
def test_long_lists_of_layers_take_no_long_time(key: str) -> None:
    """As many layers and entries as a configuration may hold, and entries that are no numbers."""
    began_s = time.perf_counter()
    config = {"num_hidden_layers": 16_000, "num_attention_heads": 4, "hidden_size": 8, "num_experts": 2}
    facts = config_network(config | {key: [*range(20_000, 400_000), [], {}, None]})
    assert len(facts.layers) == 16_000
    assert time.perf_counter() - began_s < 5


def test_an_empty_configuration_says_nothing() -> None:
    """Unknown is None."""
    facts = read_config(FakeRemote(json.dumps({}).encode(), name="config.json"))
    assert (facts.layers, facts.hidden, facts.family, facts.kv_bytes_per_token()) == ((), None, None, None)
