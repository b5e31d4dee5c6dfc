"""What PyTorch's caching allocator counts for a tensor: its block, not its bytes.

Blocks of 10 MiB and more are rounded up to 2 MiB, and a rest of at most 1 MiB is not split off but belongs to the
tensor (`CUDACachingAllocator.cpp`: kMinLargeAlloc, kRoundLarge, kSmallSize). A matrix of 43 MiB thus holds 44.
"""

from __future__ import annotations

from collections.abc import Iterable

_SMALL = 1024**2
_LARGE = 10 * 1024**2
_STEP = 2 * 1024**2
_LEAST = 512


def block_bytes(tensor_bytes: int) -> int:
    """Return the bytes that a tensor holds on a CUDA device."""
    rounded = -(-tensor_bytes // _LEAST) * _LEAST
    if rounded < _LARGE:
        return rounded
    block = -(-rounded // _STEP) * _STEP
    return block if block - rounded <= _SMALL else rounded


def rounding_bytes(tensors: Iterable[int]) -> int:
    """Return what the blocks of all these tensors hold beyond their bytes."""
    return sum(block_bytes(size) - size for size in tensors)
