"""Vision models of random weights that llama.cpp really loads: a tiny text model and the projector (mmproj) beside it.

Keys and names of tensors are those of llama.cpp's `tools/mtmd/clip.cpp` and `clip-impl.h` (ggml-org, 2026).
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from pathlib import Path

from tests.support.random_gguf import RandomModel, random_gguf
from tests.support.tiny_gguf import CHAT_TEMPLATE, _array, _fact, _padded, _text, tiny_gguf

_BOOL, _FLOAT32 = 7, 6
_MARKS = ("<fake_token_around_image>", "<global-img>", "\n\n", "\n", "<row_1_col_1>", "<row_1_col_2>")
"""Tokens that SmolVLM has around and between the tiles of a picture; llama.cpp looks them up by these texts."""
TINY_EMBEDDING = 32
"""Width of the text model that `tiny_gguf` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projector:
    """Shape of an image encoder; the defaults make a picture 4 tokens."""

    kind: str = "idefics3"
    """`idefics3` (SmolVLM), `gemma3`, `mlp` (LLaVA) or `qwen2vl_merger`."""
    image: int = 32
    """Side that a picture is brought to (pixels)."""
    patch: int = 8
    hidden: int = 32
    ffn: int = 64
    layers: int = 2
    heads: int = 4
    merge: int = 2
    text: int = TINY_EMBEDDING
    """Width of the text model."""
    longest: int | None = None
    """Longest side before a picture is cut into tiles, where the kind cuts it."""


def tiny_mmproj(path: Path, projector: Projector | None = None) -> Path:
    """Write a projector and return its path; the same shape gives the same bytes."""
    shape = projector or Projector()
    facts, tensors = _facts(shape), _tensors(shape)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(facts)) + b"".join(facts)
    noise, offset, data = random.Random(11), 0, bytearray()
    for name, sides in tensors.items():
        header += _text(name) + struct.pack("<I", len(sides)) + struct.pack(f"<{len(sides)}Q", *sides)
        header += struct.pack("<IQ", 0, offset)  # type 0: 32-bit floats
        count = 1
        for side in sides:
            count *= side
        plain = len(sides) == 1
        values = [1.0 if name.endswith("weight") else 0.0] * count if plain else _noise(noise, count)
        data += _padded(struct.pack(f"<{count}f", *values))
        offset = len(data)
    path.write_bytes(_padded(header) + bytes(data))
    return path


def tiny_vision_model(folder: Path, *, kind: str = "idefics3", name: str = "tiny", context_length: int = 2048) -> Path:
    """Write a text model and its projector beside it, and return the path of the text model."""
    model = folder / f"{name}.gguf"
    if kind == "qwen2vl_merger":
        shape = RandomModel(
            architecture="qwen2vl",
            layers=2,
            hidden=256,
            ffn=256,
            heads=4,
            kv_heads=2,
            vocabulary=512,
            context=context_length,
            chat_template=CHAT_TEMPLATE,
        )
        random_gguf(model, shape)
        tiny_mmproj(folder / f"mmproj-{name}.gguf", Projector(kind=kind, text=256, patch=14, image=56))
        return model
    tiny_gguf(model, context_length=context_length, marks=_MARKS if kind == "idefics3" else ())
    merge = 1 if kind == "mlp" else 2
    tiny_mmproj(folder / f"mmproj-{name}.gguf", Projector(kind=kind, merge=merge))
    return model


def _noise(noise: random.Random, count: int) -> list[float]:
    block = [noise.gauss(0, 0.2) for _ in range(min(count, 8192))]
    return (block * (count // len(block) + 1))[:count]


def _facts(shape: Projector) -> list[bytes]:
    facts = [
        _fact("general.architecture", "clip"),
        _fact("general.type", "mmproj"),
        _fact("general.name", "tiny eyes"),
        _fact("general.file_type", 0),
        _flag("clip.has_vision_encoder", True),
        _fact("clip.projector_type", shape.kind),
        _flag("clip.use_gelu", True),
        _fact("clip.vision.image_size", shape.image),
        _fact("clip.vision.patch_size", shape.patch),
        _fact("clip.vision.embedding_length", shape.hidden),
        _fact("clip.vision.feed_forward_length", shape.ffn),
        _fact("clip.vision.block_count", shape.layers),
        _fact("clip.vision.attention.head_count", shape.heads),
        _fact("clip.vision.attention.layer_norm_epsilon", 1e-6),
        _fact("clip.vision.projection_dim", shape.text),
        _array("clip.vision.image_mean", _FLOAT32, [struct.pack("<f", 0.5)] * 3),
        _array("clip.vision.image_std", _FLOAT32, [struct.pack("<f", 0.5)] * 3),
    ]
    if shape.kind in {"idefics3", "gemma3"}:
        facts.append(_fact("clip.vision.projector.scale_factor", shape.merge))
    if shape.kind == "qwen2vl_merger":
        facts.append(_fact("clip.vision.spatial_merge_size", shape.merge))
    if shape.longest is not None:
        facts.append(_fact("clip.vision.preproc_image_size", shape.longest))
    return facts


def _tensors(shape: Projector) -> dict[str, tuple[int, ...]]:
    hidden, ffn, patch = shape.hidden, shape.ffn, shape.patch
    patches = (shape.image // patch) ** 2
    tensors: dict[str, tuple[int, ...]] = {"v.patch_embd.weight": (patch, patch, 3, hidden)}
    if shape.kind == "qwen2vl_merger":
        tensors["v.patch_embd.weight.1"] = (patch, patch, 3, hidden)
    else:
        positions = patches + 1 if shape.kind == "mlp" else patches
        tensors |= {"v.patch_embd.bias": (hidden,), "v.position_embd.weight": (hidden, positions)}
    if shape.kind == "mlp":
        tensors |= {"v.class_embd": (hidden,), "v.pre_ln.weight": (hidden,), "v.pre_ln.bias": (hidden,)}
        del tensors["v.patch_embd.bias"]
    for layer in range(shape.layers):
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            tensors |= {f"v.blk.{layer}.{part}.weight": (hidden, hidden), f"v.blk.{layer}.{part}.bias": (hidden,)}
        for norm in ("ln1", "ln2"):
            tensors |= {f"v.blk.{layer}.{norm}.weight": (hidden,), f"v.blk.{layer}.{norm}.bias": (hidden,)}
        tensors |= {
            f"v.blk.{layer}.ffn_up.weight": (hidden, ffn),
            f"v.blk.{layer}.ffn_up.bias": (ffn,),
            f"v.blk.{layer}.ffn_down.weight": (ffn, hidden),
            f"v.blk.{layer}.ffn_down.bias": (hidden,),
        }
    tensors |= {"v.post_ln.weight": (hidden,), "v.post_ln.bias": (hidden,)}
    return tensors | _projection(shape)


def _projection(shape: Projector) -> dict[str, tuple[int, ...]]:
    hidden, text, merged = shape.hidden, shape.text, shape.hidden * shape.merge**2
    if shape.kind == "idefics3":
        return {"mm.model.fc.weight": (merged, text)}
    if shape.kind == "gemma3":
        return {"mm.input_projection.weight": (text, hidden), "mm.soft_emb_norm.weight": (hidden,)}
    first, second = (merged, merged) if shape.kind == "qwen2vl_merger" else (hidden, text)
    return {
        "mm.0.weight": (first, second),
        "mm.0.bias": (second,),
        "mm.2.weight": (second, text),
        "mm.2.bias": (text,),
    }


def _flag(key: str, value: bool) -> bytes:
    return _text(key) + struct.pack("<I?", _BOOL, value)
