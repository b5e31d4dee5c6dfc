"""Requests other than for words: vectors, pictures, and speech both ways, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fieldguide.domain.completion import Latency, Usage
from fieldguide.domain.content import Audio, Image
from fieldguide.domain.json_value import JsonValue

Extra = Mapping[str, Mapping[str, JsonValue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """Texts to turn into vectors."""

    texts: tuple[str, ...]
    dimensions: int | None = None
    """Length of the vectors, where one may choose."""
    purpose: str | None = None
    """What the vectors are for, in the provider's own word (`search_document`, `RETRIEVAL_QUERY`)."""
    extra: Extra = field(default_factory=dict)
    """Further parameters by provider, sent as they are to the named provider only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingResult:
    """One vector for each text, in the order of the texts."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage = field(default_factory=Usage)
    latency: Latency = field(default_factory=Latency)
    model: str | None = None
    raw_usage: JsonValue = None
    response_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """A picture to make, or pictures to change."""

    prompt: str
    images: tuple[Image, ...] = ()
    """Pictures to start from; none makes a new one."""
    mask: Image | None = None
    """Where it may change them."""
    count: int | None = None
    size: str | None = None
    """Such as `1024x1024`."""
    quality: str | None = None
    output_format: str | None = None
    """Such as `png`."""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult:
    """The pictures that were made."""

    images: tuple[Image, ...]
    revised_prompts: tuple[str | None, ...] = ()
    """What the provider made of the prompt, for each picture."""
    usage: Usage = field(default_factory=Usage)
    latency: Latency = field(default_factory=Latency)
    model: str | None = None
    raw_usage: JsonValue = None
    metadata: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest:
    """Speech to write down."""

    audio: Audio
    language: str | None = None
    """ISO 639-1 code of what is spoken, where it is known."""
    prompt: str | None = None
    """Words that are likely to occur, or what was said before."""
    temperature: float | None = None
    segments: bool = False
    """Whether to tell when each part was said."""
    words: bool = False
    """Whether to tell when each word was said."""
    translate: bool = False
    """Whether to write English, whatever is spoken."""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionResult:
    """What was said."""

    text: str
    language: str | None = None
    duration_s: float | None = None
    segments: tuple[Mapping[str, JsonValue], ...] = ()
    """Parts with their times, as the provider gives them."""
    words: tuple[Mapping[str, JsonValue], ...] = ()
    """Words with their times, as the provider gives them."""
    usage: Usage = field(default_factory=Usage)
    latency: Latency = field(default_factory=Latency)
    raw_usage: JsonValue = None
    raw: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechRequest:
    """Words to read aloud."""

    text: str
    voice: str | None = None
    instructions: str | None = None
    """How to speak."""
    output_format: str | None = None
    """Such as `mp3` or `wav`."""
    speed: float | None = None
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechResult:
    """The sound."""

    audio: Audio
    usage: Usage = field(default_factory=Usage)
    latency: Latency = field(default_factory=Latency)
    raw_usage: JsonValue = None
