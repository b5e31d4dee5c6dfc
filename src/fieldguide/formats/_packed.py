"""How many weights a stored tensor stands for, where several share one stored number.

References:
    Storage layouts as transformers 5 (`quantizers/`, `integrations/`), AutoGPTQ, AutoAWQ, bitsandbytes and
    compressed-tensors write them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fieldguide.formats._tensor import TensorInfo

_BESIDE = (
    ".scales", ".qzeros", ".g_idx", ".weight_scale", ".weight_scale_inv", ".weight_scale_2", ".weight_zero_point",
    ".weight_g_idx", ".weight_shape", ".weight_global_scale", ".input_scale", ".input_global_scale", ".output_scale",
    ".absmax", ".quant_map", ".nested_absmax", ".nested_quant_map", ".weight_format", ".SCB",
    ".k_scale", ".v_scale", "_scales", "_scale_inv", "inv_freq", ".position_ids", ".num_batches_tracked",
)  # fmt: skip
"""Scales, zero points, tables and counters: stored beside weights, never weights."""
_BITS_OF_METHOD = {"awq": 4, "gptq": 4}
_PACKED_INT = {"I32": 32, "U32": 32, "I16": 16, "I64": 64}


def with_parameters(tensors: Sequence[TensorInfo], quantization: Mapping[str, Any] | None) -> tuple[TensorInfo, ...]:
    """Return the tensors with the weights that each stands for.

    Args:
        tensors: Of all files of a model.
        quantization: `quantization_config` of its config.json, or None.
    """
    names = {tensor.name for tensor in tensors}
    bits = _bits(quantization)
    return tuple(replace(tensor, parameters=_parameters(tensor, names, bits)) for tensor in tensors)


def _parameters(tensor: TensorInfo, names: Collection[str], bits: int | None) -> int | None:
    name = tensor.name
    if name.endswith(_BESIDE) or ".quant_state." in name:
        return 0
    if name.endswith((".qweight", ".weight_packed")) and tensor.type in _PACKED_INT:
        width = _PACKED_INT[tensor.type]
        return None if bits is None else tensor.elements * width // bits
    if name.endswith(".weight_packed") and tensor.type == "U8":
        return 2 * tensor.elements
    if tensor.type == "U8" and _is_four_bit(name, names):
        return 2 * tensor.elements
    return tensor.elements


def _is_four_bit(name: str, names: Collection[str]) -> bool:
    """Return whether bytes hold two weights each: bitsandbytes, MXFP4 of gpt-oss, NVFP4."""
    if f"{name}.absmax" in names or f"{name}_scale_2" in names:
        return True
    return name.endswith("_blocks") and f"{name.removesuffix('_blocks')}_scales" in names


def _bits(quantization: Mapping[str, Any] | None) -> int | None:
    """Return the bits of a packed weight, or None where nothing says it."""
    if quantization is None:
        return None
    for key in ("bits", "w_bit"):
        if (bits := _sensible(quantization.get(key))) is not None:
            return bits
    groups = quantization.get("config_groups")
    if isinstance(groups, dict):
        found = [
            weights.get("num_bits")
            for group in groups.values()
            if isinstance(group, dict) and isinstance(weights := group.get("weights"), dict)
        ]
        if found and all(bits == found[0] for bits in found) and (bits := _sensible(found[0])) is not None:
            return bits
    return _BITS_OF_METHOD.get(str(quantization.get("quant_method")))


def _sensible(bits: Any) -> int | None:
    return bits if type(bits) is int and bits in {2, 3, 4, 8} else None
