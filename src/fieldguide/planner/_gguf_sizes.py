"""Which type llama.cpp's quantizer gives each tensor for a name such as `Q4_K_M`: a mixture, not one type.

The rules are those of `llama_tensor_get_type` and its fallback in `src/llama-quant.cpp`
(ggml-org/llama.cpp@007dbbf3, MIT), told anew as tables. Without an importance matrix but for the names that need one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fieldguide.domain import Network, Tensor
from fieldguide.planner._block_types import block_of

BASE_TYPES: Mapping[str, str] = {
    **{name: name for name in ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q6_K", "TQ1_0", "TQ2_0", "Q1_0", "NVFP4")},
    **{name: name for name in ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS")},
    "Q2_K": "Q2_K",
    "Q2_K_S": "Q2_K",
    "Q3_K_S": "Q3_K",
    "Q3_K_M": "Q3_K",
    "Q3_K_L": "Q3_K",
    "Q4_K_S": "Q4_K",
    "Q4_K_M": "Q4_K",
    "Q5_K_S": "Q5_K",
    "Q5_K_M": "Q5_K",
    "IQ2_S": "IQ2_XS",
    "IQ2_M": "IQ2_S",
    "IQ3_XS": "IQ3_S",
    "IQ3_M": "IQ3_S",
    "MXFP4_MOE": "MXFP4",
}
"""The type of most tensors, per name."""

_NEEDS_IMPORTANCE = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS", "Q2_K_S"})
_SMALLEST = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"})
_FALLBACKS = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
_NEVER = ("ffn_gate_inp", "ssm_conv1d", "shortconv", "altup", "laurel", "per_layer_model_proj", "attn_rel_b")
_GROUPED = 4
"""Query heads per key/value head from which on the values are so small that they get more bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mixture:
    """What the rules look at."""

    name: str
    base: str
    importance: bool
    group: int
    experts: int
    is_70b: bool
    tied: bool
    layers: int

    def early(self, layer: int, share: int = 8) -> bool:
        return layer < self.layers // share

    def more_bits(self, layer: int) -> bool:
        """First and last eighth, and every third between."""
        eighth = self.layers // 8
        return layer < eighth or layer >= 7 * self.layers // 8 or (layer - eighth) % 3 == 2


def gguf_type(tensor: Tensor, network: Network, name: str) -> str:
    """Return the type that a tensor of a network has in a file quantized as `name`."""
    return _typed(tensor, _mixture(network, name))


def gguf_types(network: Network, name: str) -> list[tuple[Tensor, str]]:
    """Return every tensor of a network with its type in a file quantized as `name`."""
    mixture = _mixture(network, name)
    return [(tensor, _typed(tensor, mixture)) for tensor in network.tensors]


def _mixture(network: Network, name: str) -> _Mixture:
    grouped = network.heads != network.kv_heads
    return _Mixture(
        name=name,
        base=BASE_TYPES[name],
        importance=name in _NEEDS_IMPORTANCE,
        group=network.heads // network.kv_heads,
        experts=network.experts or 0,
        is_70b=network.layers == 80 and grouped,
        tied=network.tied_head,
        layers=network.layers,
    )


def _typed(tensor: Tensor, mixture: _Mixture) -> str:
    if tensor.role == "tower":
        return "F16"  # a file of its own (mmproj), at 16 bits
    if not tensor.is_matrix or "norm" in tensor.name or any(word in tensor.name for word in _NEVER):
        return "F32"
    chosen = _chosen(tensor, mixture)
    if tensor.columns % block_of(chosen)[0] == 0:
        return chosen
    fallback = _FALLBACKS.get(chosen, "F16")
    return fallback if tensor.columns % block_of(fallback)[0] == 0 else "F16"


def _chosen(tensor: Tensor, mixture: _Mixture) -> str:
    role, layer = tensor.role, tensor.layer or 0
    if role == "output" or (mixture.tied and role in {"token_embd", "per_layer_token_embd"}):
        return _output(tensor, mixture)
    if mixture.name == "MXFP4_MOE":
        return "MXFP4" if tensor.experts > 1 else "Q8_0"
    if role in {"token_embd", "per_layer_token_embd"}:
        return _EMBEDDINGS.get(mixture.name, mixture.base)
    if mixture.name in _SMALLEST:
        return _smallest(role, layer, mixture)
    for start, rule in _RULES.items():
        if role.startswith(start) if start.startswith("ffn") else role == start:
            return rule(mixture, layer) or mixture.base
    return mixture.base


_EMBEDDINGS = {
    **dict.fromkeys(("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"), "Q2_K"),
    **dict.fromkeys(("IQ2_S", "IQ2_M", "IQ3_XXS"), "IQ3_S"),
    **dict.fromkeys(("TQ1_0", "TQ2_0"), "Q4_K"),
}


def _output(tensor: Tensor, mixture: _Mixture) -> str:
    if mixture.name == "MXFP4_MOE" or mixture.base == "Q8_0" or tensor.columns % block_of(mixture.base)[0]:
        return "Q8_0"
    return "Q5_K" if mixture.name in _SMALLEST | {"IQ3_XXS"} else "Q6_K"


def _smallest(role: str, layer: int, mixture: _Mixture) -> str:
    """Return the type in files of less than three bits per weight."""
    richer = mixture.name in {"IQ2_S", "IQ2_M"}
    if role in {"attn_v", "attn_qkv", "attn_kv_b"}:
        wide = mixture.group >= _GROUPED or mixture.experts >= _GROUPED
        return "Q4_K" if wide else "IQ3_S" if richer else "Q2_K"
    if role == "attn_k" and mixture.experts == 8:
        return "Q4_K"
    if role.startswith("ffn_down") and mixture.early(layer):
        return "IQ3_S" if richer else "Q2_K"
    if role == "attn_output":
        if mixture.experts == 8:
            return "Q5_K"
        return "IQ2_XXS" if mixture.name in {"IQ1_S", "IQ1_M"} else "IQ3_S" if richer else mixture.base
    return mixture.base


def _value(mixture: _Mixture, layer: int) -> str | None:
    chosen = _value_by_name(mixture, layer) or mixture.base
    if mixture.is_70b and chosen in {"Q3_K", "Q4_K"}:
        chosen = "Q5_K"
    return "Q8_0" if mixture.experts == 8 else chosen


def _value_by_name(mixture: _Mixture, layer: int) -> str | None:
    name, grouped = mixture.name, mixture.group >= _GROUPED
    if name in {"Q4_K_M", "Q5_K_M"}:
        return "Q6_K" if mixture.more_bits(layer) else None
    if name == "Q4_K_S":
        return "Q5_K" if layer < 4 else None
    if name == "Q3_K_M":
        return "Q5_K" if layer < 2 else "Q4_K"
    if name == "Q2_K":
        return "Q4_K" if grouped else "Q3_K"
    if name == "IQ3_XXS":
        return "Q4_K" if grouped else "IQ3_XXS" if mixture.importance else "IQ3_S"
    if name in {"Q2_K_S", "IQ3_XS", "IQ3_S"}:
        return "Q4_K" if grouped else None
    if name in {"IQ4_NL", "IQ4_XS"}:
        return "Q5_K" if grouped else None
    return {"IQ3_M": "Q4_K", "Q3_K_L": "Q5_K"}.get(name)


def _query(mixture: _Mixture, layer: int) -> str | None:
    return {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}.get(mixture.name)


def _key(mixture: _Mixture, layer: int) -> str | None:
    return "Q8_0" if mixture.experts == 8 else _query(mixture, layer)


def _down(mixture: _Mixture, layer: int) -> str | None:
    name = mixture.name
    if name in {"Q4_K_M", "Q5_K_M"}:
        return "Q6_K" if mixture.more_bits(layer) else None
    if name in {"Q4_K_S", "IQ4_NL", "IQ4_XS"}:
        return "Q5_K" if mixture.early(layer) else None
    if name == "Q3_K_M":
        return "Q5_K" if mixture.early(layer, 16) else "Q4_K"
    if name == "Q2_K_S":
        return "Q4_K" if mixture.early(layer) else None
    if name == "IQ3_M":
        return "Q4_K" if mixture.early(layer) or (mixture.experts == 8 and mixture.more_bits(layer)) else None
    return {"Q2_K": "Q3_K", "Q3_K_L": "Q5_K"}.get(name)


def _attention_output(mixture: _Mixture, layer: int) -> str | None:
    if mixture.experts == 8:
        kept = {"Q3_K_L", "Q5_K_S", "Q5_K_M", "Q6_K", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K_S"}
        return None if mixture.name in kept else "Q5_K"
    by_name = {"Q2_K": "Q3_K", "IQ3_XXS": "IQ3_S", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
    return by_name.get(mixture.name)


def _gate_and_up(mixture: _Mixture, layer: int) -> str | None:
    middle = not mixture.early(layer) and layer < 7 * mixture.layers // 8
    return "IQ3_XXS" if mixture.name == "IQ3_XS" and middle else None


_RULES: Mapping[str, Callable[[_Mixture, int], str | None]] = {
    "attn_v": _value,
    "attn_kv_b": _value,
    "attn_qkv": _value,
    "attn_k": _key,
    "attn_q": _query,
    "ffn_down": _down,
    "attn_output": _attention_output,
    "ffn_gate": _gate_and_up,
    "ffn_up": _gate_and_up,
}
"""By role, which for feed-forward blocks has endings for experts; None leaves the base type."""
