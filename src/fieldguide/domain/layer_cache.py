"""What each layer of a network keeps of the past: the facts that the size of a key/value cache follows from."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.domain.architecture import Architecture
from fieldguide.errors import UnsupportedError

_WHISPER_TOKENS = 1500
"""Frames that the encoder hands to every layer of the decoder (arXiv:2212.04356)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerCache:
    """One layer's share of the cache of one sequence."""

    key_width: int = 0
    """Numbers that the keys of one token are: heads x width, or rank and rotary part with latent attention."""
    value_width: int = 0
    """Numbers that the values of one token are; 0 where they are computed from what the keys keep."""
    window: int | None = None
    """Tokens that the layer looks back; None for all."""
    fixed_tokens: int | None = None
    """Tokens that it always keeps (an encoder's output), however long the text is."""
    state_numbers: int = 0
    """32-bit numbers of a fixed state, beside keys and values."""


def layer_caches(shape: Architecture) -> tuple[LayerCache, ...]:
    """Return what every layer of the decoder keeps, first to last.

    A layer of an encoder-decoder (Whisper) that keeps both its own text and the encoder's output counts as two.

    Raises:
        UnsupportedError: A layer has no attention, and the size of its state is not known.
    """
    caches = tuple(_layer(shape, layer) for layer in range(shape.layers))
    if shape.scheme == "whisper":
        width = shape.kv_heads * shape.head_dim
        return caches + (LayerCache(key_width=width, value_width=width, fixed_tokens=_WHISPER_TOKENS),) * shape.layers
    return caches


def _layer(shape: Architecture, layer: int) -> LayerCache:
    if shape.traits.encoder or shape.shares_cache(layer):
        return LayerCache()
    if shape.scheme == "deepseek-v3":
        return _latent(shape, layer)
    heads = shape.kv_heads if shape.kv_heads_by_layer is None else shape.kv_heads_by_layer[layer]
    everything = shape.is_global(layer)
    if heads == 0 or (shape.linear is not None and not everything):
        return LayerCache(state_numbers=_state(shape))
    head_dim = shape.head_dim
    if everything:
        heads, head_dim = shape.global_kv_heads or heads, shape.global_head_dim or head_dim
    key_width, value_width = heads * head_dim, heads * (shape.value_head_dim or head_dim)
    if shape.cross_layers is not None and layer in shape.cross_layers:
        return LayerCache(key_width=key_width, value_width=value_width, fixed_tokens=shape.cross_tokens or 0)
    window = None if everything else shape.sliding_window
    return LayerCache(key_width=key_width, value_width=value_width, window=window)


def _latent(shape: Architecture, layer: int) -> LayerCache:
    if shape.kv_lora_rank is None or shape.rope_head_dim is None:
        raise UnsupportedError("A network with latent attention", "a cache size without its ranks")
    index = (shape.indexer_head_dim or 0) if shape.has_indexer(layer) else 0
    return LayerCache(key_width=shape.kv_lora_rank + shape.rope_head_dim + index)


def _state(shape: Architecture) -> int:
    if shape.linear is not None:
        return shape.linear.state_numbers
    if shape.state_numbers is None:
        raise UnsupportedError("A layer without attention", "a cache size without state_numbers")
    return shape.state_numbers
