"""Parameter counts in closed form: what a network of a given shape must weigh.

Pure functions. Each tensor counts once: a tied output layer adds nothing, although some files store a second copy.
Checked against published counts in `tests/reference/test_parameter_counts.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from fieldguide.domain.architecture import Architecture
from fieldguide.domain.layer_tensors import layer_tensors
from fieldguide.domain.network_tensors import TOWER, decoder_tensors, end_tensors
from fieldguide.domain.tensor import Tensor
from fieldguide.domain.tower import Modality, Tower, tower_parameters
from fieldguide.errors import UnsupportedError

_WHISPER_POSITIONS = 1500
"""Frames of 20 ms in 30 s of sound; the encoder's positions are stored (arXiv:2212.04356)."""

_PATCH = 3 * 2 * 14 * 14
"""Numbers in one patch of Qwen2-VL: colours x frames x 14 x 14 pixels (arXiv:2409.12191)."""

_MERGED_PATCHES = 4
"""Patches (2 x 2) that become one token in Qwen2-VL."""


@lru_cache(maxsize=1024)
def total_parameters(shape: Architecture) -> int:
    """Return the exact number of parameters of a network, towers included.

    Raises:
        UnsupportedError: It is not known what its layers are, so that no closed form holds, or a number is missing.

    References:
        Per scheme, the reference implementations in transformers 5 (`models/*/modeling_*.py`).
    """
    if shape.scheme == "whisper":
        return _whisper(shape)
    layers = sum(count * _numbers(layer_tensors(shape, layer)) for layer, count in _kinds(shape))
    return _numbers(end_tensors(shape)) + layers + encoder_parameters(shape)


def active_parameters(shape: Architecture) -> int:
    """Return how many parameters take part in one token: all but the experts that were not chosen.

    The embedding counts whole, as publishers count it, and so do towers.
    """
    if shape.experts is None or shape.experts_per_token is None or shape.expert_ffn is None:
        return total_parameters(shape)
    routed = sum(shape.has_experts(layer) for layer in range(shape.layers))
    idle = shape.experts - shape.experts_per_token
    each = 3 * shape.hidden * shape.expert_ffn
    if shape.traits.expert_bias:
        each += 2 * shape.expert_ffn + shape.hidden
    return total_parameters(shape) - routed * idle * each


def embedding_parameters(shape: Architecture) -> int:
    """Return the parameters of the input embeddings, and of the output layer where it is not the same."""
    for_layers = shape.vocabulary * shape.layers * (shape.per_layer_width or 0)
    return (shape.vocabulary * (1 if shape.tied_head else 2) + shape.extra_rows) * shape.hidden + for_layers


def encoder_parameters(shape: Architecture) -> int:
    """Return the parameters of encoders for images and sound, with what leads from them to the decoder."""
    return sum(tower_parameters(tower, shape.hidden) for tower in encoders_of(shape))


def encoders_of(shape: Architecture) -> tuple[Tower, ...]:
    """Return the encoders of a network, those that belong to its scheme among them."""
    if shape.scheme == "qwen2-vl":
        return (*shape.towers, _own(shape, "image", _seeing(shape)))
    if shape.scheme == "qwen2-audio":
        return (*shape.towers, _own(shape, "audio", _hearing(shape)))
    return shape.towers


def _own(shape: Architecture, modality: Modality, parameters: int) -> Tower:
    layers, width, ffn = _encoder(shape)
    return Tower(kind="counted", modality=modality, layers=layers, hidden=width, ffn=ffn, parameters=parameters)


def tensors_of(shape: Architecture) -> tuple[Tensor, ...]:
    """Return every tensor of a network of a known scheme; together they hold `total_parameters` numbers.

    An encoder for images or sound is one tensor named `TOWER`; so is all of Whisper, which has no such file.
    """
    if shape.scheme == "whisper":
        tensors: tuple[Tensor, ...] = (Tensor(name="token_embd.weight", columns=shape.hidden, rows=shape.vocabulary),)
        left = total_parameters(shape) - tensors[0].numbers
    else:
        tensors, left = tuple(decoder_tensors(shape)), encoder_parameters(shape)
    return tensors + ((Tensor(name=TOWER, columns=left),) if left else ())


def _numbers(tensors: Iterator[Tensor]) -> int:
    return sum(tensor.numbers for tensor in tensors)


def _kinds(shape: Architecture) -> Iterator[tuple[int, int]]:
    """Yield one layer of every kind, and how many there are of it."""
    crossing = shape.cross_layers or ()
    of: dict[tuple[bool, ...], int] = {}
    counts: Counter[tuple[bool, ...]] = Counter()
    for layer in range(shape.layers):
        kind: tuple[bool, ...] = (
            shape.is_global(layer),
            shape.has_experts(layer),
            shape.shares_cache(layer),
            layer in crossing,
            shape.has_indexer(layer),
        )
        of.setdefault(kind, layer)
        counts[kind] += 1
    for kind, layer in of.items():
        yield layer, counts[kind]


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
    return _PATCH * width + blocks + merger


def _hearing(shape: Architecture) -> int:
    _, width, ffn = _encoder(shape)
    return _sound_encoder(shape, width, ffn) + width * shape.hidden + shape.hidden


def _encoder(shape: Architecture) -> tuple[int, int, int]:
    layers, width, ffn = shape.encoder_layers, shape.encoder_hidden, shape.encoder_ffn
    if layers is None or width is None or ffn is None:
        raise UnsupportedError("A network with an encoder", "a parameter count without the encoder's shape")
    return layers, width, ffn
