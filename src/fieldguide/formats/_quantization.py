"""The name of a quantization, from what the file states and what its tensors are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fieldguide.formats._caution import shown
from fieldguide.formats._ggml_types import FALLBACKS, file_type
from fieldguide.formats._tensor import TensorInfo, shares


def gguf_quantization(tensors: Sequence[TensorInfo], number: int | None) -> tuple[str | None, str | None, list[str]]:
    """Return the name, the name that the file states, and a warning where the two do not go together.

    The stated name holds if any matrix is stored in the type that the recipe is made of, or in the one that the
    quantizer takes where rows do not fit; otherwise the type of most bytes names the file.
    """
    stated = file_type(number)
    main = _main_type(tensors)
    if stated is None:
        odd = [] if number is None else [f"general.file_type is {number}, a number that llama.cpp has not given out"]
        return main, None, odd
    matrices = {tensor.type for tensor in tensors if len(tensor.shape) > 1}
    expected = stated.main | {FALLBACKS[kind] for kind in stated.main if kind in FALLBACKS}
    if not matrices or matrices & expected:
        return stated.name, stated.name, []
    return main, stated.name, [f"general.file_type says {stated.name} and most bytes are {main}"]


def safetensors_quantization(
    tensors: Sequence[TensorInfo], quantization: Mapping[str, Any] | None
) -> tuple[str | None, str | None]:
    """Return the name, and the one that config.json states, such as `gptq-int4`, `fp8` or the dtype of most bytes."""
    stated = None if quantization is None else _method(quantization)
    return stated or _main_type(tensors), stated


def _method(quantization: Mapping[str, Any]) -> str | None:
    method = quantization.get("quant_method")
    if not isinstance(method, str) or not method:
        return None
    method = shown(method, 40)
    if method == "bitsandbytes":
        four = quantization.get("load_in_4bit") is True
        return (
            f"bitsandbytes-{shown(str(quantization.get('bnb_4bit_quant_type', 'fp4')), 8)}"
            if four
            else f"{method}-int8"
        )
    bits = quantization.get("bits", quantization.get("w_bit"))
    return f"{method}-int{bits}" if type(bits) is int and 0 < bits <= 16 else method


def _main_type(tensors: Sequence[TensorInfo]) -> str | None:
    found = shares(tensor for tensor in tensors if len(tensor.shape) > 1) or shares(tensors)
    return found[0].type if found and found[0].bytes else None
