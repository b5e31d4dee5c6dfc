"""Hyper-parameters of GGUF within bounds: a planner divides by them and an engine allocates by them."""

from __future__ import annotations

from collections.abc import Mapping

from fieldguide.errors import FormatError
from fieldguide.formats._caution import shown
from fieldguide.formats._gguf_values import GgufArray, GgufValue

_LARGEST = {
    "block_count": 1 << 14,
    "leading_dense_block_count": 1 << 14,
    "context_length": (1 << 31) - 1,
    "embedding_length": 1 << 24,
    "feed_forward_length": 1 << 24,
    "expert_feed_forward_length": 1 << 24,
    "expert_shared_feed_forward_length": 1 << 24,
    "vocab_size": 1 << 26,
    "expert_count": 1 << 16,
    "expert_used_count": 1 << 16,
    "expert_shared_count": 1 << 16,
    "attention.head_count": 1 << 16,
    "attention.head_count_kv": 1 << 16,
    "attention.key_length": 1 << 20,
    "attention.value_length": 1 << 20,
    "attention.key_length_mla": 1 << 20,
    "attention.value_length_mla": 1 << 20,
    "attention.key_length_swa": 1 << 20,
    "attention.value_length_swa": 1 << 20,
    "attention.q_lora_rank": 1 << 20,
    "attention.kv_lora_rank": 1 << 20,
    "attention.sliding_window": (1 << 31) - 1,
    "rope.dimension_count": 1 << 20,
    "ssm.conv_kernel": 1 << 16,
    "ssm.state_size": 1 << 20,
    "ssm.inner_size": 1 << 24,
    "ssm.time_step_rank": 1 << 24,
    "ssm.group_count": 1 << 16,
}
"""Far above every model that exists and far below what overflows."""

_ABOVE_ZERO = {"block_count", "context_length", "embedding_length"}
_PER_LAYER = {
    "feed_forward_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
    "attention.value_length", "attention.sliding_window",
}  # fmt: skip
_WHOLE = {"uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"}


def check_hyper_parameters(name: str, metadata: Mapping[str, GgufValue]) -> None:
    """Refuse hyper-parameters of the file's architecture that are absurd.

    Raises:
        FormatError: One is no whole number, is negative, or beyond all reason; or an array is not one per layer.
    """
    architecture = metadata.get("general.architecture")
    if architecture is None:
        return
    if not isinstance(architecture.value, str):
        raise FormatError(name, architecture.offset, "general.architecture is no string")
    layers = None
    for key, largest in _LARGEST.items():
        found = metadata.get(f"{architecture.value}.{key}")
        if found is None:
            continue
        if isinstance(found.value, GgufArray):
            _check_array(name, key, found, largest, layers)
            continue
        number = found.value
        if found.type not in _WHOLE or not isinstance(number, int):
            raise FormatError(name, found.offset, f"{_full(architecture.value, key)} is {found.type}, no whole number")
        if not (1 if key in _ABOVE_ZERO else 0) <= number <= largest:
            raise FormatError(name, found.offset, f"{_full(architecture.value, key)} is {number}, which no model has")
        if key == "block_count":
            layers = number


def _check_array(name: str, key: str, found: GgufValue, largest: int, layers: int | None) -> None:
    array = found.value
    assert isinstance(array, GgufArray)
    if key not in _PER_LAYER:
        raise FormatError(name, found.offset, f"`{key}` is an array and not one number")
    if array.type not in _WHOLE:
        raise FormatError(name, found.offset, f"`{key}` is an array of {array.type}, not of whole numbers")
    if (layers is not None and array.count < layers) or array.values is None:
        raise FormatError(name, found.offset, f"`{key}` has {array.count} entries for {layers} layers")
    if any(not isinstance(value, int) or not 0 <= value <= largest for value in array.values):
        raise FormatError(name, found.offset, f"`{key}` holds a number that no model has")


def _full(architecture: str, key: str) -> str:
    return f"`{shown(architecture, 40)}.{key}`"
