"""The shape of a network: the facts that parameter counts, memory and speed follow from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Scheme: TypeAlias = Literal[
    "llama", "qwen2", "qwen3", "gemma2", "gemma3", "deepseek-v3", "qwen2-vl", "qwen2-audio", "whisper"
]
"""Which tensors a network has beside those every decoder has; the closed forms in `parameter_count.py` know them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """One network. Every number is a count; a key that does not apply, or is unknown, is None."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    scheme: Scheme
    layers: int
    """Layers of the decoder."""
    hidden: int
    ffn: int
    """Width inside the feed-forward block of a dense layer."""
    heads: int
    kv_heads: int
    head_dim: int
    """Width of one query head; with latent attention the part without position."""
    vocabulary: int
    """Rows of the embedding, padding included."""
    tied_head: bool
    """Whether the output layer is the embedding again, stored and counted once."""
    experts: int | None = None
    experts_per_token: int | None = None
    expert_ffn: int | None = None
    shared_experts: int = 0
    dense_layers: int = 0
    """Layers at the start that have no experts, of a network that has them."""
    sliding_window: int | None = None
    """Tokens that a local layer looks back (or the size of its chunks)."""
    global_layer_every: int | None = None
    """Every how many layers one looks back at everything; None with a window: none does."""
    global_layers: tuple[int, ...] | None = None
    """Layers (from 0) that look back at everything, where they follow no period."""
    kv_heads_by_layer: tuple[int, ...] | None = None
    """Key/value heads of each layer where they differ; 0 for a layer without attention (state space, linear)."""
    state_numbers: int | None = None
    """32-bit numbers that a layer without attention keeps per sequence, however long it is."""
    cross_layers: tuple[int, ...] | None = None
    """Layers (from 0) that attend to an encoder's output and not to the text."""
    cross_tokens: int | None = None
    """Tokens of the encoder's output that each of them keeps per sequence."""
    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None
    """Width of the compressed keys and values of latent attention: what its cache holds."""
    rope_head_dim: int | None = None
    value_head_dim: int | None = None
    encoder_layers: int | None = None
    """Of the tower for images or sound."""
    encoder_hidden: int | None = None
    encoder_ffn: int | None = None
    mel_bins: int | None = None
    positions: int | None = None
    """Learned positions of the decoder."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, int) and not isinstance(value, bool) and name not in _MAY_BE_ZERO:
                _require(value > 0, f"{name} must be greater than 0")
        _require(self.heads % self.kv_heads == 0, "kv_heads must divide heads")
        by_layer = self.kv_heads_by_layer
        _require(by_layer is None or len(by_layer) == self.layers, "kv_heads_by_layer needs one number per layer")
        _require(by_layer is None or min(by_layer) >= 0, "kv_heads_by_layer must not be negative")
        together = {self.experts is None, self.experts_per_token is None, self.expert_ffn is None}
        _require(len(together) == 1, "experts, experts_per_token and expert_ffn come together")
        _require((self.experts_per_token or 0) <= (self.experts or 0), "experts_per_token cannot exceed experts")


_MAY_BE_ZERO = frozenset({"shared_experts", "dense_layers"})


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
