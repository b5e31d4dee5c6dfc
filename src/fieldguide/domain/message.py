"""What is said to a model and by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from fieldguide.domain.content import Block, ProviderData, Text, ToolResult

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    """`tool` for results of tools alone; they may also stand in a turn of the user's. `developer` is what OpenAI calls
    instructions of the application; where a provider knows no such role it is the system's."""
    content: str | tuple[Block, ...]
    """Plain text, or blocks in their order."""
    name: str | None = None
    """Who speaks, for providers that take a name."""
    provider_data: tuple[ProviderData, ...] = ()

    def __post_init__(self) -> None:
        results = not isinstance(self.content, str) and all(isinstance(block, ToolResult) for block in self.content)
        if self.role == "tool" and not results:
            raise ValueError("a turn of tools holds ToolResult blocks only")

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The content as blocks; plain text is one block, and an empty one none."""
        if isinstance(self.content, str):
            return (Text(text=self.content),) if self.content else ()
        return self.content

    @property
    def text(self) -> str:
        """The words that are said, without reasoning, tools and media."""
        if isinstance(self.content, str):
            return self.content
        return "".join(block.text for block in self.content if isinstance(block, Text))
