"""What is asked of a model at once."""

from __future__ import annotations

from dataclasses import dataclass

from fieldguide.errors import UsageError

_ANSWER_TOKENS = 2048
"""Tokens of the context that are taken to be generated, where nothing else is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Sequences of one length, held at once."""

    context_tokens: int
    """Prompt plus completion, per sequence."""
    answer_tokens: int | None = None
    """Completion; None for up to 2,048 of the context."""
    sequences: int = 1
    kv_type: str = "F16"
    """Element type of the key/value cache."""
    devices: int = 1
    batch_tokens: int = 512
    """Tokens of a prompt that llama.cpp works on at once (its `--ubatch-size`)."""
    flash_attention: bool | None = None
    """None for what is usual with the engine and the quantization."""

    def __post_init__(self) -> None:
        for name in ("context_tokens", "sequences", "devices", "batch_tokens"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1.")
        if self.answer_tokens is not None and not 0 <= self.answer_tokens <= self.context_tokens:
            raise UsageError("The answer cannot be longer than the context, nor shorter than nothing.")

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the prompt, which come in one piece."""
        usual = min(_ANSWER_TOKENS, self.context_tokens - 1)
        answer = usual if self.answer_tokens is None else self.answer_tokens
        return max(1, self.context_tokens - answer)
