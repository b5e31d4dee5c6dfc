"""The tensors of a network: names as in GGUF files, and sides. Sizes and types of stored weights follow from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from fieldguide.domain.architecture import Architecture
from fieldguide.domain.parameter_count import total_parameters
from fieldguide.errors import UnsupportedError

TOWER = "tower.weight"
"""Stands for all tensors of an encoder for images or sound, which stay at 16 bits in every quantization we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor; experts of a layer are stored as one."""

    name: str
    columns: int
    """Length of a row: what a block of quantized numbers must divide."""
    rows: int = 1
    experts: int = 1
    stored_type: str | None = None
    """Type in the file it was read from, such as `Q4_K`; None for a tensor that follows from a shape."""

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return self.columns * self.rows * self.experts

    @property
    def is_matrix(self) -> bool:
        """Whether it is more than one row: norms and biases are not."""
        return self.rows > 1 or self.experts > 1

    @property
    def layer(self) -> int | None:
        """Number of its layer; None for what lies outside the layers."""
        return _layer(self.name)

    @property
    def role(self) -> str:
        """Name without layer and ending: `attn_v`, `ffn_down_exps`, `token_embd`."""
        return _role(self.name)


@lru_cache(maxsize=8192)
def _layer(name: str) -> int | None:
    start, _, rest = name.partition("blk.")
    number = rest.partition(".")[0]
    return int(number) if not start and number.isdigit() else None


@lru_cache(maxsize=8192)
def _role(name: str) -> str:
    parts = name.split(".")
    return parts[2] if _layer(name) is not None and len(parts) > 2 else parts[0]


def tensors_of(shape: Architecture) -> tuple[Tensor, ...]:
    """Return every tensor of a network of a known scheme; together they hold `total_parameters` numbers.

    An encoder for images or sound is one tensor named `TOWER`; so is all of Whisper, which has no such file.
    """
    total = total_parameters(shape)
    if shape.scheme == "whisper":
        tensors: tuple[Tensor, ...] = (Tensor(name="token_embd.weight", columns=shape.hidden, rows=shape.vocabulary),)
    else:
        tensors = tuple(_decoder(shape))
    left = total - sum(tensor.numbers for tensor in tensors)
    return tensors + ((Tensor(name=TOWER, columns=left),) if left else ())


def _decoder(shape: Architecture) -> Iterator[Tensor]:
    yield Tensor(name="token_embd.weight", columns=shape.hidden, rows=shape.vocabulary)
    if not shape.tied_head:
        yield Tensor(name="output.weight", columns=shape.hidden, rows=shape.vocabulary)
    yield Tensor(name="output_norm.weight", columns=shape.hidden)
    for layer in range(shape.layers):
        yield from _attention(shape, f"blk.{layer}.")
        yield from _norms(shape, f"blk.{layer}.")
        yield from _feed_forward(shape, f"blk.{layer}.", dense=shape.experts is None or layer < shape.dense_layers)


def _attention(shape: Architecture, at: str) -> Iterator[Tensor]:
    if shape.scheme == "deepseek-v3":
        yield from _latent(shape, at)
        return
    query, key_value = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    yield Tensor(name=f"{at}attn_q.weight", columns=shape.hidden, rows=query)
    yield Tensor(name=f"{at}attn_k.weight", columns=shape.hidden, rows=key_value)
    yield Tensor(name=f"{at}attn_v.weight", columns=shape.hidden, rows=key_value)
    yield Tensor(name=f"{at}attn_output.weight", columns=query, rows=shape.hidden)
    if shape.scheme in {"qwen2", "qwen2-vl", "qwen2-audio"}:
        yield Tensor(name=f"{at}attn_q.bias", columns=query)
        yield Tensor(name=f"{at}attn_k.bias", columns=key_value)
        yield Tensor(name=f"{at}attn_v.bias", columns=key_value)
    if shape.scheme in {"qwen3", "gemma3"}:
        yield Tensor(name=f"{at}attn_q_norm.weight", columns=shape.head_dim)
        yield Tensor(name=f"{at}attn_k_norm.weight", columns=shape.head_dim)


def _latent(shape: Architecture, at: str) -> Iterator[Tensor]:
    q_rank, kv_rank, rope, value = shape.q_lora_rank, shape.kv_lora_rank, shape.rope_head_dim, shape.value_head_dim
    if q_rank is None or kv_rank is None or rope is None or value is None:
        raise UnsupportedError("A network with latent attention", "a list of tensors without its ranks")
    yield Tensor(name=f"{at}attn_q_a.weight", columns=shape.hidden, rows=q_rank)
    yield Tensor(name=f"{at}attn_q_a_norm.weight", columns=q_rank)
    yield Tensor(name=f"{at}attn_q_b.weight", columns=q_rank, rows=shape.heads * (shape.head_dim + rope))
    yield Tensor(name=f"{at}attn_kv_a_mqa.weight", columns=shape.hidden, rows=kv_rank + rope)
    yield Tensor(name=f"{at}attn_kv_a_norm.weight", columns=kv_rank)
    yield Tensor(name=f"{at}attn_k_b.weight", columns=shape.head_dim, rows=kv_rank, experts=shape.heads)
    yield Tensor(name=f"{at}attn_v_b.weight", columns=kv_rank, rows=value, experts=shape.heads)
    yield Tensor(name=f"{at}attn_output.weight", columns=shape.heads * value, rows=shape.hidden)


def _norms(shape: Architecture, at: str) -> Iterator[Tensor]:
    yield Tensor(name=f"{at}attn_norm.weight", columns=shape.hidden)
    yield Tensor(name=f"{at}ffn_norm.weight", columns=shape.hidden)
    if shape.scheme in {"gemma2", "gemma3"}:
        yield Tensor(name=f"{at}post_attention_norm.weight", columns=shape.hidden)
        yield Tensor(name=f"{at}post_ffw_norm.weight", columns=shape.hidden)


def _feed_forward(shape: Architecture, at: str, *, dense: bool) -> Iterator[Tensor]:
    hidden = shape.hidden
    if dense or shape.experts is None or shape.expert_ffn is None:
        yield from _gated(at, "", hidden, shape.ffn, 1)
        return
    yield Tensor(name=f"{at}ffn_gate_inp.weight", columns=hidden, rows=shape.experts)
    yield from _gated(at, "_exps", hidden, shape.expert_ffn, shape.experts)
    if shape.shared_experts:
        yield from _gated(at, "_shexp", hidden, shape.expert_ffn * shape.shared_experts, 1)
    if shape.scheme == "deepseek-v3":
        yield Tensor(name=f"{at}exp_probs_b.bias", columns=shape.experts)


def _gated(at: str, ending: str, hidden: int, ffn: int, experts: int) -> Iterator[Tensor]:
    yield Tensor(name=f"{at}ffn_gate{ending}.weight", columns=hidden, rows=ffn, experts=experts)
    yield Tensor(name=f"{at}ffn_up{ending}.weight", columns=hidden, rows=ffn, experts=experts)
    yield Tensor(name=f"{at}ffn_down{ending}.weight", columns=ffn, rows=hidden, experts=experts)
