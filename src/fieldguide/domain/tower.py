"""Encoders of images and sound beside a decoder: their shapes and how many weights they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

TowerKind: TypeAlias = Literal[
    "qwen2.5-vl", "qwen3-vl", "siglip", "clip", "pixtral", "mllama", "llama4", "gemma4-vision", "gemma4-audio",
    "moonvit", "smolvlm", "counted",
]  # fmt: skip
"""Whose layers it has; `counted` is one of which only the number of weights is known."""

Modality: TypeAlias = Literal["image", "audio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """One encoder with the projector that leads to the decoder. A number that its kind does not use is None."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    kind: TowerKind
    modality: Modality = "image"
    layers: int | None = None
    hidden: int | None = None
    ffn: int | None = None
    patch: int | None = None
    """Pixels along one side of a patch."""
    merge: int = 1
    """Patches along one side of the square that the projector makes one token of."""
    positions: int | None = None
    """Learned positions: patches of the largest picture, or rows of a table."""
    projector: int | None = None
    """Width inside the projector, where it is none of the others."""
    deep_layers: int = 0
    """Layers whose output is handed to the decoder as well (Qwen3-VL), each through a merger of its own."""
    standardized: bool = False
    """Whether what comes out is shifted and scaled by stored numbers (Gemma 4)."""
    parameters: int | None = None
    """All weights, for the kind `counted`."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, int) and not isinstance(value, bool) and value <= 0 and name != "deep_layers":
                raise ValueError(f"{name} must be greater than 0")
        needed: tuple[str, ...] = ("layers", "hidden", "ffn", *(("patch",) if self.modality == "image" else ()))
        if self.kind == "counted":
            needed = ("parameters",)
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"a tower of the kind {self.kind} needs {name}")


def tower_parameters(tower: Tower, decoder_hidden: int) -> int:
    """Return the weights of an encoder and of its projector to a decoder of the given width.

    References:
        Per kind, `models/*/modeling_*.py` of transformers 5.24; `tools/check_catalogue.py` holds the counts of the
        catalogue against those published.
    """
    return tower.parameters if tower.parameters is not None else _KINDS[tower.kind](tower, decoder_hidden)


def _sides(tower: Tower) -> tuple[int, int, int, int]:
    return tower.layers or 0, tower.hidden or 0, tower.ffn or 0, tower.patch or 0


def _plain_layers(layers: int, hidden: int, ffn: int) -> int:
    """Attention and two matrices, all with biases, and two norms that shift."""
    return layers * (4 * hidden**2 + 4 * hidden + 2 * hidden * ffn + ffn + hidden + 4 * hidden)


def _qwen25(tower: Tower, out: int) -> int:
    """Norms that only scale, a gated block with biases, and a merger."""
    layers, hidden, ffn, patch = _sides(tower)
    blocks = layers * (4 * hidden**2 + 4 * hidden + 3 * hidden * ffn + 2 * ffn + hidden + 2 * hidden)
    merged = tower.merge**2 * hidden
    return 3 * 2 * patch**2 * hidden + blocks + hidden + merged**2 + merged + merged * out + out


def _qwen3(tower: Tower, out: int) -> int:
    """Plain layers, learned positions, and a merger for the last layer and for each that is handed over early."""
    layers, hidden, ffn, patch = _sides(tower)
    merged = tower.merge**2 * hidden
    merger = merged**2 + merged + merged * out + out
    start = 3 * 2 * patch**2 * hidden + hidden + (tower.positions or 0) * hidden
    mergers = merger + 2 * hidden + tower.deep_layers * (merger + 2 * merged)
    return start + _plain_layers(layers, hidden, ffn) + mergers


def _siglip(tower: Tower, out: int) -> int:
    """Plain layers, positions, a last norm; Gemma 3's projector is a norm that scales and one matrix."""
    layers, hidden, ffn, patch = _sides(tower)
    start = 3 * patch**2 * hidden + hidden + (tower.positions or 0) * hidden
    return start + _plain_layers(layers, hidden, ffn) + 2 * hidden + hidden + hidden * out


def _smolvlm(tower: Tower, out: int) -> int:
    """Plain layers, positions, a last norm; one matrix from a square of patches to the decoder."""
    layers, hidden, ffn, patch = _sides(tower)
    start = 3 * patch**2 * hidden + hidden + (tower.positions or 0) * hidden
    return start + _plain_layers(layers, hidden, ffn) + 2 * hidden + tower.merge**2 * hidden * out


def _clip(tower: Tower, out: int) -> int:
    """Plain layers, a token of its class, norms before and after; LLaVA's projector is two matrices with biases."""
    layers, hidden, ffn, patch = _sides(tower)
    start = 3 * patch**2 * hidden + hidden + (tower.positions or 0) * hidden + 4 * hidden
    return start + _plain_layers(layers, hidden, ffn) + hidden * out + out + out**2 + out


def _pixtral(tower: Tower, out: int) -> int:
    """Layers as of a llama; a projector of two matrices, behind a norm and a merging matrix where patches merge."""
    layers, hidden, ffn, patch = _sides(tower)
    blocks = layers * (4 * hidden**2 + 3 * hidden * ffn + 2 * hidden)
    merging = hidden + tower.merge**2 * hidden**2 if tower.merge > 1 else 0
    biases = 0 if tower.merge > 1 else 2 * out
    return 3 * patch**2 * hidden + hidden + blocks + merging + hidden * out + out**2 + biases


def _mllama(tower: Tower, out: int) -> int:
    """Local layers and eight global ones with gates; the projector takes five layers' outputs beside the last."""
    layers, hidden, ffn, patch = _sides(tower)
    tiles, shapes, gated = 4, 9, 8
    block = 4 * hidden**2 + 2 * hidden * ffn + ffn + hidden + 4 * hidden
    tables = 2 * (shapes * tiles * hidden + 1)
    positions = (tower.positions or 0) * hidden * (1 + shapes * tiles) + 1
    start = 3 * patch**2 * hidden + hidden + tables + positions + 4 * hidden
    handed = 6 * hidden
    return start + layers * block + gated * (block + 2) + handed * out + out


def _llama4(tower: Tower, out: int) -> int:
    """Plain layers, a token of its class, norms before and after, an adapter of two matrices and one to the decoder."""
    layers, hidden, ffn, patch = _sides(tower)
    start = 3 * patch**2 * hidden + hidden + (tower.positions or 0) * hidden + 4 * hidden
    width = tower.projector or 0
    return start + _plain_layers(layers, hidden, ffn) + ffn * width + width**2 + width * out


def _gemma4(tower: Tower, out: int) -> int:
    """Gated layers without biases, four norms and norms of queries and keys; a table of positions for each axis."""
    layers, hidden, ffn, patch = _sides(tower)
    head = tower.projector or 0
    blocks = layers * (4 * hidden**2 + 3 * hidden * ffn + 4 * hidden + 2 * head)
    moments = 2 * hidden if tower.standardized else 0
    return 3 * patch**2 * hidden + 2 * (tower.positions or 0) * hidden + blocks + moments + hidden * out


def _gemma4_audio(tower: Tower, out: int) -> int:
    """Conformer layers: two feed-forward blocks, relative positions, a short convolution.

    The two first convolutions have 128 and 32 channels and leave 32 of 128 mel bins.
    """
    layers, hidden, ffn, _ = _sides(tower)
    width = tower.projector or 0
    start = 9 * 128 + 128 + 9 * 128 * 32 + 32 + 32 * 32 * hidden
    feed_forward = 2 * (2 * hidden * ffn + 2 * hidden)
    attention = 5 * hidden**2 + hidden // 8
    convolution = 3 * hidden**2 + 5 * hidden + 2 * hidden
    end = hidden * width + width + width * out
    return start + layers * (feed_forward + attention + convolution + 3 * hidden) + end


def _moonvit(tower: Tower, out: int) -> int:
    """Plain layers, a table of positions, a last norm; the merger is a norm and two matrices with biases."""
    layers, hidden, ffn, patch = _sides(tower)
    merged = tower.merge**2 * hidden
    start = 3 * patch**2 * hidden + hidden + (tower.positions or 0) * hidden
    return (
        start + _plain_layers(layers, hidden, ffn) + 2 * hidden + 2 * hidden + merged**2 + merged + merged * out + out
    )


_KINDS: dict[TowerKind, Callable[[Tower, int], int]] = {
    "qwen2.5-vl": _qwen25,
    "qwen3-vl": _qwen3,
    "siglip": _siglip,
    "smolvlm": _smolvlm,
    "clip": _clip,
    "pixtral": _pixtral,
    "mllama": _mllama,
    "llama4": _llama4,
    "gemma4-vision": _gemma4,
    "gemma4-audio": _gemma4_audio,
    "moonvit": _moonvit,
}
