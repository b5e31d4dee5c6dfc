"""What a header says of one stored tensor, and how tensors add up by type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One tensor as it is stored."""

    name: str
    shape: tuple[int, ...]
    """In the order of the file: GGUF has the fastest dimension first, safetensors last."""
    type: str
    """Of its elements, such as `Q4_K` or `BF16`."""
    offset: int
    """Where its bytes begin in its file."""
    bytes: int
    elements: int
    parameters: int | None
    """Weights that the elements stand for: 0 of scales and tables, more than the elements where several share one
    stored number; None where that cannot be told."""
    file: str
    """Which of several files, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeShare:
    """The tensors of one element type together."""

    type: str
    tensors: int
    parameters: int | None
    bytes: int


def shares(tensors: Iterable[TensorInfo]) -> tuple[TypeShare, ...]:
    """Return the share of each type, most bytes first."""
    by_type: dict[str, list[TensorInfo]] = {}
    for tensor in tensors:
        by_type.setdefault(tensor.type, []).append(tensor)
    found = [
        TypeShare(
            type=kind,
            tensors=len(group),
            parameters=sum_known(tensor.parameters for tensor in group),
            bytes=sum(tensor.bytes for tensor in group),
        )
        for kind, group in by_type.items()
    ]
    return tuple(sorted(found, key=lambda share: (-share.bytes, share.type)))


def sum_known(values: Iterable[int | None]) -> int | None:
    """Return the sum, or None where a summand is unknown."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
