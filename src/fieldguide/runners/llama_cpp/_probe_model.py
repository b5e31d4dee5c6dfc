"""Models of random weights that llama.cpp really loads: known bytes in known shapes, to time the engine with."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_ALIGNMENT = 32
_UINT32, _FLOAT32, _STRING, _ARRAY, _INT32 = 4, 6, 8, 9, 5
_SMALL, _SMALLER = struct.pack("<e", 0.001), struct.pack("<e", 0.0001)
"""Scales that keep sums of random weights finite."""
_CHUNK_BLOCKS = 4096
_HEAD = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockType:
    """One way of storing weights: its number in a GGUF file, weights and bytes per block, and its scales."""

    name: str
    number: int
    weights: int
    block_bytes: int
    scales: bytes
    scales_end: bool = False
    """Whether they end a block in place."""

    @property
    def bits(self) -> float:
        """Bits per weight."""
        return 8 * self.block_bytes / self.weights


F16 = BlockType(name="F16", number=1, weights=1, block_bytes=2, scales=_SMALL)
Q4_0 = BlockType(name="Q4_0", number=2, weights=32, block_bytes=18, scales=_SMALL)
Q4_1 = BlockType(name="Q4_1", number=3, weights=32, block_bytes=20, scales=_SMALL * 2)
Q5_0 = BlockType(name="Q5_0", number=6, weights=32, block_bytes=22, scales=_SMALL)
Q8_0 = BlockType(name="Q8_0", number=8, weights=32, block_bytes=34, scales=_SMALL)
Q3_K = BlockType(name="Q3_K", number=11, weights=256, block_bytes=110, scales=_SMALL, scales_end=True)
Q4_K = BlockType(name="Q4_K", number=12, weights=256, block_bytes=144, scales=_SMALL * 2)
Q5_K = BlockType(name="Q5_K", number=13, weights=256, block_bytes=176, scales=_SMALL * 2)
Q6_K = BlockType(name="Q6_K", number=14, weights=256, block_bytes=210, scales=_SMALLER, scales_end=True)
IQ4_XS = BlockType(name="IQ4_XS", number=23, weights=256, block_bytes=136, scales=_SMALLER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeShape:
    """A llama with heads of 64; `hidden` and `ffn` are multiples of 256."""

    hidden: int
    ffn: int
    layers: int
    vocabulary: int
    type: BlockType

    @property
    def parameters(self) -> int:
        """Weights in matrices that every token passes: the layers and the head."""
        attention = 2 * self.hidden * self.hidden + 2 * self.hidden * self.kv_width
        return self.layers * (attention + 3 * self.hidden * self.ffn) + self.hidden * self.vocabulary

    @property
    def kv_width(self) -> int:
        """Width of keys, which a quarter of the heads have."""
        return self.hidden // 4

    @property
    def rows(self) -> int:
        """Rows of the same matrices."""
        attention = 2 * self.hidden + 2 * self.kv_width
        return self.layers * (attention + 2 * self.ffn + self.hidden) + self.vocabulary

    @property
    def attended_numbers(self) -> int:
        """Numbers of keys and values that all query heads look at for each token before."""
        return self.layers * 2 * self.hidden

    @property
    def weights_bytes(self) -> float:
        """Bytes of them."""
        return self.parameters * self.type.bits / 8


def write_probe_model(path: Path, shape: ProbeShape) -> None:
    """Write the model; the same shape gives the same bytes.

    Raises:
        OSError: It cannot be written.
    """
    tensors = _tensors(shape)
    facts = _facts(shape)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts)
    offset = 0
    for name, dimensions in tensors.items():
        number, size = _stored(dimensions, shape.type)
        header += _text(name) + struct.pack("<I", len(dimensions)) + struct.pack(f"<{len(dimensions)}Q", *dimensions)
        header += struct.pack("<IQ", number, offset)
        offset += size + -size % _ALIGNMENT
    blocks = _random_blocks(shape.type)
    with path.open("wb") as file:
        file.write(_padded(header))
        for dimensions in tensors.values():
            _write_tensor(file, dimensions, shape.type, blocks)


def _write_tensor(file: BinaryIO, dimensions: tuple[int, ...], kind: BlockType, blocks: bytes) -> None:
    _, size = _stored(dimensions, kind)
    if len(dimensions) == 1:
        file.write(struct.pack("<f", 1.0) * dimensions[0])
    else:
        whole, rest = divmod(size, len(blocks))
        for _ in range(whole):
            file.write(blocks)
        file.write(blocks[:rest])
    file.write(b"\0" * (-size % _ALIGNMENT))


def _stored(dimensions: tuple[int, ...], kind: BlockType) -> tuple[int, int]:
    """Return the number of the type and the bytes of a tensor; norms are kept in 32 bits."""
    if len(dimensions) == 1:
        return 0, 4 * dimensions[0]
    return kind.number, dimensions[0] * dimensions[1] // kind.weights * kind.block_bytes


def _random_blocks(kind: BlockType) -> bytes:
    noise = random.Random(20)  # noqa: S311 - weights, not keys
    rest = kind.block_bytes - len(kind.scales)
    blocks = (noise.randbytes(rest) for _ in range(_CHUNK_BLOCKS))
    return b"".join(block + kind.scales if kind.scales_end else kind.scales + block for block in blocks)


def _tensors(shape: ProbeShape) -> dict[str, tuple[int, ...]]:
    hidden, ffn, keys = shape.hidden, shape.ffn, shape.kv_width
    tensors: dict[str, tuple[int, ...]] = {"token_embd.weight": (hidden, shape.vocabulary)}
    for layer in range(shape.layers):
        tensors |= {
            f"blk.{layer}.attn_norm.weight": (hidden,),
            f"blk.{layer}.attn_q.weight": (hidden, hidden),
            f"blk.{layer}.attn_k.weight": (hidden, keys),
            f"blk.{layer}.attn_v.weight": (hidden, keys),
            f"blk.{layer}.attn_output.weight": (hidden, hidden),
            f"blk.{layer}.ffn_norm.weight": (hidden,),
            f"blk.{layer}.ffn_gate.weight": (hidden, ffn),
            f"blk.{layer}.ffn_up.weight": (hidden, ffn),
            f"blk.{layer}.ffn_down.weight": (ffn, hidden),
        }
    return tensors | {"output_norm.weight": (hidden,), "output.weight": (hidden, shape.vocabulary)}


def _facts(shape: ProbeShape) -> list[bytes]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [2, 3, 3] + [6] * 256
    tokens += [f"t{number}" for number in range(len(tokens), shape.vocabulary)]
    types += [1] * (len(tokens) - len(types))
    heads = shape.hidden // _HEAD
    return [
        _fact("general.architecture", "llama"),
        _fact("general.name", "probe"),
        _fact("llama.context_length", 4096),
        _fact("llama.embedding_length", shape.hidden),
        _fact("llama.block_count", shape.layers),
        _fact("llama.feed_forward_length", shape.ffn),
        _fact("llama.attention.head_count", heads),
        _fact("llama.attention.head_count_kv", heads // 4),
        _fact("llama.attention.layer_norm_rms_epsilon", 1e-5),
        _fact("llama.rope.dimension_count", _HEAD),
        _fact("llama.vocab_size", shape.vocabulary),
        _fact("tokenizer.ggml.model", "llama"),
        _array("tokenizer.ggml.tokens", _STRING, [_text(token) for token in tokens]),
        _array("tokenizer.ggml.scores", _FLOAT32, [struct.pack("<f", 0.0)] * len(tokens)),
        _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", kind) for kind in types]),
        _fact("tokenizer.ggml.bos_token_id", 1),
        _fact("tokenizer.ggml.eos_token_id", 2),
    ]


def _fact(key: str, value: str | float) -> bytes:
    if isinstance(value, str):
        return _text(key) + struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, int):
        return _text(key) + struct.pack("<II", _UINT32, value)
    return _text(key) + struct.pack("<If", _FLOAT32, value)


def _array(key: str, kind: int, items: list[bytes]) -> bytes:
    return _text(key) + struct.pack("<IIQ", _ARRAY, kind, len(items)) + b"".join(items)


def _text(text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _padded(raw: bytes) -> bytes:
    return raw + b"\0" * (-len(raw) % _ALIGNMENT)
