"""The network that a config.json of transformers describes.

References:
    `models/*/configuration_*.py` of transformers 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fieldguide.errors import FormatError
from fieldguide.formats._json import read_json_object
from fieldguide.formats._network import LayerFacts, LayerKind, NetworkFacts, RecurrentFacts, TowerFacts
from fieldguide.formats._source import ByteSource

MOST_CONFIG_BYTES = 2 << 20
_MOST_LAYERS = 1 << 14
_MOST = 1 << 31
_KINDS: dict[str, LayerKind] = {
    "full_attention": "full", "attention": "full", "sliding_attention": "window", "chunked_attention": "chunk",
    "linear_attention": "recurrent", "mamba": "recurrent", "mamba2": "recurrent", "recurrent": "recurrent",
    "conv": "recurrent", "hybrid": "full", "moe": "none", "mlp": "none",
}  # fmt: skip
_TYPES: dict[str, LayerKind] = {"0": "recurrent", "1": "full"}
"""Numbers of `attn_type_list` (MiniMax): lightning attention, and softmax."""
_OVERRIDE: dict[str, LayerKind] = {"M": "recurrent", "*": "full", "-": "none", "E": "none"}
"""Letters of `hybrid_override_pattern` (Nemotron-H)."""
_TIED_BY_DEFAULT = {"gemma", "gemma2", "gemma3", "gemma3_text", "gemma3n", "gemma3n_text", "cohere", "cohere2", "gpt2"}
"""Families whose configuration ties the head unless the file says otherwise."""
_WINDOW_PERIOD = {"gemma2": 2, "gemma3_text": 6, "gemma3": 6, "cohere2": 4, "gpt_oss": 2}


def _indices(listed: object) -> set[int] | None:
    """Return the layers that a list names, to be looked up in no time however long it is; None where there is none."""
    return {each for each in listed if isinstance(each, int)} if isinstance(listed, list) else None


def _delta_net(heads: int | None, width: int | None, conv_kernel: int | None) -> RecurrentFacts:
    """Return a state whose keys and values have as many heads, all of one width."""
    return RecurrentFacts(
        conv_kernel=conv_kernel, key_heads=heads, value_heads=heads, key_head_dim=width, value_head_dim=width
    )


def read_config(source: ByteSource) -> NetworkFacts:
    """Return the facts of the network that a config.json describes.

    Raises:
        FormatError: It is no JSON object, or a number in it is absurd.
        InputFileError: It cannot be read.
    """
    return config_network(read_json_object(source, most_bytes=MOST_CONFIG_BYTES), name=source.name)


def config_network(config: Mapping[str, Any], *, name: str = "config.json") -> NetworkFacts:
    """Return the facts of the network that a parsed config.json describes; what it does not say is None.

    Raises:
        FormatError: A number in it is absurd.
    """
    return _Facts(config, name).network()


class _Facts:
    """Looks keys up in the part of a configuration that describes the decoder."""

    def __init__(self, config: Mapping[str, Any], name: str) -> None:
        self._name = name
        self._outer = config
        inner = next((config[key] for key in ("text_config", "llm_config", "thinker_config") if key in config), None)
        if isinstance(inner, Mapping) and isinstance(inner.get("text_config"), Mapping):
            inner = inner["text_config"]
        self._text: Mapping[str, Any] = inner if isinstance(inner, Mapping) else config
        linear = self._text.get("linear_attn_config")
        self._linear: Mapping[str, Any] = linear if isinstance(linear, Mapping) else {}
        self._attending = _indices(self._text.get("attn_layer_indices"))
        if (counted := _indices(self._linear.get("full_attn_layers"))) is not None:
            self._attending = {index - 1 for index in counted}  # Kimi Linear counts from 1
        self._dense = _indices(self._text.get("mlp_only_layers")) or set()
        self._family = next((str(c["model_type"]) for c in (self._text, config) if c.get("model_type")), None)
        self._count = self._number("num_hidden_layers", "n_layer", "num_layers", "n_layers") or 0
        if self._count > _MOST_LAYERS:
            raise FormatError(name, 0, f"the configuration claims {self._count} layers")

    def network(self) -> NetworkFacts:
        experts = self._number("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
        expert_ffn = self._number("moe_intermediate_size", "expert_ffn_hidden_size")
        shared = self._number("n_shared_experts", "num_shared_experts", "moe_num_shared_experts")
        latent = self._number("kv_lora_rank")
        return NetworkFacts(
            family=self._family,
            layers=tuple(self._layer(index, experts) for index in range(self._count)),
            hidden=self._number("hidden_size", "n_embd", "d_model"),
            vocabulary=self._number("vocab_size"),
            context_length_tokens=self._number("max_position_embeddings", "n_positions", "seq_length", "max_seq_len"),
            tied_head=self._tied(),
            experts=experts or None,
            experts_per_token=self._number("num_experts_per_tok", "num_experts_per_token", "moe_topk", "top_k_experts"),
            expert_ffn=expert_ffn if expert_ffn or not experts else self._number("intermediate_size"),
            shared_experts=shared,
            shared_expert_ffn=self._number("shared_expert_intermediate_size")
            or (shared * expert_ffn if shared and expert_ffn else None),
            dense_layers=self._number("first_k_dense_replace", "num_dense_layers"),
            kv_lora_rank=latent,
            q_lora_rank=self._number("q_lora_rank"),
            rope_head_dim=self._number("qk_rope_head_dim") if latent else self._head_dim(),
            nope_head_dim=self._number("qk_nope_head_dim"),
            value_head_dim=self._number("v_head_dim") if latent else None,
            recurrent=self._recurrent(),
            shared_kv_layers=self._number("num_kv_shared_layers"),
            prediction_layers=self._number("num_nextn_predict_layers", "mtp_num_hidden_layers"),
            towers=self._towers(),
            rope_scaling=self._rope_scaling(),
            raw=dict(self._outer),
        )

    def _number(self, *keys: str, within: Mapping[str, Any] | None = None) -> int | None:
        """Return the first of several keys that holds a whole number."""
        for key in keys:
            value = (self._text if within is None else within).get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                if not 0 <= value <= _MOST:
                    raise FormatError(self._name, 0, f"`{key}` is {value}, which no model has")
                return value
        return None

    def _tied(self) -> bool | None:
        for config in (self._text, self._outer):
            found = config.get("tie_word_embeddings")
            if isinstance(found, bool):
                return found
        return True if self._family in _TIED_BY_DEFAULT else None

    def _head_dim(self) -> int | None:
        found = self._number("head_dim", "attention_head_dim")
        hidden, heads = self._number("hidden_size", "n_embd", "d_model"), self._heads()
        return found or (hidden // heads if hidden and heads else None)

    def _heads(self) -> int | None:
        return self._number("num_attention_heads", "n_head", "num_heads", "decoder_attention_heads")

    def _layer(self, index: int, experts: int | None) -> LayerFacts:
        kind = self._kind(index)
        latent = self._number("kv_lora_rank")
        nope, rope = self._number("qk_nope_head_dim"), self._number("qk_rope_head_dim")
        key = nope + rope if latent and nope is not None and rope is not None else self._head_dim()
        if kind == "full" and (wide := self._number("global_head_dim")):
            key = wide
        value = self._number("v_head_dim") if latent else key
        kv_heads = self._number("num_key_value_heads", "num_kv_heads", "multi_query_group_num")
        if kv_heads is None:
            kv_heads = 1 if self._text.get("multi_query") is True else self._heads()
        return LayerFacts(
            kind=kind,
            heads=self._heads(),
            kv_heads=kv_heads,
            key_length=key,
            value_length=value,
            ffn=self._listed("intermediate_size", index),
            has_experts=bool(experts) and self._routes(index),
            window_tokens=self._window(kind),
        )

    def _listed(self, key: str, index: int) -> int | None:
        """Return a number that may be one for all layers or one for each."""
        found = self._text.get(key)
        if isinstance(found, list):
            value = found[index] if index < len(found) else None
            return value if isinstance(value, int) and 0 <= value <= _MOST else None
        return self._number(key, "n_inner", "ffn_dim", "decoder_ffn_dim")

    def _routes(self, index: int) -> bool:
        dense = self._number("first_k_dense_replace", "num_dense_layers") or 0
        if index in self._dense:
            return False
        frequency = self._text.get("moe_layer_freq")
        if isinstance(frequency, list):
            return index < len(frequency) and bool(frequency[index])
        step = self._number("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_freq") or 1
        if "decoder_sparse_step" in self._text or "interleave_moe_layer_step" in self._text:
            return (index + 1) % step == 0
        return index >= dense and index % step == 0

    def _window(self, kind: LayerKind | None) -> int | None:
        if kind == "window":
            return self._number("sliding_window", "sliding_window_size")
        return self._number("attention_chunk_size") if kind == "chunk" else None

    def _kind(self, index: int) -> LayerKind | None:
        listed = next((found for key in ("layer_types", "layers_block_type") if (found := self._text.get(key))), None)
        if isinstance(listed, list):
            return _KINDS.get(str(listed[index])) if index < len(listed) else None
        letters = self._text.get("hybrid_override_pattern")
        if isinstance(letters, str):
            return _OVERRIDE.get(letters[index]) if index < len(letters) else None
        numbers = self._text.get("attn_type_list")
        if isinstance(numbers, list):
            return _TYPES.get(str(numbers[index])) if index < len(numbers) else None
        if self._attending is not None:
            return "full" if index in self._attending else "recurrent"
        if every := self._number("full_attention_interval"):
            return "full" if (index + 1) % every == 0 else "recurrent"
        if period := self._number("attn_layer_period"):
            return "full" if index % period == (self._number("attn_layer_offset") or 0) else "recurrent"
        if self._heads() is None:
            return "recurrent" if self._number("state_size", "ssm_state_size") else None
        return "window" if self._slides(index) else "full"

    def _slides(self, index: int) -> bool:
        if not self._number("sliding_window") or self._text.get("use_sliding_window") is False:
            return False
        period = self._number("sliding_window_pattern", "_sliding_window_pattern") or _WINDOW_PERIOD.get(
            self._family or ""
        )
        if period:
            return (index + 1) % period != 0
        first = self._number("max_window_layers")
        return first is None or index >= first

    def _recurrent(self) -> RecurrentFacts | None:
        if self._linear:
            heads, width = (self._number(key, within=self._linear) for key in ("num_heads", "head_dim"))
            return _delta_net(heads, width, self._number("short_conv_kernel_size", within=self._linear))
        if (self._family or "").startswith("minimax") and "recurrent" in map(self._kind, range(self._count)):
            return _delta_net(self._heads(), self._head_dim(), 1)  # lightning attention has no convolution
        facts = RecurrentFacts(
            conv_kernel=self._number(
                "linear_conv_kernel_dim", "mamba_d_conv", "conv_kernel", "ssm_conv_kernel", "conv_L_cache"
            ),
            state_size=self._number("mamba_d_state", "ssm_state_size", "state_size"),
            inner_size=self._number("mamba_d_ssm", "mamba_intermediate_size") or self._expanded(),
            groups=self._number("mamba_n_groups", "n_groups"),
            time_step_rank=self._number("mamba_dt_rank", "time_step_rank"),
            key_heads=self._number("linear_num_key_heads"),
            value_heads=self._number("linear_num_value_heads", "mamba_n_heads", "mamba_num_heads"),
            key_head_dim=self._number("linear_key_head_dim"),
            value_head_dim=self._number("linear_value_head_dim", "mamba_d_head", "mamba_head_dim"),
        )
        return None if facts == RecurrentFacts() else facts

    def _expanded(self) -> int | None:
        """Return the inner width of a Mamba whose configuration gives it as times the hidden one, and no heads."""
        times, hidden = self._number("mamba_expand", "expand"), self._number("hidden_size", "d_model")
        stated = self._number("mamba_head_dim", "mamba_d_head") and self._number("mamba_num_heads", "mamba_n_heads")
        return None if stated or not times or not hidden else times * hidden

    def _towers(self) -> tuple[TowerFacts, ...]:
        found = []
        kinds: tuple[tuple[str, Literal["image", "audio"]], ...] = (
            ("vision_config", "image"),
            ("audio_config", "audio"),
        )
        for key, modality in kinds:
            tower = self._outer.get(key)
            if isinstance(tower, Mapping) and tower:
                found.append(self._tower(tower, modality))
        return tuple(found)

    def _tower(self, tower: Mapping[str, Any], modality: Literal["image", "audio"]) -> TowerFacts:
        def number(*keys: str) -> int | None:
            return self._number(*keys, within=tower)

        return TowerFacts(
            modality=modality,
            layers=number("num_hidden_layers", "depth", "encoder_layers", "num_layers"),
            hidden=number("embed_dim", "hidden_size", "d_model"),
            ffn=number("intermediate_size", "encoder_ffn_dim"),
            heads=number("num_attention_heads", "num_heads", "encoder_attention_heads"),
            patch_size=number("patch_size", "spatial_patch_size"),
            mel_bins=number("num_mel_bins", "mel_bins"),
        )

    def _rope_scaling(self) -> str | None:
        for key in ("rope_scaling", "rope_parameters"):
            found = self._text.get(key)
            if isinstance(found, Mapping):
                kind = found.get("rope_type", found.get("type"))
                return kind if isinstance(kind, str) and kind != "default" else None
        return None
