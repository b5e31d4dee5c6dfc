"""One tensor of a network: its name as in GGUF files, and its sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor; experts of a layer are stored as one."""

    name: str
    columns: int
    """Length of a row: what a block of quantized numbers must divide."""
    rows: int = 1
    experts: int = 1
    stored_type: str | None = None
    """Type in the file it was read from, such as `Q4_K`; None for a tensor that follows from a shape."""

    @property
    def numbers(self) -> int:
        """How many numbers it holds."""
        return self.columns * self.rows * self.experts

    @property
    def is_matrix(self) -> bool:
        """Whether it is more than one row: norms and biases are not."""
        return self.rows > 1 or self.experts > 1

    @property
    def layer(self) -> int | None:
        """Number of its layer; None for what lies outside the layers."""
        return _layer(self.name)

    @property
    def role(self) -> str:
        """Name without layer and ending: `attn_v`, `ffn_down_exps`, `token_embd`."""
        return _role(self.name)


@lru_cache(maxsize=8192)
def _layer(name: str) -> int | None:
    start, _, rest = name.partition("blk.")
    number = rest.partition(".")[0]
    return int(number) if not start and number.isdigit() else None


@lru_cache(maxsize=8192)
def _role(name: str) -> str:
    parts = name.split(".")
    return parts[2] if _layer(name) is not None and len(parts) > 2 else parts[0]
