"""The shape of a network: the facts that parameter counts, memory and speed follow from."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.domain.scheme import TRAITS, HeadNorms, Scheme, Traits
from fieldguide.domain.tower import Tower


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention:
    """Layers with a gated delta net in place of attention: a state of fixed size and the tail of a convolution."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    kernel: int
    """Tokens that the convolution looks at."""

    @property
    def mixed_width(self) -> int:
        """Numbers that the convolution passes: queries, keys and values."""
        return 2 * self.key_heads * self.key_dim + self.value_heads * self.value_dim

    @property
    def state_numbers(self) -> int:
        """Numbers kept per sequence: the tail of the convolution, and a matrix for each value head."""
        return (self.kernel - 1) * self.mixed_width + self.value_heads * self.key_dim * self.value_dim


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
    experts_every: int = 1
    """Every how many layers one has experts, the last of each period."""
    head_norms: HeadNorms | None = None
    """Norms of queries and keys, of a network whose scheme leaves them open."""
    extra_rows: int = 0
    """Rows of the embedding that an output layer apart does not have."""
    linear: LinearAttention | None = None
    """What the layers are that `global_layer_every` and `global_layers` do not name; None: they have a window."""
    global_head_dim: int | None = None
    """Width of a head of the layers that look back at everything, where it differs."""
    global_kv_heads: int | None = None
    keys_are_values: bool = False
    """Whether the layers that look back at everything take their keys for values, without a matrix for these."""
    shared_kv_layers: int = 0
    """Layers at the end that use the cache of earlier ones and keep none."""
    shared_kv_ffn: int | None = None
    """Width inside the feed-forward block of those, where it differs."""
    per_layer_width: int | None = None
    """Numbers that each layer takes of a second embedding of the token (Gemma 3n and 4)."""
    indexer_heads: int | None = None
    """Heads of the light attention that chooses which tokens a layer looks at (DeepSeek-V3.2)."""
    indexer_head_dim: int | None = None
    """Their width: numbers more that the cache keeps of a token."""
    indexer_layers: tuple[int, ...] | None = None
    """Layers (from 0) that choose for themselves, where the others take the choice of an earlier one (GLM-5.2)."""
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
    towers: tuple[Tower, ...] = ()
    """Encoders of images and sound, of a scheme that is a decoder alone."""
    encoder_layers: int | None = None
    """Of the tower for images or sound, of a scheme that has one."""
    encoder_hidden: int | None = None
    encoder_ffn: int | None = None
    mel_bins: int | None = None
    positions: int | None = None
    """Learned positions of the text."""

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
        _require(self.shared_kv_layers < self.layers, "some layer must keep a cache that others share")

    @property
    def traits(self) -> Traits:
        """What its layers have beside the matrices that all have."""
        return TRAITS[self.scheme]

    def is_global(self, layer: int) -> bool:
        """Return whether a layer (from 0) looks back at everything; the last of each period does."""
        if self.global_layers is not None:
            return layer in self.global_layers
        every = self.global_layer_every
        return every is not None and layer % every == every - 1

    def has_experts(self, layer: int) -> bool:
        """Return whether a layer (from 0) routes to experts."""
        return self.experts is not None and layer >= self.dense_layers and (layer + 1) % self.experts_every == 0

    def has_indexer(self, layer: int) -> bool:
        """Return whether a layer (from 0) chooses by light attention which tokens it looks at."""
        return self.indexer_heads is not None and (self.indexer_layers is None or layer in self.indexer_layers)

    def shares_cache(self, layer: int) -> bool:
        """Return whether a layer (from 0) uses the cache of an earlier one."""
        return layer >= self.layers - self.shared_kv_layers


_MAY_BE_ZERO = frozenset({"shared_experts", "dense_layers", "extra_rows", "shared_kv_layers"})


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
