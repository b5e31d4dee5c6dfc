"""Bytes of the weights: per tensor and type, for GGUF names and for the schemes of other engines."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fieldguide.domain import Network, Tensor
from fieldguide.errors import UnknownNameError, UsageError
from fieldguide.planner._block_types import block_type, row_bytes
from fieldguide.planner._gguf_sizes import BASE_TYPES, gguf_types

_PLAIN = {"F32": "F32", "FP32": "F32", "F16": "F16", "FP16": "F16", "BF16": "BF16"}
_GROUPED = {"GPTQ-INT4": 4, "GPTQ-INT8": 8, "AWQ": 4, "AWQ-INT4": 4, "GPTQ": 4, "INT4": 4}
_OTHERS = ("FP8", "INT8", "NF4", "MXFP4")
_GROUP = 128
"""Weights that share a scale and a zero in GPTQ and AWQ files as they are published."""
_FP8_BLOCK = 128
"""Side of the square that shares a scale (DeepSeek-V3 and Qwen3 files)."""
_NF4_BLOCK = 64
"""Weights that share a 32-bit scale (QLoRA, arXiv:2305.14314, without its second quantization)."""
_LOOKED_UP = frozenset({"tower", "per_layer_token_embd", "position_embd", "token_types"})
"""Roles of which generating a token reads nothing, or a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights in one quantization."""

    quantization: str
    stored: tuple[tuple[Tensor, str, int], ...]
    """Every tensor with the name of its type and its bytes."""

    @property
    def total_bytes(self) -> int:
        """Bytes of all of them."""
        return sum(size for _, _, size in self.stored)

    @property
    def bytes_by_type(self) -> Mapping[str, int]:
        """Bytes per type, largest first."""
        sums: dict[str, int] = defaultdict(int)
        for _, name, size in self.stored:
            sums[name] += size
        return dict(sorted(sums.items(), key=lambda pair: -pair[1]))

    def bits_per_weight(self, parameters: int) -> float:
        """Return the effective bits per weight, scales included."""
        return 8 * self.total_bytes / parameters


def quantization_names() -> tuple[str, ...]:
    """Return every name that `weights_of` knows."""
    return (*BASE_TYPES, *_PLAIN, *_GROUPED, *_OTHERS)


def is_gguf(quantization: str) -> bool:
    """Return whether a name is one of llama.cpp's mixtures."""
    return quantization in BASE_TYPES


def quantization_named(name: str) -> str:
    """Return the name under which a quantization is known here; case and dashes do not matter.

    Raises:
        UnknownNameError: There is none; the nearest are given.
    """
    known = {_folded(each): each for each in quantization_names()}
    found = known.get(_folded(name))
    if found is None:
        close = [each for key, each in known.items() if _folded(name)[:3] in key][:3]
        raise UnknownNameError("quantization", name, close, hint=f"Known: {', '.join(quantization_names())}.")
    return found


def _folded(name: str) -> str:
    return name.upper().replace("-", "").replace("_", "")


def weights_of(network: Network, quantization: str) -> Weights:
    """Return the weights of a network in a quantization, tensor by tensor.

    A network that was read from a file keeps the file's own types, whatever the name.

    Raises:
        UnknownNameError: There is no such quantization.
        UsageError: The network has no tensors to count.
    """
    if not network.tensors:
        raise UsageError(f"The tensors of {network.name} are not known.", hint="Plan a file of it instead.")
    if network.stored_quantization is not None:
        return Weights(quantization=network.stored_quantization, stored=tuple(_as_stored(network)))
    name = quantization_named(quantization)
    if is_gguf(name):
        typed = gguf_types(network, name)
        stored = tuple((tensor, kind, _bytes(tensor, kind)) for tensor, kind in typed)
    elif name in _PLAIN:
        stored = tuple((tensor, _PLAIN[name], _bytes(tensor, _PLAIN[name])) for tensor in network.tensors)
    else:
        stored = tuple(_packed(tensor, name) for tensor in network.tensors)
    return Weights(quantization=name, stored=stored)


def active_bytes(network: Network, weights: Weights) -> int:
    """Return the bytes of the weights that one token needs: no idle experts, no rows of an embedding apart.

    The embedding counts where it is the output layer too; a tower for images or sound does not.
    """
    share = expert_share(network)
    embedding = reads_embedding(network)
    read = ((tensor, size) for tensor, _, size in weights.stored if is_read(tensor, embedding=embedding))
    return round(sum(size * share if is_routed(tensor) else size for tensor, size in read))


def expert_share(network: Network) -> float:
    """Return the part of the experts that one token is sent to; 1 without experts."""
    return (network.experts_per_token or 1) / (network.experts or 1)


def is_routed(tensor: Tensor) -> bool:
    """Return whether a tensor is the experts of a layer, of which a token uses some."""
    return tensor.experts > 1 and tensor.role.endswith("_exps")


def reads_embedding(network: Network) -> bool:
    """Return whether the embedding is read whole for each token: it is the output layer, and no copy is stored."""
    return network.tied_head and not any(tensor.role == "output" for tensor in network.tensors)


def is_read(tensor: Tensor, *, embedding: bool) -> bool:
    """Return whether generating reads a tensor: no tower, and of an embedding apart only rows."""
    return tensor.role not in _LOOKED_UP and (tensor.role != "token_embd" or embedding)


def is_linear(tensor: Tensor) -> bool:
    """Return whether a tensor is a matrix that GPTQ, AWQ and their like quantize: in a layer, and no router."""
    inside = tensor.layer is not None or tensor.role == "rest"
    return inside and tensor.is_matrix and "gate_inp" not in tensor.name


def _as_stored(network: Network) -> Iterator[tuple[Tensor, str, int]]:
    for tensor in network.tensors:
        kind = block_type(tensor.stored_type or "F16")
        yield tensor, kind, _bytes(tensor, kind)


def _bytes(tensor: Tensor, kind: str) -> int:
    return row_bytes(tensor.columns, kind) * tensor.rows * tensor.experts


def _packed(tensor: Tensor, name: str) -> tuple[Tensor, str, int]:
    """Return the bytes in a scheme that quantizes the matrices of the layers and leaves the rest at 16 bits."""
    quantized = tensor.experts > 1 if name == "MXFP4" else is_linear(tensor)
    if not quantized:
        return tensor, "BF16", 2 * tensor.numbers
    matrices = tensor.experts
    if name in _GROUPED:
        bits = _GROUPED[name]
        groups = math.ceil(tensor.columns / _GROUP) * tensor.rows
        packed = tensor.columns * tensor.rows * bits // 8 + groups * 2 + groups * bits // 8
        order = 4 * tensor.columns if name.startswith("GPTQ") else 0  # g_idx: the group of every column
        return tensor, name, matrices * (packed + order)
    if name == "FP8":
        blocks = math.ceil(tensor.columns / _FP8_BLOCK) * math.ceil(tensor.rows / _FP8_BLOCK)
        return tensor, name, matrices * (tensor.columns * tensor.rows + 4 * blocks)
    if name == "INT8":
        return tensor, name, matrices * (tensor.columns * tensor.rows + 4 * tensor.rows)
    if name == "NF4":
        return tensor, name, tensor.numbers // 2 + 4 * math.ceil(tensor.numbers / _NF4_BLOCK)
    return tensor, name, _bytes(tensor, "MXFP4")
