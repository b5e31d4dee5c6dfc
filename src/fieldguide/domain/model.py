"""What a runner knows of the model behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fieldguide.domain.json_value import JsonValue, content_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a runner can be asked; what it cannot is refused beforehand and never dropped."""

    text: bool
    """Continues a plain text without a chat template."""
    chat: bool
    """Answers a conversation."""
    streaming: bool = True
    """Delivers the answer piece by piece."""
    seed: bool = False
    """Takes a sampling seed."""
    stop: bool = True
    """Takes stop texts."""
    max_concurrency: int | None = None
    """Most requests worth having in flight; None where the runner does not limit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedModel:
    """The exact thing that answers, as recorded with every attempt.

    Two attempts belong to the same model only if their `model_key` is equal.
    """

    name: str
    """Short name for people, as in tables and verdicts."""
    reference: str
    """Full reference, such as `llama.cpp:/models/smollm2.gguf`."""
    identity: dict[str, JsonValue] = field(default_factory=dict)
    """What makes it the same model: provider and model id, or the sha256 of a file. No paths, no dates."""
    facts: dict[str, JsonValue] = field(default_factory=dict)
    """Everything else worth keeping: path, engine version, threads, context length."""

    @property
    def model_key(self) -> str:
        """Content address of `identity` (sha256, 64 hex digits)."""
        return content_sha256(self.identity)
