"""A llama of 40,000 random weights that llama.cpp really loads, written without any library."""

from __future__ import annotations

import random
import struct
from pathlib import Path

CHAT_TEMPLATE = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }} {% endfor %}"
LOOP_TEMPLATE = "{% for a in range(99999999) %}x{% endfor %}"
RECURSION_TEMPLATE = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"

_EMBEDDING, _LAYERS, _FEED_FORWARD, _HEADS = 32, 2, 64, 4
_ALIGNMENT = 32
_UINT32, _FLOAT32, _STRING, _ARRAY, _INT32 = 4, 6, 8, 9, 5
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6


def tiny_gguf(
    path: Path,
    *,
    context_length: int = 512,
    chat_template: str | None = CHAT_TEMPLATE,
    weight: float | None = None,
    marks: tuple[str, ...] = (),
) -> Path:
    """Write the file and return its path; the same arguments give the same bytes.

    Its tokens are the 256 bytes, the small letters, and the small letters after a space; what it says is noise.

    Args:
        path: Where to write.
        context_length: What the header says (tokens).
        chat_template: None for a base model.
        weight: A value for the first weights, such as NaN.
        marks: Further tokens that are never said, such as those that stand around pictures.
    """
    tensors = _tensors(weight, len(marks))
    facts = _facts(context_length, chat_template, marks)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts)
    offset, data = 0, b""
    for name, shape, values in tensors:
        header += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        header += struct.pack("<IQ", 0, offset)  # type 0: 32-bit floats
        data += _padded(struct.pack(f"<{len(values)}f", *values))
        offset = len(data)
    path.write_bytes(_padded(header) + data)
    return path


def _facts(context_length: int, chat_template: str | None, marks: tuple[str, ...]) -> list[bytes]:
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokens = ["<unk>", "<s>", "</s>", *letters, *("\u2581" + letter for letter in letters)]
    types = [_UNKNOWN, _CONTROL, _CONTROL] + [_NORMAL] * (len(tokens) - 3) + [_BYTE] * 256
    tokens += [f"<0x{byte:02X}>" for byte in range(256)]
    tokens, types = [*tokens, *marks], types + [_CONTROL] * len(marks)
    facts = [
        _fact("general.architecture", "llama"),
        _fact("general.name", "tiny"),
        _fact("general.file_type", 0),
        _fact("llama.context_length", context_length),
        _fact("llama.embedding_length", _EMBEDDING),
        _fact("llama.block_count", _LAYERS),
        _fact("llama.feed_forward_length", _FEED_FORWARD),
        _fact("llama.attention.head_count", _HEADS),
        _fact("llama.attention.head_count_kv", _HEADS),
        _fact("llama.attention.layer_norm_rms_epsilon", 1e-5),
        _fact("llama.rope.dimension_count", _EMBEDDING // _HEADS),
        _fact("llama.vocab_size", len(tokens)),
        _fact("tokenizer.ggml.model", "llama"),
        _array("tokenizer.ggml.tokens", _STRING, [_text(token) for token in tokens]),
        _array("tokenizer.ggml.scores", _FLOAT32, [struct.pack("<f", 0.0)] * len(tokens)),
        _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", kind) for kind in types]),
        _fact("tokenizer.ggml.bos_token_id", 1),
        _fact("tokenizer.ggml.eos_token_id", 2),
    ]
    return facts if chat_template is None else [*facts, _fact("tokenizer.chat_template", chat_template)]


def _tensors(weight: float | None, marks: int) -> list[tuple[str, tuple[int, ...], list[float]]]:
    vocabulary = 3 + 2 * 26 + 256 + marks
    noise = random.Random(20)
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (_EMBEDDING, vocabulary)}
    for layer in range(_LAYERS):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (_EMBEDDING,),
            f"blk.{layer}.attn_q.weight": (_EMBEDDING, _EMBEDDING),
            f"blk.{layer}.attn_k.weight": (_EMBEDDING, _EMBEDDING),
            f"blk.{layer}.attn_v.weight": (_EMBEDDING, _EMBEDDING),
            f"blk.{layer}.attn_output.weight": (_EMBEDDING, _EMBEDDING),
            f"blk.{layer}.ffn_norm.weight": (_EMBEDDING,),
            f"blk.{layer}.ffn_gate.weight": (_EMBEDDING, _FEED_FORWARD),
            f"blk.{layer}.ffn_up.weight": (_EMBEDDING, _FEED_FORWARD),
            f"blk.{layer}.ffn_down.weight": (_FEED_FORWARD, _EMBEDDING),
        }
    shapes |= {"output_norm.weight": (_EMBEDDING,), "output.weight": (_EMBEDDING, vocabulary)}
    tensors = []
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        values = [1.0] * count if "norm" in name else [noise.gauss(0, 0.4) for _ in range(count)]
        if name == "output.weight":  # never the end, the unknown or the start; letters only, so that it goes on
            values[: 3 * _EMBEDDING] = [0.0] * (3 * _EMBEDDING)
            values[(3 + 52) * _EMBEDDING :] = [0.0] * ((256 + marks) * _EMBEDDING)
        if weight is not None and len(shape) == 2:
            values[0] = weight
        tensors.append((name, shape, values))
    return tensors


def _fact(key: str, value: str | int | float) -> bytes:
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
