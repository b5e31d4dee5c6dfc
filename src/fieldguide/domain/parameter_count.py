"""Parameter counts in closed form: what a network of a given shape must weigh.

Pure functions. Each tensor counts once: a tied output layer adds nothing, although some files store a second copy.
Checked against published counts in `tests/reference/test_parameter_counts.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from fieldguide.domain.architecture import Architecture
from fieldguide.errors import UnsupportedError

_WHISPER_POSITIONS = 1500
"""Frames of 20 ms in 30 s of sound; the encoder's positions are stored (arXiv:2212.04356)."""

_PATCH = 3 * 2 * 14 * 14
"""Numbers in one patch of Qwen2-VL: colours x frames x 14 x 14 pixels (arXiv:2409.12191)."""

_MERGED_PATCHES = 4
"""Patches (2 x 2) that become one token in Qwen2-VL."""


def total_parameters(shape: Architecture) -> int:
    """Return the exact number of parameters of a network.

    Raises:
        UnsupportedError: Its layers differ in kind, so that no closed form holds, or a number is missing.

    References:
        Per scheme, the reference implementations in transformers 5 (`models/*/modeling_*.py`).
    """
    if shape.kv_heads_by_layer is not None or shape.cross_layers is not None:
        raise UnsupportedError("A network whose layers differ in kind", "a parameter count in closed form")
    return _TOTALS[shape.scheme](shape)


def active_parameters(shape: Architecture) -> int:
    """Return how many parameters take part in one token: all but the experts that were not chosen.

    The embedding counts whole, as publishers count it.
    """
    if shape.experts is None or shape.experts_per_token is None or shape.expert_ffn is None:
        return total_parameters(shape)
    idle = shape.experts - shape.experts_per_token
    return total_parameters(shape) - (shape.layers - shape.dense_layers) * idle * 3 * shape.hidden * shape.expert_ffn


def embedding_parameters(shape: Architecture) -> int:
    """Return the parameters of the input embedding, and of the output layer where it is not the same."""
    return shape.vocabulary * shape.hidden * (1 if shape.tied_head else 2)


def _decoder(shape: Architecture) -> int:
    """Return the count of a decoder with gated feed-forward blocks, root-mean-square norms and a final norm."""
    layers = shape.layers * (_attention(shape) + _norms(shape)) + _feed_forward(shape)
    return embedding_parameters(shape) + layers + shape.hidden


def _attention(shape: Architecture) -> int:
    query, key_value = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    weights = shape.hidden * (2 * query + 2 * key_value)
    if shape.scheme in {"qwen2", "qwen2-vl", "qwen2-audio"}:
        return weights + query + 2 * key_value  # biases of query, key and value, none on the way out
    if shape.scheme in {"qwen3", "gemma3"}:
        return weights + 2 * shape.head_dim  # norms of queries and keys
    return weights


def _norms(shape: Architecture) -> int:
    return (4 if shape.scheme in {"gemma2", "gemma3"} else 2) * shape.hidden


def _feed_forward(shape: Architecture) -> int:
    """Return the count of the feed-forward blocks of all layers."""
    dense = 3 * shape.hidden * shape.ffn
    if shape.experts is None or shape.expert_ffn is None:
        return shape.layers * dense
    experts = (shape.experts + shape.shared_experts) * 3 * shape.hidden * shape.expert_ffn
    router = shape.hidden * shape.experts
    return shape.dense_layers * dense + (shape.layers - shape.dense_layers) * (experts + router)


def _latent(shape: Architecture) -> int:
    """Return the count of a decoder with latent attention, whose routers have a bias for each expert."""
    q_rank, kv_rank, rope, value = shape.q_lora_rank, shape.kv_lora_rank, shape.rope_head_dim, shape.value_head_dim
    if q_rank is None or kv_rank is None or rope is None or value is None:
        raise UnsupportedError("A network with latent attention", "a parameter count without its ranks")
    query = shape.hidden * q_rank + q_rank + q_rank * shape.heads * (shape.head_dim + rope)
    key_value = shape.hidden * (kv_rank + rope) + kv_rank + kv_rank * shape.heads * (shape.head_dim + value)
    out = shape.heads * value * shape.hidden
    routing = (shape.layers - shape.dense_layers) * (shape.experts or 0)
    layers = shape.layers * (query + key_value + out + _norms(shape)) + _feed_forward(shape) + routing
    return embedding_parameters(shape) + layers + shape.hidden


def _whisper(shape: Architecture) -> int:
    width, ffn = shape.hidden, shape.ffn
    decoder = shape.layers * (2 * _plain_attention(width) + _plain_feed_forward(width, ffn) + 6 * width) + 2 * width
    positions = (shape.positions or 0) * width
    return _sound_encoder(shape, width, ffn) + shape.vocabulary * width + positions + decoder


def _sound_encoder(shape: Architecture, width: int, ffn: int) -> int:
    layers, bins = shape.encoder_layers, shape.mel_bins
    if layers is None or bins is None:
        raise UnsupportedError("A network with an encoder", "a parameter count without encoder_layers and mel_bins")
    convolutions = 3 * bins * width + width + 3 * width * width + width
    blocks = layers * (_plain_attention(width) + _plain_feed_forward(width, ffn) + 4 * width)
    return convolutions + _WHISPER_POSITIONS * width + blocks + 2 * width


def _plain_attention(width: int) -> int:
    return 4 * width * width + 3 * width  # keys have no bias


def _plain_feed_forward(width: int, ffn: int) -> int:
    return 2 * width * ffn + ffn + width


def _seeing(shape: Architecture) -> int:
    layers, width, ffn = _encoder(shape)
    attention = 4 * width * width + 4 * width
    blocks = layers * (attention + _plain_feed_forward(width, ffn) + 4 * width)
    merged = _MERGED_PATCHES * width
    merger = 2 * width + merged * merged + merged + merged * shape.hidden + shape.hidden
    return _decoder(shape) + _PATCH * width + blocks + merger


def _hearing(shape: Architecture) -> int:
    _, width, ffn = _encoder(shape)
    return _decoder(shape) + _sound_encoder(shape, width, ffn) + width * shape.hidden + shape.hidden


def _encoder(shape: Architecture) -> tuple[int, int, int]:
    layers, width, ffn = shape.encoder_layers, shape.encoder_hidden, shape.encoder_ffn
    if layers is None or width is None or ffn is None:
        raise UnsupportedError("A network with an encoder", "a parameter count without the encoder's shape")
    return layers, width, ffn


_TOTALS: dict[str, Callable[[Architecture], int]] = {
    "llama": _decoder,
    "qwen2": _decoder,
    "qwen3": _decoder,
    "gemma2": _decoder,
    "gemma3": _decoder,
    "deepseek-v3": _latent,
    "qwen2-vl": _seeing,
    "qwen2-audio": _hearing,
    "whisper": _whisper,
}
