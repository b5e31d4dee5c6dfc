"""What a name says."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """What a name says about a model. Lower-case but for `format` and `quantization`; what it does not say is None."""

    text: str
    """The name as read: Unicode compatibility form, lower-case, at most 400 characters."""
    prefix: str | None = None
    """Everything before the name proper: `openai/`, `us.anthropic.`, `models/`."""
    provider: str | None = None
    """Who serves it, where the prefix says so: `bedrock`, `ollama`."""
    region: str | None = None
    publisher: str | None = None
    """As written, so the account of a repository too: `qwen`, `unsloth`."""
    family: str | None = None
    version: str | None = None
    kinds: tuple[str, ...] = ()
    """Of coder, math, vl, audio, omni, image, video, embedding, reranker, reasoning, instruct, chat, base; sorted."""
    parameters: int | None = None
    """Total parameters. None for `8x7B`, whose total is less than the product."""
    active_parameters: int | None = None
    """Used per word, of a mixture: 3,000,000,000 for `30B-A3B`."""
    effective_parameters: int | None = None
    """Held in memory at once, as Gemma counts `E4B`; less than the total."""
    experts: int | None = None
    expert_parameters: int | None = None
    """The second number of `8x7B`: the dense model that each expert was shaped after."""
    variant: str | None = None
    """What no other field takes, joined by hyphens: `mini`, `distill-qwen`, `sonnet`."""
    format: str | None = None
    quantization: str | None = None
    snapshot: str | None = None
    """A date: `2024-11-20`, `2025-07` (of `2507`), or month and day alone, `06-13` (of `0613`)."""
    context: str | None = None
    """Context length as written: `128k`."""
    tag: str | None = None
    """What follows the colon, as a whole; its words are read into the other fields too."""
    revision: str | None = None
    """`v2:0` on Bedrock, what follows an at sign, or a number such as `002`."""
    shard: tuple[int, int] | None = None
    """Number of this file, and of how many."""


@dataclass(slots=True)
class Found:
    """The fields of a name while they are gathered."""

    prefix: str | None = None
    provider: str | None = None
    region: str | None = None
    publisher: str | None = None
    family: str | None = None
    version: str | None = None
    kinds: set[str] = field(default_factory=set)
    parameters: int | None = None
    active_parameters: int | None = None
    effective_parameters: int | None = None
    experts: int | None = None
    expert_parameters: int | None = None
    variant: list[str] = field(default_factory=list)
    format: str | None = None
    quantization: str | None = None
    snapshot: str | None = None
    context: str | None = None
    tag: str | None = None
    revision: str | None = None
    shard: tuple[int, int] | None = None

    def name(self, text: str) -> ModelName:
        """Return what was gathered from `text`."""
        gathered = {each.name: getattr(self, each.name) for each in fields(self)}
        gathered["prefix"] = self.prefix or None
        gathered["kinds"] = tuple(sorted(self.kinds))
        gathered["variant"] = "-".join(self.variant) or None
        return ModelName(text=text, **gathered)
