"""The tensors of a whole network of a known shape. Counts, sizes and types of stored weights follow from them."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.domain.architecture import Architecture
from fieldguide.domain.layer_tensors import layer_tensors
from fieldguide.domain.tensor import Tensor

TOWER = "tower.weight"
"""Stands for all tensors of an encoder for images or sound, which stay at 16 bits in every quantization we know."""


def end_tensors(shape: Architecture) -> Iterator[Tensor]:
    """Yield the tensors of a decoder that lie outside its layers and towers: embeddings, output layer, last norm."""
    hidden, traits = shape.hidden, shape.traits
    yield Tensor(name="token_embd.weight", columns=hidden, rows=shape.vocabulary + shape.extra_rows)
    if not shape.tied_head:
        yield Tensor(name="output.weight", columns=hidden, rows=shape.vocabulary)
    if traits.head_bias:
        yield Tensor(name="output.bias", columns=shape.vocabulary)
    if shape.positions is not None:
        yield Tensor(name="position_embd.weight", columns=hidden, rows=shape.positions)
    if traits.final_norm:
        yield from _norm("output_norm", hidden, bias=traits.norm_bias)
    if traits.token_types:
        yield Tensor(name="token_types.weight", columns=hidden, rows=traits.token_types)
        yield from _norm("token_embd_norm", hidden, bias=traits.norm_bias)
    if traits.pooler:
        yield Tensor(name="pooler.weight", columns=hidden, rows=hidden)
        yield Tensor(name="pooler.bias", columns=hidden)
    if shape.per_layer_width is not None:
        wide = shape.layers * shape.per_layer_width
        yield Tensor(name="per_layer_token_embd.weight", columns=wide, rows=shape.vocabulary)
        yield Tensor(name="per_layer_model_proj.weight", columns=hidden, rows=wide)
        yield Tensor(name="per_layer_proj_norm.weight", columns=shape.per_layer_width)


def decoder_tensors(shape: Architecture) -> Iterator[Tensor]:
    """Yield every tensor of a decoder, its towers left out.

    Raises:
        UnsupportedError: The shape lacks a number that its scheme needs.
    """
    yield from end_tensors(shape)
    for layer in range(shape.layers):
        yield from layer_tensors(shape, layer)


def _norm(name: str, width: int, *, bias: bool) -> Iterator[Tensor]:
    yield Tensor(name=f"{name}.weight", columns=width)
    if bias:
        yield Tensor(name=f"{name}.bias", columns=width)
