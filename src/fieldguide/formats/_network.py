"""What a header or a config.json says of the network itself: everything that a planner needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

LayerKind = Literal["full", "window", "chunk", "recurrent", "none"]
"""How a layer sees earlier tokens: all of them, a sliding window, its chunk, through a state of fixed size, not at
all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerFacts:
    """One layer of the decoder. None is unknown."""

    kind: LayerKind | None
    heads: int | None
    kv_heads: int | None
    key_length: int | None
    """Width of one key."""
    value_length: int | None
    ffn: int | None
    """Width of the dense feed-forward block; of a layer with experts what a dense one would have."""
    has_experts: bool
    window_tokens: int | None
    """Tokens that a layer of kind `window` or `chunk` looks back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentFacts:
    """The state of recurrent layers (Mamba, gated delta nets). None is unknown or does not apply."""

    conv_kernel: int | None = None
    state_size: int | None = None
    inner_size: int | None = None
    groups: int | None = None
    time_step_rank: int | None = None
    key_heads: int | None = None
    value_heads: int | None = None
    key_head_dim: int | None = None
    value_head_dim: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TowerFacts:
    """An encoder of images or sound beside the decoder. None is unknown."""

    modality: Literal["image", "audio"]
    layers: int | None
    hidden: int | None
    ffn: int | None
    heads: int | None
    patch_size: int | None = None
    mel_bins: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """One network. Every number is a count; None is unknown or does not apply."""

    family: str | None
    """The word of the file: `general.architecture` of GGUF, `model_type` of config.json."""
    layers: tuple[LayerFacts, ...]
    """Empty where the count is unknown; layers for multi-token prediction are not among them."""
    hidden: int | None
    vocabulary: int | None
    """Rows of the embedding."""
    context_length_tokens: int | None
    tied_head: bool | None
    """Whether the output layer is the embedding again."""
    experts: int | None = None
    experts_per_token: int | None = None
    expert_ffn: int | None = None
    shared_experts: int | None = None
    shared_expert_ffn: int | None = None
    """Width of all shared experts together."""
    dense_layers: int | None = None
    """Layers at the start without experts."""
    kv_lora_rank: int | None = None
    q_lora_rank: int | None = None
    rope_head_dim: int | None = None
    """Width of the part of a key that carries the position; the whole key but for latent attention."""
    nope_head_dim: int | None = None
    """With latent attention, width of the part of a key without position."""
    value_head_dim: int | None = None
    """With latent attention, width of a value once it is unpacked."""
    recurrent: RecurrentFacts | None = None
    shared_kv_layers: int | None = None
    """Layers at the end that use the cache of earlier ones."""
    prediction_layers: int | None = None
    """Layers for multi-token prediction, beside `layers`."""
    towers: tuple[TowerFacts, ...] = ()
    rope_scaling: str | None = None
    raw: Mapping[str, Any]
    """The numbers, texts and short lists that this was read from, by their own keys."""

    @property
    def has_latent_attention(self) -> bool:
        """Whether the cache holds compressed keys and values."""
        return self.kv_lora_rank is not None

    def kv_bytes_per_token(self, bytes_per_element: int = 2) -> int | None:
        """Return the bytes of the cache per token, every attending layer counted as full attention; None is unknown.

        An upper bound where layers look back through a window only.
        """
        attending = [layer for layer in self.layers if layer.kind not in {"recurrent", "none"}]
        if self.shared_kv_layers:
            attending = attending[: max(len(self.layers) - self.shared_kv_layers, 0)]
        if not attending:
            return None
        if self.kv_lora_rank is not None:
            return len(attending) * (self.kv_lora_rank + (self.rope_head_dim or 0)) * bytes_per_element
        total = 0
        for layer in attending:
            if layer.kv_heads is None or layer.key_length is None or layer.value_length is None:
                return None
            total += layer.kv_heads * (layer.key_length + layer.value_length)
        return total * bytes_per_element
