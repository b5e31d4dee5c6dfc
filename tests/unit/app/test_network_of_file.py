"""One derivation of a network from the files of a model, whatever their format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.app.network_of_file import network_of_file
from fieldguide.domain import Architecture, network_of
from fieldguide.errors import InsufficientFactsError
from fieldguide.planner import kv_cache_bytes, weights_of
from tests.support.model_files import UINT16, Typed, gguf_bytes, llama_facts, safetensors_bytes, written
from tests.support.random_gguf import RandomModel, random_gguf

CONFIG: dict[str, Any] = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 64, "intermediate_size": 96,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 128,
    "max_position_embeddings": 512, "tie_word_embeddings": True,
}  # fmt: skip
SHAPE = Architecture(
    scheme="qwen2", layers=2, hidden=64, ffn=96, heads=4, kv_heads=2, head_dim=16, vocabulary=128, tied_head=True
)


def folder_of(path: Path, config: dict[str, Any]) -> Path:
    """Write a small Qwen2 with the names that transformers gives its tensors."""
    sides: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (128, 64), "model.norm.weight": (64,)}
    for layer in range(2):
        at = f"model.layers.{layer}."
        sides |= {f"{at}self_attn.{name}_proj.weight": (rows, 64) for name, rows in (("q", 64), ("k", 32), ("v", 32))}
        sides |= {f"{at}self_attn.{name}_proj.bias": (rows,) for name, rows in (("q", 64), ("k", 32), ("v", 32))}
        sides |= {f"{at}self_attn.o_proj.weight": (64, 64), f"{at}mlp.down_proj.weight": (64, 96)}
        sides |= {f"{at}mlp.{name}_proj.weight": (96, 64) for name in ("gate", "up")}
        sides |= {f"{at}{name}_layernorm.weight": (64,) for name in ("input", "post_attention")}
    tensors = {name: ("BF16", shape, b"\0" * (2 * _product(shape))) for name, shape in sides.items()}
    path.mkdir()
    written(path / "model.safetensors", safetensors_bytes(tensors))
    (path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return path


def _product(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count


def test_a_folder_of_safetensors_is_the_network_of_its_shape(tmp_path: Path) -> None:
    """Names, sides, caches and sizes are those of the closed form, in its own types and quantized anew."""
    found = network_of_file(folder_of(tmp_path / "qwen", CONFIG))
    known = network_of(SHAPE, name="qwen", source="test")
    assert {(each.name, each.numbers) for each in found.tensors} == {
        (each.name, each.numbers) for each in known.tensors
    }
    assert (found.caches, found.parameters, found.scheme) == (known.caches, known.parameters, "qwen2")
    assert weights_of(found, "BF16").total_bytes == 2 * known.parameters


def test_what_a_folder_does_not_say_is_named(tmp_path: Path) -> None:
    """Without config.json, without a vocabulary, without heads: nothing is made up."""
    folder = folder_of(tmp_path / "qwen", CONFIG)
    for missing, said in (("vocab_size", "vocabulary"), ("num_attention_heads", "heads|kind of its layers")):
        left = {key: value for key, value in CONFIG.items() if key not in {missing, "num_key_value_heads"}}
        (folder / "config.json").write_text(json.dumps(left), encoding="utf-8")
        with pytest.raises(InsufficientFactsError, match=said):
            network_of_file(folder)
    (folder / "config.json").unlink()
    with pytest.raises(InsufficientFactsError, match=r"config\.json") as raised:
        network_of_file(folder)
    assert raised.value.hint


def test_parts_of_a_gguf_model_are_planned_together(tmp_path: Path) -> None:
    """Any part gives the whole; a copy of the embedding takes memory, and is no weight of its own."""
    count = {"split.count": Typed(UINT16, 2), "split.tensors.count": 2}
    first = llama_facts() | {"split.no": Typed(UINT16, 0)} | count
    written(tmp_path / "m-00001-of-00002.gguf", gguf_bytes(first, [("token_embd.weight", (32, 10), 0)]))
    second = {"split.no": Typed(UINT16, 1)} | count
    part = written(tmp_path / "m-00002-of-00002.gguf", gguf_bytes(second, [("output.weight", (32, 10), 0)]))
    found = network_of_file(part)
    assert (found.parameters, weights_of(found, "F32").total_bytes) == (320, 4 * 640)
    assert kv_cache_bytes(found, context_tokens=10) == 10 * 2 * (2 * 8 * 2) * 2


@pytest.mark.parametrize(("architecture", "windows"), [("gemma3", 5), ("gemma2", 3), ("llama", 0), ("phi3", 0)])
def test_windows_are_those_that_llama_cpp_uses(architecture: str, windows: int, tmp_path: Path) -> None:
    """Gemma's rhythms; what llama.cpp runs with full attention keeps everything, whatever the key says."""
    model = RandomModel(architecture=architecture, layers=6, sliding_window=256, vocabulary=1024)
    found = network_of_file(random_gguf(tmp_path / "model.gguf", model))
    assert sum(cache.window == 256 for cache in found.caches) == windows
    assert len(found.caches) == 6


def test_recurrent_layers_keep_a_state_and_the_last_shared_ones_nothing(tmp_path: Path) -> None:
    """A Qwen3-Next kind of config: every fourth layer attends; the state follows from its heads."""
    config = CONFIG | {
        "model_type": "qwen3_next", "num_hidden_layers": 4, "full_attention_interval": 4, "head_dim": 16,
        "linear_conv_kernel_dim": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
        "linear_key_head_dim": 8, "linear_value_head_dim": 8,
    }  # fmt: skip
    caches = network_of_file(folder_of(tmp_path / "next", config)).caches
    assert [cache.key_width for cache in caches] == [0, 0, 0, 32]
    assert caches[0].state_numbers == 3 * (2 * 2 * 8 + 4 * 8) + 4 * 8 * 8
    del config["linear_value_head_dim"], config["linear_num_value_heads"]
    with pytest.raises(InsufficientFactsError, match="state"):
        network_of_file(folder_of(tmp_path / "unknown", config))


@pytest.mark.parametrize(
    ("says", "states", "keys"),
    [
        # MiniMax-01: lightning attention keeps a square for each head
        ({"model_type": "minimax_text_01", "attn_type_list": [0, 0, 0, 1]}, [4 * 16 * 16] * 3 + [0], [0, 0, 0, 32]),
        # Kimi Linear: a delta net with three convolutions, and latent attention in every fourth layer
        (
            {
                "model_type": "kimi_linear",
                "kv_lora_rank": 24,
                "qk_rope_head_dim": 8,
                "qk_nope_head_dim": 16,
                "v_head_dim": 16,
                "linear_attn_config": {
                    "full_attn_layers": [4],
                    "kda_layers": [1, 2, 3],
                    "num_heads": 4,
                    "head_dim": 16,
                    "short_conv_kernel_size": 4,
                },
            },
            [3 * (3 * 64) + 4 * 16 * 16] * 3 + [0],
            [0, 0, 0, 32],
        ),
        # Jamba: the first Mamba, twice as wide inside as the hidden width of 64
        (
            {
                "model_type": "jamba",
                "attn_layer_period": 4,
                "attn_layer_offset": 2,
                "mamba_d_state": 16,
                "mamba_d_conv": 4,
                "mamba_expand": 2,
            },
            [3 * 128 + 128 * 16] * 2 + [0] + [3 * 128 + 128 * 16],
            [0, 0, 32, 0],
        ),
        # Granite 4: the second Mamba, whose head width may be left to be worked out
        (
            {
                "model_type": "granitemoehybrid",
                "layer_types": ["mamba", "mamba", "attention", "mamba"],
                "mamba_d_state": 16,
                "mamba_d_conv": 4,
                "mamba_expand": 2,
                "mamba_n_groups": 1,
                "mamba_n_heads": 4,
                "mamba_d_head": "auto",
            },
            [3 * (128 + 2 * 16) + 128 * 16] * 2 + [0] + [3 * (128 + 2 * 16) + 128 * 16],
            [0, 0, 32, 0],
        ),
        # Nemotron-H: one block a layer, Mamba, attention or feed-forward; heads and not `expand` say how wide
        (
            {
                "model_type": "nemotron_h",
                "hybrid_override_pattern": "M-*M",
                "ssm_state_size": 16,
                "conv_kernel": 4,
                "n_groups": 2,
                "mamba_num_heads": 4,
                "mamba_head_dim": 20,
                "expand": 2,
            },
            [3 * (80 + 2 * 2 * 16) + 80 * 16, 0, 0, 3 * (80 + 2 * 2 * 16) + 80 * 16],
            [0, 0, 32, 0],
        ),
        # Falcon-H1: attention and Mamba side by side in every layer
        (
            {
                "model_type": "falcon_h1",
                "mamba_d_ssm": 96,
                "mamba_d_state": 16,
                "mamba_d_conv": 4,
                "mamba_n_groups": 1,
                "mamba_n_heads": 6,
                "mamba_d_head": 16,
            },
            [3 * (96 + 2 * 16) + 96 * 16] * 4,
            [32] * 4,
        ),
    ],
    ids=lambda value: value.get("model_type") if isinstance(value, dict) else None,
)
def test_hybrids_keep_a_state_where_they_do_not_attend(
    says: dict[str, Any], states: list[int], keys: list[int], tmp_path: Path
) -> None:
    """Each family's way of saying which layers attend, and the state of the others, which is never silently nothing."""
    config = CONFIG | {"num_hidden_layers": 4, "head_dim": 16} | says
    caches = network_of_file(folder_of(tmp_path / "hybrid", config)).caches
    assert [cache.state_numbers for cache in caches] == states
    assert [cache.key_width for cache in caches] == keys
