"""A request to a model and what came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from fieldguide.domain.json_value import JsonValue, content_sha256
from fieldguide.domain.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """What one request asks: a text to continue, or a conversation to answer. Exactly one of the two is set."""

    prompt: str | None = None
    """Text that the model continues, sent as it stands (no chat template)."""
    messages: tuple[Message, ...] | None = None
    """Conversation that the model answers."""
    max_output_tokens: int | None = None
    """Most tokens to generate, reasoning included; None leaves it to the provider."""
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the answer; they are not part of it."""
    seed: int | None = None
    """Sampling seed, for runners that take one."""
    item: str | None = None
    """Exam item that asks, for runners that look answers up; neither sent nor part of the hash."""
    attempt: int = 0
    """Number of the attempt at that item, from 0; neither sent nor part of the hash."""

    def __post_init__(self) -> None:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("exactly one of prompt and messages must be given")

    def as_json(self) -> dict[str, JsonValue]:
        """Return the request as JSON; its sha256 is the request hash."""
        return {
            "prompt": self.prompt,
            "messages": None
            if self.messages is None
            else [{"role": message.role, "content": message.content} for message in self.messages],
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "stop": list(self.stop),
            "seed": self.seed,
        }

    @property
    def request_hash(self) -> str:
        """Content address of the request (sha256, 64 hex digits)."""
        return content_sha256(self.as_json())


class FinishReason(StrEnum):
    """Why a model stopped, in our words; the provider's own word stands beside it."""

    STOP = "stop"
    """The model ended its turn, or a stop text was met."""
    LENGTH = "length"
    """The token limit cut the answer."""
    CONTENT_FILTER = "content_filter"
    """The provider or the model withheld the answer."""
    TOOL_CALL = "tool_call"
    UNKNOWN = "unknown"
    """The provider did not say, or used a word we do not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counted them; None where it does not say.

    `input_tokens` includes cached tokens and `output_tokens` includes reasoning tokens.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds by the monotonic clock, from sending the request."""

    ttft_s: float | None = None
    """To the first token; None where the answer did not come as a stream."""
    e2e_latency_s: float | None = None
    """To the last byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A model's whole answer."""

    text: str
    finish_reason: FinishReason
    raw_finish_reason: str | None = None
    """The provider's own word."""
    reasoning: str | None = None
    """Reasoning that the provider keeps apart from the answer."""
    usage: Usage = field(default_factory=Usage)
    latency: Latency = field(default_factory=Latency)
    model: str | None = None
    """Model name as the provider reports it, which may be more exact than the one asked for."""
    raw: str | None = None
    """The response as received (JSON text, or the stream's data lines)."""
    metadata: dict[str, JsonValue] = field(default_factory=dict)
    """What only some runners know: system fingerprint, request id, choice order of a recorded answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """A piece of the answer, as it arrives."""

    text: str
    reasoning: bool = False
    """True where the piece belongs to the reasoning and not to the answer."""
