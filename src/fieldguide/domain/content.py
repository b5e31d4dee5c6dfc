"""What a turn of a conversation consists of: blocks of content, each of one kind.

A block keeps apart what every provider means by it (its fields) and what only one provider knows of it
(`provider_data`), so that a conversation can be carried elsewhere and an answer replayed to its provider unchanged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from fieldguide.domain.json_value import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderData:
    """Fields of a block or message that one provider knows: kept verbatim, and sent back to that provider only."""

    provider: str
    """Name of the provider as its runner calls itself, such as `anthropic`."""
    fields: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words that are said."""

    text: str
    provider_data: tuple[ProviderData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Words by which a model declines, where its provider keeps them apart from an answer."""

    text: str
    provider_data: tuple[ProviderData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file on this machine, known by its content: what is written of it is the same on every machine."""

    sha256: str
    """64 hex digits."""
    size_bytes: int
    path: Path | None = field(default=None, compare=False)
    """Where it lies here; None where only the record of it is known."""

    def read(self) -> bytes:
        """Return the bytes.

        Raises:
            OSError: It does not lie here any more, or is not the file that was meant.
        """
        if self.path is None:
            raise FileNotFoundError(f"where the file {self.sha256[:12]} lies is not known")
        content = self.path.read_bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise OSError(f"{self.path} has changed since the exam was made")
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class _Media:
    """Something that is not text. Exactly one of `data`, `url`, `file_id` and `kept` is set."""

    data: bytes | None = None
    """The bytes themselves."""
    url: str | None = None
    """Address from which the provider fetches it; never fetched here."""
    file_id: str | None = None
    """Name of a file that was uploaded to the provider."""
    kept: KeptFile | None = None
    """A file here, which is read when the request is sent and not before."""
    media_type: str | None = None
    """Such as `image/png`; None where the form it came in does not say."""
    provider_data: tuple[ProviderData, ...] = ()

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.data, self.url, self.file_id, self.kept)) != 1:
            raise ValueError("exactly one of data, url, file_id and kept must be given")


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(_Media):
    """A picture."""

    detail: str | None = None
    """How closely to look (`low`, `high`, `auto`), for providers that let one choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio(_Media):
    """Sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(_Media):
    """Moving pictures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(_Media):
    """A file to read, such as a PDF or a plain text."""

    name: str | None = None
    """File name or title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A model's wish to have a tool run."""

    name: str
    call_id: str | None = None
    """What the result refers to; None where the provider has no such thing."""
    arguments: Mapping[str, JsonValue] | None = None
    """The arguments by name; None where what the model wrote is no JSON object."""
    raw_arguments: str | None = None
    """The text the model wrote, where its provider gives a text: sent back as it stands."""
    provider_data: tuple[ProviderData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What a tool gave."""

    call_id: str | None = None
    content: str | tuple[Text | Image | Audio | Video | Document | ProviderBlock, ...] = ""
    is_error: bool | None = None
    """Whether the tool failed; None where that is not said."""
    name: str | None = None
    """The tool's name, for providers that tell results apart by it."""
    provider_data: tuple[ProviderData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasoning:
    """What a model thought before it spoke. Only the provider that made it can take it back."""

    text: str | None = None
    """The thoughts, or their summary; None where they are withheld."""
    signature: str | None = None
    """The provider's seal on the text, without which it will not have it back."""
    encrypted: str | None = None
    """The thoughts in a form that only the provider reads."""
    provider: str | None = None
    """Who made it; None for thoughts written by hand."""
    provider_data: tuple[ProviderData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderBlock:
    """A block of a kind that only one provider knows (a search it made, its hosted tools): kept verbatim."""

    provider: str
    value: Mapping[str, JsonValue]


Block: TypeAlias = Text | Refusal | Image | Audio | Video | Document | ToolCall | ToolResult | Reasoning | ProviderBlock
ResultBlock: TypeAlias = Text | Image | Audio | Video | Document | ProviderBlock
Media: TypeAlias = Image | Audio | Video | Document
BlockKind: TypeAlias = Literal[
    "text",
    "refusal",
    "image",
    "audio",
    "video",
    "document",
    "tool_call",
    "tool_result",
    "reasoning",
    "provider_block",
]

KINDS: Mapping[type[Block], BlockKind] = {
    Text: "text",
    Refusal: "refusal",
    Image: "image",
    Audio: "audio",
    Video: "video",
    Document: "document",
    ToolCall: "tool_call",
    ToolResult: "tool_result",
    Reasoning: "reasoning",
    ProviderBlock: "provider_block",
}


def kind_of(block: Block) -> BlockKind:
    """Return the word for a block's kind, as it stands in JSON."""
    return KINDS[type(block)]


def provider_fields(data: tuple[ProviderData, ...], provider: str) -> dict[str, JsonValue]:
    """Return the fields kept for one provider; empty where there are none."""
    return {name: value for each in data if each.provider == provider for name, value in each.fields.items()}


def kept_for(provider: str, fields: Mapping[str, JsonValue]) -> tuple[ProviderData, ...]:
    """Return the provider data of a block with these fields; none where there is nothing to keep."""
    return (ProviderData(provider=provider, fields=fields),) if fields else ()
