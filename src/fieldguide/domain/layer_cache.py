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
    if shape.scheme == "deepseek-v3":
        return (_latent(shape),) * shape.layers
    caches = tuple(_layer(shape, layer) for layer in range(shape.layers))
    if shape.scheme == "whisper":
        width = shape.kv_heads * shape.head_dim
        return caches + (LayerCache(key_width=width, value_width=width, fixed_tokens=_WHISPER_TOKENS),) * shape.layers
    return caches


def _latent(shape: Architecture) -> LayerCache:
    if shape.kv_lora_rank is None or shape.rope_head_dim is None:
        raise UnsupportedError("A network with latent attention", "a cache size without its ranks")
    return LayerCache(key_width=shape.kv_lora_rank + shape.rope_head_dim)


def _layer(shape: Architecture, layer: int) -> LayerCache:
    heads = shape.kv_heads if shape.kv_heads_by_layer is None else shape.kv_heads_by_layer[layer]
    if heads == 0:
        if shape.state_numbers is None:
            raise UnsupportedError("A layer without attention", "a cache size without state_numbers")
        return LayerCache(state_numbers=shape.state_numbers)
    key_width, value_width = heads * shape.head_dim, heads * (shape.value_head_dim or shape.head_dim)
    if shape.cross_layers is not None and layer in shape.cross_layers:
        return LayerCache(key_width=key_width, value_width=value_width, fixed_tokens=shape.cross_tokens or 0)
    return LayerCache(key_width=key_width, value_width=value_width, window=_window(shape, layer))


def _window(shape: Architecture, layer: int) -> int | None:
    """Return how far a layer looks back; the last layer of each period is the one that sees everything."""
    if shape.global_layers is not None:
        return None if layer in shape.global_layers else shape.sliding_window
    every = shape.global_layer_every
    return None if every is not None and layer % every == every - 1 else shape.sliding_window
