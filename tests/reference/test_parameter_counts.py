"""Closed-form parameter counts against the published ones of 61 models.

The table is part of the shared facts (`FIELDGUIDE_FACTS`, default ../shared/facts); without it the test is skipped.

Rows without an exact published count, and why:

- Mixtral-8x22B: no exact count found; and two copies of its config disagree on the vocabulary (32768, 32000).
- DeepSeek-V3, DeepSeek-R1: only "671B" is published. The closed form gives 671,026,419,200, without the module for
  multi-token prediction (11.6 billion more).
- Qwen2-Audio-7B: only "8.2B" is published; the closed form gives 8,397,094,912.
- Llama-3.2-11B-Vision, 90B-Vision: the shapes of their vision towers are not in the table.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from fieldguide.domain import Architecture, active_parameters, total_parameters

_TABLE = (
    Path(os.environ.get("FIELDGUIDE_FACTS", Path(__file__).parents[2].parent / "shared/facts")) / "architectures.csv"
)
_SCHEMES = {
    "Qwen2ForCausalLM": "qwen2",
    "Qwen3ForCausalLM": "qwen3",
    "Qwen3MoeForCausalLM": "qwen3",
    "LlamaForCausalLM": "llama",
    "MistralForCausalLM": "llama",
    "MixtralForCausalLM": "llama",
    "Phi3ForCausalLM": "llama",
    "Gemma3ForCausalLM": "gemma3",
    "DeepseekV3ForCausalLM": "deepseek-v3",
    "Qwen2VLForConditionalGeneration": "qwen2-vl",
    "Qwen2AudioForConditionalGeneration": "qwen2-audio",
    "WhisperForConditionalGeneration": "whisper",
}
_EXPLAINED = {
    "mistralai/Mixtral-8x22B-v0.1",
    "deepseek-ai/DeepSeek-V3",
    "deepseek-ai/DeepSeek-R1",
    "Qwen/Qwen2-Audio-7B",
    "meta-llama/Llama-3.2-11B-Vision-Instruct",
    "meta-llama/Llama-3.2-90B-Vision-Instruct",
}

pytestmark = pytest.mark.skipif(not _TABLE.exists(), reason="needs the shared facts")


def _rows() -> list[dict[str, str]]:
    with _TABLE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _shape(row: dict[str, str]) -> Architecture:
    """Return the architecture of a row; encoders are described in words there."""
    scheme = _SCHEMES[row["architecture"]]
    encoder, _, decoder = row["num_hidden_layers"].rpartition("+")
    extra: dict[str, object] = {}
    if scheme == "whisper":
        bins = 128 if "mel bins 128" in row["notes"] else 80
        extra = {"encoder_layers": int(encoder), "mel_bins": bins, "positions": 448}
    if scheme in {"qwen2-vl", "qwen2-audio"}:
        extra = {"encoder_layers": 32, "encoder_hidden": 1280, "encoder_ffn": 5120, "mel_bins": 128}
    if scheme == "deepseek-v3":
        extra = {"q_lora_rank": 1536, "kv_lora_rank": 512, "rope_head_dim": 64, "value_head_dim": 128}
        extra |= {"shared_experts": 1, "dense_layers": 3}
    return Architecture(
        scheme=scheme,  # type: ignore[arg-type]
        layers=int(decoder),
        hidden=int(row["hidden_size"]),
        ffn=int(row["intermediate_size"]),
        heads=int(row["num_attention_heads"]),
        kv_heads=int(row["num_key_value_heads"]),
        head_dim=128 if scheme == "deepseek-v3" else int(row["head_dim"]),
        vocabulary=int(row["vocab_size"]),
        tied_head=row["tie_word_embeddings"] == "True",
        experts=int(row["num_experts"] or 0) or None,
        experts_per_token=int(row["experts_per_token"] or 0) or None,
        expert_ffn=int(row["moe_intermediate_size"] or 0) or None,
        **extra,  # type: ignore[arg-type]
    )


def test_the_closed_form_equals_the_published_count_for_55_of_61_models() -> None:
    """Every row with an exact published count is matched to the last parameter; the six others are explained above."""
    rows = _rows()
    matched = {
        row["model"]
        for row in rows
        if row["num_hidden_layers"]
        and row["params_published"].isdigit()
        and total_parameters(_shape(row)) == int(row["params_published"])
    }
    assert len(rows) == 61
    assert {row["model"] for row in rows} - matched == _EXPLAINED
    assert len(matched) == 55


def test_the_closed_form_equals_the_second_computation_for_every_row_with_a_shape() -> None:
    """The table carries counts that were computed by someone else, the experts' active ones included."""
    for row in _rows():
        if row["num_hidden_layers"]:
            assert total_parameters(_shape(row)) == int(row["params_computed"]), row["model"]
        if row["active_params_computed"]:
            assert active_parameters(_shape(row)) == int(row["active_params_computed"]), row["model"]
