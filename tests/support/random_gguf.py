"""Models of random weights in the shapes of real ones, from a few megabytes up, that llama.cpp really loads."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.support.tiny_gguf import _array, _fact, _padded, _text

_STRING, _INT32, _FLOAT32, _UINT32, _BOOL = 8, 5, 6, 4, 7
_TYPES = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q8_0": (8, 32, 34)}
"""Number in the file, numbers in a block and bytes in a block."""

Tensors = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomModel:
    """A shape; the defaults make a llama of some 20 million weights."""

    architecture: str = "llama"
    layers: int = 8
    hidden: int = 512
    ffn: int = 1536
    heads: int = 8
    kv_heads: int | tuple[int, ...] = 8
    head_dim: int = 64
    vocabulary: int = 8192
    tied_head: bool = False
    experts: int | None = None
    experts_per_token: int | None = None
    sliding_window: int | None = None
    context: int = 8192
    tensor_type: str = "F16"
    chat_template: str | None = None

    def kv_heads_of(self, layer: int) -> int:
        """Return the key/value heads of one layer."""
        return self.kv_heads if isinstance(self.kv_heads, int) else self.kv_heads[layer]


def random_gguf(path: Path, model: RandomModel) -> Path:
    """Write the file and return its path; the same shape gives the same bytes."""
    facts, tensors = _facts(model), _tensors(model)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts)
    noise = random.Random(20)
    offset, sizes = 0, []
    for name, shape in tensors.items():
        number, block, block_bytes = _TYPES["F32" if len(shape) == 1 or "gate_inp" in name else model.tensor_type]
        count = 1
        for side in shape:
            count *= side
        size = count // block * block_bytes
        header += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        header += struct.pack("<IQ", number, offset)
        sizes.append((number, size))
        offset += size + -size % 32
    with path.open("wb") as file:
        file.write(_padded(header))
        for number, size in sizes:
            file.write(_padded(_values(number, size, noise)))
    return path


def _values(number: int, size: int, noise: random.Random) -> bytes:
    """Return small numbers: a block of 4096 values, over and over."""
    block = {0: struct.pack("<f", 1.0), 1: b"", 2: b"", 8: b""}[number]
    if number == 1:
        block = b"".join(struct.pack("<e", noise.gauss(0, 0.02)) for _ in range(4096))
    if number in {2, 8}:
        quants = 16 if number == 2 else 32
        block = b"".join(struct.pack("<e", 0.002) + noise.randbytes(quants) for _ in range(128))
    return (block * (size // len(block) + 1))[:size]


def _facts(model: RandomModel) -> list[bytes]:
    name = model.architecture
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += [f"\u2581w{number}" for number in range(model.vocabulary - len(tokens))]
    kinds = [2, 3, 3] + [6] * 256 + [1] * (model.vocabulary - 259)
    facts = [
        _fact("general.architecture", name),
        _fact("general.name", "random"),
        _fact(f"{name}.context_length", model.context),
        _fact(f"{name}.embedding_length", model.hidden),
        _fact(f"{name}.block_count", model.layers),
        _fact(f"{name}.feed_forward_length", model.ffn),
        _fact(f"{name}.attention.head_count", model.heads),
        _kv_heads(name, model.kv_heads),
        _fact(f"{name}.attention.key_length", model.head_dim),
        _fact(f"{name}.attention.value_length", model.head_dim),
        _fact(f"{name}.rope.dimension_count", model.head_dim),
        _fact(f"{name}.attention.layer_norm_rms_epsilon", 1e-5),
        _fact(f"{name}.vocab_size", model.vocabulary),
        _fact("tokenizer.ggml.model", "llama"),
        _array("tokenizer.ggml.tokens", _STRING, [_text(token) for token in tokens]),
        _array("tokenizer.ggml.scores", _FLOAT32, [struct.pack("<f", -float(place)) for place in range(len(tokens))]),
        _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", kind) for kind in kinds]),
        _fact("tokenizer.ggml.bos_token_id", 1),
        _fact("tokenizer.ggml.eos_token_id", 2),
    ]
    if model.experts is not None and model.experts_per_token is not None:
        facts += [
            _fact(f"{name}.expert_count", model.experts),
            _fact(f"{name}.expert_used_count", model.experts_per_token),
            _fact(f"{name}.expert_feed_forward_length", model.ffn),
        ]
    if model.sliding_window is not None:
        facts.append(_fact(f"{name}.attention.sliding_window", model.sliding_window))
    if name == "qwen2vl":
        sections = [struct.pack("<i", each) for each in (model.head_dim // 8, model.head_dim // 8, 0, 0)]
        facts.append(_array(f"{name}.rope.dimension_sections", _INT32, sections))
    if model.chat_template is not None:
        facts.append(_fact("tokenizer.chat_template", model.chat_template))
    return facts


def _kv_heads(name: str, heads: int | tuple[int, ...]) -> bytes:
    key = f"{name}.attention.head_count_kv"
    if isinstance(heads, int):
        return _fact(key, heads)
    return _array(key, _UINT32, [struct.pack("<I", each) for each in heads])


def _tensors(model: RandomModel) -> Tensors:
    shapes: Tensors = {"token_embd.weight": (model.hidden, model.vocabulary), "output_norm.weight": (model.hidden,)}
    if not model.tied_head:
        shapes["output.weight"] = (model.hidden, model.vocabulary)
    for layer in range(model.layers):
        for name, shape in (_attention(model, layer) | _feed_forward(model)).items():
            shapes[f"blk.{layer}.{name}"] = shape
    return shapes


def _attention(model: RandomModel, layer: int) -> Tensors:
    query, key_value = model.heads * model.head_dim, model.kv_heads_of(layer) * model.head_dim
    shapes: Tensors = {
        "attn_norm.weight": (model.hidden,),
        "attn_q.weight": (model.hidden, query),
        "attn_k.weight": (model.hidden, key_value),
        "attn_v.weight": (model.hidden, key_value),
        "attn_output.weight": (query, model.hidden),
    }
    if model.architecture in {"qwen2", "qwen2vl"}:
        shapes |= {"attn_q.bias": (query,), "attn_k.bias": (key_value,), "attn_v.bias": (key_value,)}
    if model.architecture in {"qwen3", "qwen3moe", "gemma3"}:
        shapes |= {"attn_q_norm.weight": (model.head_dim,), "attn_k_norm.weight": (model.head_dim,)}
    if model.architecture in {"gemma2", "gemma3"}:
        shapes |= {"post_attention_norm.weight": (model.hidden,), "post_ffw_norm.weight": (model.hidden,)}
    return shapes


def _feed_forward(model: RandomModel) -> Tensors:
    hidden, ffn = model.hidden, model.ffn
    if model.experts is None:
        gated: Tensors = {"ffn_gate.weight": (hidden, ffn), "ffn_up.weight": (hidden, ffn)}
        return {"ffn_norm.weight": (hidden,), "ffn_down.weight": (ffn, hidden)} | gated
    experts = model.experts
    return {
        "ffn_norm.weight": (hidden,),
        "ffn_gate_inp.weight": (hidden, experts),
        "ffn_gate_exps.weight": (hidden, ffn, experts),
        "ffn_up_exps.weight": (hidden, ffn, experts),
        "ffn_down_exps.weight": (ffn, hidden, experts),
    }
