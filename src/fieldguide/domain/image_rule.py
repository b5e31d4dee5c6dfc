"""How a model makes tokens of a picture: the rule and its numbers, as the model's own processor has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

ImageScheme: TypeAlias = Literal[
    "square", "multiple", "budget", "rows", "split", "unpadded", "closest-ratio", "canvas", "cross"
]
"""What is done to a picture; `planner.image_tokens` tells each.

square: drawn on one square, whatever its shape (Gemma 3, LLaVA 1.5).
multiple: sides rounded to multiples, the area held between two bounds (Qwen2-VL, Qwen2.5-VL, Qwen3-VL).
budget: made as large as a budget of tokens allows (Gemma 4).
rows: shrunk to a longest edge, with a token at the end of each row (Pixtral, Mistral Small 3.1).
split: enlarged to a longest edge, cut into tiles, with an overview (Idefics 3, SmolVLM).
unpadded: fitted into one of a few canvases of tiles, what is padding dropped, with an overview (LLaVA-NeXT).
closest-ratio: stretched to the grid of tiles that is nearest in shape, with an overview (InternVL).
canvas: fitted into a canvas of tiles without distortion, with an overview and separators (Llama 4).
cross: fitted into a canvas of tiles that the text attends to from beside: no tokens in the prompt (Llama 3.2 Vision).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRule:
    """The numbers of a scheme; one that it does not use is None."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic

    scheme: ImageScheme
    patch: int
    """Pixels along one side of a patch of the encoder."""
    merge: int = 1
    """Patches along one side of the square that becomes one token."""
    side: int | None = None
    """Pixels along one side of the square, or of a tile."""
    longest_edge: int | None = None
    """Pixels of the longer side, at most or always."""
    least_pixels: int | None = None
    most_pixels: int | None = None
    most_tiles: int | None = None
    most_tokens: int | None = None
    canvases: tuple[tuple[int, int], ...] | None = None
    """Columns and rows of tiles that may be chosen, in the order in which they are tried."""
    tokens_per_tile: int | None = None
    """Where a resampler makes as many, whatever the patches."""
    markers: int = 0
    """Tokens of text around every picture, beside those that a scheme puts within it."""

    def __post_init__(self) -> None:
        _require(self.patch > 0 and self.merge > 0 and self.markers >= 0, "patch and merge must be greater than 0")
        for name in ("side", "longest_edge", "least_pixels", "most_pixels", "most_tiles", "most_tokens"):
            value = getattr(self, name)
            _require(value is None or value > 0, f"{name} must be greater than 0")
        for name in _NEEDS[self.scheme]:
            _require(getattr(self, name) is not None, f"a rule of the scheme {self.scheme} needs {name}")


_NEEDS: dict[ImageScheme, tuple[str, ...]] = {
    "square": ("side",),
    "multiple": ("least_pixels", "most_pixels"),
    "budget": ("most_tokens",),
    "rows": ("longest_edge",),
    "split": ("side", "longest_edge"),
    "unpadded": ("side", "canvases"),
    "closest-ratio": ("side", "most_tiles"),
    "canvas": ("side", "most_tiles"),
    "cross": ("side", "most_tiles"),
}


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)
