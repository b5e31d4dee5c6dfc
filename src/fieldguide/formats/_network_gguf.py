"""The network that a GGUF header describes.

References:
    Keys: ggml `docs/gguf.md`. Defaults, and the windows that no key states: llama.cpp, `load_hparams` and
    `llama_hparams::set_swa_pattern`.
"""

from __future__ import annotations

from typing import Any

from fieldguide.formats._gguf import GgufHeader
from fieldguide.formats._gguf_values import GgufArray
from fieldguide.formats._network import LayerFacts, LayerKind, NetworkFacts, RecurrentFacts

_WINDOW_PERIOD = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gemma-embedding": 6, "cohere2": 4, "gpt-oss": 2, "exaone4": 4,
    "olmo2": 4, "llama4": 4, "afmoe": 4,
}  # fmt: skip
"""Of every so many layers the last looks at everything and the others through the window."""
_DENSE_FIRST = {"smallthinker": 4, "modern-bert": 3}
"""The same, with the first and not the last."""
_IGNORES_WINDOW = {"llama", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "phi3", "mistral3"}
"""llama.cpp runs these with full attention whatever the key says."""
_CHUNKED = {"llama4": 8192}
_RECURRENT = {"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"}
"""Without any attention."""
_FULL_EVERY = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
"""Linear attention in between, unless the file states another interval."""
_ONE_BLOCK = {"nemotron_h", "nemotron_h_moe"}
"""Each layer is attention, a Mamba or a feed-forward block, and no two of them."""


def gguf_network(header: GgufHeader, *, tied_head: bool | None) -> NetworkFacts:
    """Return the facts of the network; what the file does not say is None."""
    return _Facts(header).network(tied_head)


class _Facts:
    """Looks keys of the file's architecture up."""

    def __init__(self, header: GgufHeader) -> None:
        self._header = header
        self._family = header.text("general.architecture")
        self._layers = self._number("block_count") or 0
        self._prediction = self._number("nextn_predict_layers") or 0

    def network(self, tied_head: bool | None) -> NetworkFacts:
        latent = self._number("attention.kv_lora_rank")
        rope = self._number("rope.dimension_count")
        key_mla = self._number("attention.key_length_mla")
        key = key_mla if key_mla is not None else self._number("attention.key_length")
        value_mla = self._number("attention.value_length_mla")
        shared = self._number("expert_shared_count")
        expert_ffn = self._number("expert_feed_forward_length")
        return NetworkFacts(
            family=self._family,
            layers=tuple(self._layer(index) for index in range(max(self._layers - self._prediction, 0))),
            hidden=self._number("embedding_length"),
            vocabulary=self._vocabulary(),
            context_length_tokens=self._number("context_length"),
            tied_head=tied_head,
            experts=self._number("expert_count") or None,
            experts_per_token=self._number("expert_used_count") or None,
            expert_ffn=expert_ffn,
            shared_experts=shared,
            shared_expert_ffn=self._number("expert_shared_feed_forward_length")
            or (shared * expert_ffn if shared and expert_ffn else None),
            dense_layers=self._number("leading_dense_block_count"),
            kv_lora_rank=latent,
            q_lora_rank=self._number("attention.q_lora_rank"),
            rope_head_dim=rope,
            nope_head_dim=None if latent is None or key is None or rope is None else max(key - rope, 0),
            value_head_dim=None
            if latent is None
            else (value_mla if value_mla is not None else self._number("attention.value_length")),
            recurrent=self._recurrent(),
            shared_kv_layers=self._number("attention.shared_kv_layers"),
            prediction_layers=self._prediction or None,
            rope_scaling=self._header.text(f"{self._family}.rope.scaling.type"),
            raw=self._raw(),
        )

    def _number(self, key: str) -> int | None:
        return self._header.number(f"{self._family}.{key}")

    def _at(self, key: str, layer: int) -> int | None:
        """Return a number that may be one for all layers or one for each."""
        found = self._header.value(f"{self._family}.{key}")
        if isinstance(found, GgufArray):
            value = found.values[layer] if found.values is not None and layer < len(found.values) else None
            return value if isinstance(value, int) else None
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def _layer(self, index: int) -> LayerFacts:
        heads = self._at("attention.head_count", index)
        kv_heads = self._at("attention.head_count_kv", index)
        hidden = self._number("embedding_length")
        even = hidden // heads if hidden and heads else None
        kind = self._kind(index, heads, kv_heads)
        window = kind in {"window", "chunk"}
        dense = self._number("leading_dense_block_count") or 0
        return LayerFacts(
            kind=kind,
            heads=heads,
            kv_heads=heads if kv_heads is None else kv_heads,
            key_length=self._length("key", index, window=window, otherwise=even),
            value_length=self._length("value", index, window=window, otherwise=even),
            ffn=self._at("feed_forward_length", index),
            has_experts=bool(self._number("expert_count")) and self._routes(index, dense),
            window_tokens=self._window(index) if window else None,
        )

    def _length(self, which: str, index: int, *, window: bool, otherwise: int | None) -> int | None:
        if window and (found := self._number(f"attention.{which}_length_swa")) is not None:
            return found
        found = self._at(f"attention.{which}_length", index)
        return otherwise if found is None else found

    def _routes(self, index: int, dense: int) -> bool:
        step = self._number("interleave_moe_layer_step") or 1
        return index >= dense and (index + 1) % step == 0

    def _window(self, index: int) -> int | None:
        found = self._at("attention.sliding_window", index)
        if found is None and self._family in _CHUNKED:
            return self._number("attention.chunk_size") or _CHUNKED[self._family]
        return found or None

    def _kind(self, index: int, heads: int | None, kv_heads: int | None) -> LayerKind | None:
        if self._family in _RECURRENT:
            return "recurrent"
        every = self._number("full_attention_interval") or _FULL_EVERY.get(self._family or "")
        if every:
            return "full" if (index + 1) % every == 0 else "recurrent"
        if kv_heads == 0 or (kv_heads is None and heads == 0):
            if self._family in _ONE_BLOCK and self._at("feed_forward_length", index):
                return "none"
            keys = ("ssm.state_size", "shortconv.l_cache", "kda.head_dim")
            return "recurrent" if any(self._number(key) for key in keys) else "none"
        if heads is None:
            return None
        if self._slides(index):
            return "chunk" if self._family in _CHUNKED else "window"
        return "full"

    def _slides(self, index: int) -> bool:
        family = self._family or ""
        if family in _IGNORES_WINDOW or not self._window(index):
            return False
        pattern = self._header.value(f"{family}.attention.sliding_window_pattern")
        if isinstance(pattern, GgufArray):
            values = pattern.values
            return bool(values[index % len(values)]) if values else False
        if isinstance(pattern, int) and not isinstance(pattern, bool):
            return pattern == 0 or index % pattern < pattern - 1
        if family in _DENSE_FIRST:
            return index % _DENSE_FIRST[family] != 0
        period = _WINDOW_PERIOD.get(family)
        return period is None or index % period < period - 1

    def _vocabulary(self) -> int | None:
        for tensor in self._header.tensors:
            if tensor.name == "token_embd.weight" and len(tensor.shape) == 2:
                return tensor.shape[1]
        tokens = self._header.value("tokenizer.ggml.tokens")
        return self._number("vocab_size") or (tokens.count if isinstance(tokens, GgufArray) else None)

    def _recurrent(self) -> RecurrentFacts | None:
        if self._number("ssm.conv_kernel") is None and self._number("shortconv.l_cache") is None:
            return None
        width = self._number("kda.head_dim")  # Kimi Linear: as many heads of it as of queries
        heads = None if width is None else self._at("attention.head_count", 0)
        return RecurrentFacts(
            key_heads=heads,
            value_heads=heads,
            key_head_dim=width,
            value_head_dim=width,
            conv_kernel=self._number("ssm.conv_kernel") or self._number("shortconv.l_cache"),
            state_size=self._number("ssm.state_size"),
            inner_size=self._number("ssm.inner_size"),
            groups=self._number("ssm.group_count"),
            time_step_rank=self._number("ssm.time_step_rank"),
        )

    def _raw(self) -> dict[str, Any]:
        prefix = f"{self._family}."
        found: dict[str, Any] = {}
        for key, value in self._header.metadata.items():
            if key.startswith(prefix):
                inside = value.value
                found[key] = list(inside.values or ()) if isinstance(inside, GgufArray) else inside
        return found
