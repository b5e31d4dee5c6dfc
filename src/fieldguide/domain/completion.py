"""A request to a model and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fieldguide.domain.content import ToolCall
from fieldguide.domain.content_json import message_as_json
from fieldguide.domain.json_value import JsonValue, content_sha256
from fieldguide.domain.message import Message
from fieldguide.domain.tools import ProviderTool, ReasoningOptions, ResponseSchema, Tool, ToolChoice


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
    top_k: int | None = None
    """Only the so many likeliest tokens are sampled from."""
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    tools: tuple[Tool | ProviderTool, ...] = ()
    """What the model may ask to have run."""
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    """Whether several tools may be called in one answer; None leaves it to the provider."""
    response_schema: ResponseSchema | None = None
    """Form that the answer must have."""
    reasoning: ReasoningOptions | None = None
    """How much to think."""
    logprobs: int | None = None
    """Ask for the log probability of each token, and of so many likeliest alternatives (0 and up)."""
    extra: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    """Further parameters by provider: sent as they are to the named provider, and to no other."""
    item: str | None = None
    """Exam item that asks, for runners that look answers up; neither sent nor part of the hash."""
    attempt: int = 0
    """Number of the attempt at that item, from 0; neither sent nor part of the hash."""

    def __post_init__(self) -> None:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("exactly one of prompt and messages must be given")

    def as_json(self) -> dict[str, JsonValue]:
        """Return the request as JSON; its sha256 is the request hash.

        The first seven keys are always there and the others only where they are set, so that the hash of a request
        does not change when requests learn to ask for more.
        """
        return {
            "prompt": self.prompt,
            "messages": None if self.messages is None else [message_as_json(message) for message in self.messages],
            "max_output_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "stop": list(self.stop),
            "seed": self.seed,
            **self._further(),
        }

    def _further(self) -> dict[str, JsonValue]:
        further: dict[str, JsonValue] = {
            "top_k": self.top_k,
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
            "tools": [tool.as_json() for tool in self.tools] or None,
            "tool_choice": None if self.tool_choice is None else self.tool_choice.as_json(),
            "parallel_tool_calls": self.parallel_tool_calls,
            "response_schema": None if self.response_schema is None else self.response_schema.as_json(),
            "reasoning": None if self.reasoning is None else self.reasoning.as_json(),
            "logprobs": self.logprobs,
            "extra": self.extra or None,
        }
        return {name: value for name, value in further.items() if value is not None}

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
    """The model wants tools run, and waits for what they give."""
    PAUSE = "pause"
    """The provider paused a long turn, which goes on when the answer is sent back."""
    UNKNOWN = "unknown"
    """The provider did not say, or used a word we do not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens as the provider counted them; None where it does not say.

    `input_tokens` includes everything read, cached or not, and `output_tokens` includes reasoning. The others tell how
    much of the two they are.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    """Read from the provider's cache."""
    reasoning_tokens: int | None = None
    cache_write_tokens: int | None = None
    """Written to the provider's cache, for however long."""
    cache_write_5m_tokens: int | None = None
    """Of these, kept for five minutes."""
    cache_write_1h_tokens: int | None = None
    """Of these, kept for an hour."""
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Seconds by the monotonic clock, from sending the request."""

    ttft_s: float | None = None
    """To the first token; None where the answer did not come as a stream."""
    e2e_latency_s: float | None = None
    """To the last byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLogprob:
    """A token of the answer and how likely the model held it."""

    token: str
    logprob: float
    """Natural logarithm of the probability."""
    token_bytes: bytes | None = None
    """The token's bytes, since a token may be a part of a character."""
    alternatives: tuple[TokenLogprob, ...] = ()
    """The likeliest tokens at this place, as many as were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A model's whole answer."""

    text: str
    """The words of the answer, without reasoning and tools."""
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
    message: Message | None = None
    """The answer as a turn of the conversation, with all its blocks; None where only its text is known."""
    logprobs: tuple[TokenLogprob, ...] | None = None
    response_id: str | None = None
    """The provider's name for this response."""
    service_tier: str | None = None
    """The tier that served the request, as the provider calls it."""
    raw_usage: JsonValue = None
    """The provider's own account of usage, verbatim."""

    @property
    def reply(self) -> Message:
        """The answer as a turn that can be sent back."""
        return self.message or Message(role="assistant", content=self.text)

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools that the model wants run, in its order."""
        return tuple(block for block in self.reply.blocks if isinstance(block, ToolCall))
