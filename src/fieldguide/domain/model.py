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
    images: bool = False
    """Takes pictures in messages."""
    audio: bool = False
    """Takes sound in messages."""
    video: bool = False
    """Takes moving pictures in messages."""
    documents: bool = False
    """Takes files to read in messages."""
    tools: bool = False
    """Takes tools that it may call, and their results."""
    tool_choice: bool = False
    """Can be made to call a tool, or none."""
    parallel_tools: bool = False
    """Can be told whether several tools may be called at once."""
    json_object: bool = False
    """Can be held to answer with some JSON object."""
    structured_output: bool = False
    """Can be held to a JSON schema."""
    reasoning: bool = False
    """Can be told how much to think."""
    logprobs: bool = False
    """Gives the probabilities of tokens."""
    top_k: bool = False
    """Takes a bound on the number of tokens sampled from."""
    penalties: bool = False
    """Takes penalties on frequency and presence of tokens."""
    embeddings: bool = False
    """Turns texts into vectors (`EmbeddingRunner`)."""
    image_generation: bool = False
    """Makes pictures (`ImageRunner`)."""
    speech_to_text: bool = False
    """Writes down what is said (`TranscriptionRunner`)."""
    text_to_speech: bool = False
    """Reads aloud (`SpeechRunner`)."""
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
