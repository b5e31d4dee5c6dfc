"""The tensors of one layer of a decoder, by the traits of its scheme: names as in GGUF files."""

from __future__ import annotations

from collections.abc import Iterator

from fieldguide.domain.architecture import Architecture, LinearAttention
from fieldguide.domain.tensor import Tensor
from fieldguide.errors import UnsupportedError


def layer_tensors(shape: Architecture, layer: int) -> Iterator[Tensor]:
    """Yield every tensor of a layer (from 0), experts of the same kind as one.

    Raises:
        UnsupportedError: The shape lacks a number that its scheme needs, or says nothing of what the layer is.
    """
    at = f"blk.{layer}."
    if shape.kv_heads_by_layer is not None:
        raise UnsupportedError("A network whose layers differ in kind", "a list of tensors")
    if shape.scheme == "deepseek-v3":
        yield from _latent(shape, layer, at)
    elif shape.linear is not None and not shape.is_global(layer):
        yield from _linear(shape, shape.linear, at)
    else:
        yield from _attention(shape, layer, at)
    yield from _norms(shape, at)
    yield from _feed_forward(shape, layer, at)
    yield from _per_layer(shape, at)


def _matrix(name: str, columns: int, rows: int, *, bias: bool = False, experts: int = 1) -> Iterator[Tensor]:
    yield Tensor(name=f"{name}.weight", columns=columns, rows=rows, experts=experts)
    if bias:
        yield Tensor(name=f"{name}.bias", columns=rows * experts)


def _attention(shape: Architecture, layer: int, at: str) -> Iterator[Tensor]:
    """Layers that use the cache of earlier ones have matrices for keys and values in the files all the same."""
    traits, everything = shape.traits, shape.is_global(layer)
    head_dim = (shape.global_head_dim if everything else None) or shape.head_dim
    kv_heads = (shape.global_kv_heads if everything else None) or shape.kv_heads
    query, key_value = shape.heads * head_dim, kv_heads * head_dim
    wide = 2 * query if traits.gated_attention else query
    yield from _matrix(f"{at}attn_q", shape.hidden, wide, bias=traits.query_bias)
    yield from _matrix(f"{at}attn_k", shape.hidden, key_value, bias=traits.query_bias)
    if not (shape.keys_are_values and everything):
        yield from _matrix(f"{at}attn_v", shape.hidden, key_value, bias=traits.query_bias)
    yield from _matrix(f"{at}attn_output", query, shape.hidden, bias=traits.output_bias)
    crossing = shape.cross_layers is not None and layer in shape.cross_layers
    norms = "shared" if crossing else traits.head_norms or shape.head_norms
    if norms is not None:
        yield Tensor(name=f"{at}attn_q_norm.weight", columns=head_dim if norms == "shared" else query)
        yield Tensor(name=f"{at}attn_k_norm.weight", columns=head_dim if norms == "shared" else key_value)
    if crossing:
        yield Tensor(name=f"{at}cross_attn_attn_gate", columns=1)
        yield Tensor(name=f"{at}cross_attn_mlp_gate", columns=1)
    if traits.sinks:
        yield Tensor(name=f"{at}attn_sinks.weight", columns=shape.heads)


def _linear(shape: Architecture, linear: LinearAttention, at: str) -> Iterator[Tensor]:
    """A gated delta net: one way in for queries, keys and values, one for the gate, two numbers per head and token."""
    values = linear.value_heads * linear.value_dim
    yield from _matrix(f"{at}attn_qkv", shape.hidden, linear.mixed_width)
    yield from _matrix(f"{at}attn_gate", shape.hidden, values)
    yield from _matrix(f"{at}ssm_ba", shape.hidden, 2 * linear.value_heads)
    yield Tensor(name=f"{at}ssm_conv1d.weight", columns=linear.kernel, rows=linear.mixed_width)
    yield Tensor(name=f"{at}ssm_dt.bias", columns=linear.value_heads)
    yield Tensor(name=f"{at}ssm_a", columns=linear.value_heads)
    yield Tensor(name=f"{at}ssm_norm.weight", columns=linear.value_dim)
    yield from _matrix(f"{at}ssm_out", values, shape.hidden)


def _latent(shape: Architecture, layer: int, at: str) -> Iterator[Tensor]:
    q_rank, kv_rank, rope, value = shape.q_lora_rank, shape.kv_lora_rank, shape.rope_head_dim, shape.value_head_dim
    if q_rank is None or kv_rank is None or rope is None or value is None:
        raise UnsupportedError("A network with latent attention", "a list of tensors without its ranks")
    yield from _matrix(f"{at}attn_q_a", shape.hidden, q_rank)
    yield Tensor(name=f"{at}attn_q_a_norm.weight", columns=q_rank)
    yield from _matrix(f"{at}attn_q_b", q_rank, shape.heads * (shape.head_dim + rope))
    yield from _matrix(f"{at}attn_kv_a_mqa", shape.hidden, kv_rank + rope)
    yield Tensor(name=f"{at}attn_kv_a_norm.weight", columns=kv_rank)
    yield from _matrix(f"{at}attn_k_b", shape.head_dim, kv_rank, experts=shape.heads)
    yield from _matrix(f"{at}attn_v_b", kv_rank, value, experts=shape.heads)
    yield from _matrix(f"{at}attn_output", shape.heads * value, shape.hidden)
    if shape.has_indexer(layer) and shape.indexer_heads is not None and shape.indexer_head_dim is not None:
        width = shape.indexer_head_dim
        yield from _matrix(f"{at}indexer.attn_q_b", q_rank, shape.indexer_heads * width)
        yield from _matrix(f"{at}indexer.attn_k", shape.hidden, width)
        yield Tensor(name=f"{at}indexer.k_norm.weight", columns=width)
        yield Tensor(name=f"{at}indexer.k_norm.bias", columns=width)
        yield from _matrix(f"{at}indexer.proj", shape.hidden, shape.indexer_heads)


_NORMS = ("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm", "post_norm_1", "post_norm_2", "pre_norm_2")


def _norms(shape: Architecture, at: str) -> Iterator[Tensor]:
    more = 3 if shape.scheme == "gemma4" and shape.experts is not None else 0  # around experts and the block beside
    for name in _NORMS[: shape.traits.norms + more]:
        yield Tensor(name=f"{at}{name}.weight", columns=shape.hidden)
        if shape.traits.norm_bias:
            yield Tensor(name=f"{at}{name}.bias", columns=shape.hidden)


def _feed_forward(shape: Architecture, layer: int, at: str) -> Iterator[Tensor]:
    hidden, traits = shape.hidden, shape.traits
    if not shape.has_experts(layer) or shape.experts is None or shape.expert_ffn is None:
        shared = shape.shared_kv_ffn if shape.shares_cache(layer) else None
        yield from _block(shape, at, "", shared or shape.ffn, 1, bias=traits.ffn_bias)
        return
    yield from _matrix(f"{at}ffn_gate_inp", hidden, shape.experts)
    yield from _block(shape, at, "_exps", shape.expert_ffn, shape.experts, bias=traits.expert_bias)
    if shape.shared_experts:
        yield from _block(shape, at, "_shexp", shape.expert_ffn * shape.shared_experts, 1, bias=False)
        if traits.shared_gate:
            yield Tensor(name=f"{at}ffn_gate_inp_shexp.weight", columns=hidden)
    if traits.router_bias:
        yield Tensor(name=f"{at}exp_probs_b.bias", columns=shape.experts)
    if shape.scheme == "gemma4":
        yield Tensor(name=f"{at}ffn_gate_inp.scale", columns=hidden)
        yield Tensor(name=f"{at}ffn_down_exps.scale", columns=shape.experts)


def _block(shape: Architecture, at: str, ending: str, ffn: int, experts: int, *, bias: bool) -> Iterator[Tensor]:
    if shape.traits.gated:
        yield from _matrix(f"{at}ffn_gate{ending}", shape.hidden, ffn, bias=bias, experts=experts)
    yield from _matrix(f"{at}ffn_up{ending}", shape.hidden, ffn, bias=bias, experts=experts)
    yield from _matrix(f"{at}ffn_down{ending}", ffn, shape.hidden, bias=bias, experts=experts)


def _per_layer(shape: Architecture, at: str) -> Iterator[Tensor]:
    if shape.per_layer_width is not None:
        yield from _matrix(f"{at}inp_gate", shape.hidden, shape.per_layer_width)
        yield from _matrix(f"{at}proj", shape.per_layer_width, shape.hidden)
        yield Tensor(name=f"{at}post_norm.weight", columns=shape.hidden)
    if shape.traits.scaled:
        yield Tensor(name=f"{at}layer_output_scale.weight", columns=1)
