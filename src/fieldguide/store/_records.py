"""What the store keeps, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from fieldguide.domain import Completion, JsonValue, Score, ScorerIdentity


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """Being worked on, or killed: only a living holder of its lock tells the two apart."""
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    """Stopped by a fault that asking again would meet again."""
    BUDGET = "budget"
    """Stopped because the budget was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One exam taken by one model."""

    run_id: str
    exam_id: str
    benchmark: str
    model_key: str
    model_name: str
    reference: str
    attempts: int
    """Attempts per item."""
    generation: int
    """0, or how many times `--fresh` has started anew."""
    state: RunState
    reason: str | None
    started_at: str
    """ISO 8601, UTC."""
    updated_at: str
    active_s: float
    """Seconds spent working on it, over all the times it was taken up."""
    options: dict[str, JsonValue] = field(default_factory=dict)
    environment: dict[str, JsonValue] = field(default_factory=dict)
    model_facts: dict[str, JsonValue] = field(default_factory=dict)
    model_identity: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallKey:
    """What makes an attempt the same attempt, in whichever run it was made."""

    model_key: str
    request_hash: str
    attempt: int
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCall:
    """One accepted answer."""

    call_id: int
    key: CallKey
    run_id: str
    """The run that paid for it."""
    completion: Completion
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFailure:
    """The last failed call of an attempt that has no accepted answer."""

    key: CallKey
    error_type: str
    error_message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScore:
    """A judgement to be kept."""

    call_id: int
    score_key: str
    """Content address of what the judgement depends on besides the answer: target, extraction, scorer and version."""
    scorer: ScorerIdentity
    score: Score
