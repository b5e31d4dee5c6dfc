"""The pieces of an answer, as they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fieldguide.domain.content import Block, BlockKind


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStart:
    """A block begins; what follows under its `index` belongs to it."""

    index: int
    """Place of the block in the answer's message, from 0."""
    kind: BlockKind
    call_id: str | None = None
    """Of a tool call."""
    name: str | None = None
    """Of a tool call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of the answer, as it arrives."""

    text: str
    reasoning: bool = False
    """True where the piece belongs to the reasoning and not to the answer."""
    index: int | None = None
    """Place of its block in the answer's message; None where the runner does not tell blocks apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta:
    """A piece of the arguments of a tool call."""

    index: int
    arguments: str
    """JSON text that continues what came before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockEnd:
    """A block is whole."""

    index: int
    block: Block


StreamPiece: TypeAlias = BlockStart | TextDelta | ToolCallDelta | BlockEnd
