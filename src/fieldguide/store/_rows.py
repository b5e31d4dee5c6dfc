"""Values to rows and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from fieldguide.domain import (
    Completion,
    ErrorCount,
    ExamItem,
    FinishReason,
    JsonValue,
    Latency,
    Message,
    Outcome,
    Score,
    Text,
    Usage,
    message_as_json,
    message_from_json,
)
from fieldguide.store._records import Run, RunState, StoredAnswer, StoredCall

LIGHT_COLUMNS = "calls.call_id, calls.run_id, calls.attempt, calls.accepted, calls.cost_usd, calls.finish_reason, \
calls.input_tokens, calls.output_tokens, calls.cached_input_tokens, calls.reasoning_tokens, \
calls.cache_write_tokens, calls.cache_write_5m_tokens, calls.cache_write_1h_tokens, calls.input_audio_tokens, \
calls.output_audio_tokens, calls.ttft_s, \
calls.e2e_latency_s, calls.reported_model, calls.error_message"
"""All of a call but what may be long."""
_USAGE = tuple(field.name for field in fields(Usage))


def now() -> str:
    """Return the present time as ISO 8601 in UTC, for people; durations come from the monotonic clock."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def to_json(value: JsonValue) -> str:
    """Return compact JSON that SQLite can always hold (lone surrogates stay escaped)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def as_text(value: str | None) -> str | None:
    """Return text that UTF-8 can hold: a lone surrogate, which some models emit, becomes U+FFFD."""
    return None if value is None else value.encode("utf-8", "replace").decode("utf-8")


def run_from(row: sqlite3.Row) -> Run:
    """Return the run of a row of runs joined with models and exams."""
    return Run(
        run_id=row["run_id"],
        exam_id=row["exam_id"],
        benchmark=row["benchmark"],
        model_key=row["model_key"],
        model_name=row["name"],
        reference=row["reference"],
        attempts=row["attempts"],
        generation=row["generation"],
        state=RunState(row["state"]),
        reason=row["reason"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        active_s=row["active_s"],
        options=json.loads(row["options"]),
        environment=json.loads(row["environment"]),
        forecast=None if row["forecast"] is None else json.loads(row["forecast"]),
        model_facts=json.loads(row["facts"]),
        model_identity=json.loads(row["identity"]),
    )


def completion_columns(completion: Completion) -> dict[str, Any]:
    """Return the columns of `calls` that hold a completion."""
    return {
        "text": as_text(completion.text),
        "reasoning": as_text(completion.reasoning),
        "finish_reason": completion.finish_reason.value,
        "raw_finish_reason": as_text(completion.raw_finish_reason),
        **asdict(completion.usage),
        "ttft_s": completion.latency.ttft_s,
        "e2e_latency_s": completion.latency.e2e_latency_s,
        "reported_model": as_text(completion.model),
        "raw": as_text(completion.raw),
        "metadata": to_json(completion.metadata),
        "message": None if _is_its_text(completion) else to_json(message_as_json(completion.reply)),
        "response_id": as_text(completion.response_id),
        "service_tier": as_text(completion.service_tier),
        "raw_usage": None if completion.raw_usage is None else to_json(completion.raw_usage),
    }


def _is_its_text(completion: Completion) -> bool:
    """Return whether an answer says no more than its text, so that its blocks need no place of their own."""
    plain = (Message(role="assistant", content=completion.text), Message(role="assistant", content=_one(completion)))
    return completion.message is None or completion.message in plain


def _one(completion: Completion) -> tuple[Text, ...]:
    return (Text(text=completion.text),) if completion.text else ()


def completion_from(row: sqlite3.Row) -> Completion:
    """Return the completion of a row of `calls`."""
    return Completion(
        text=row["text"],
        finish_reason=FinishReason(row["finish_reason"]),
        raw_finish_reason=row["raw_finish_reason"],
        reasoning=row["reasoning"],
        usage=_usage_from(row),
        latency=_latency_from(row),
        model=row["reported_model"],
        raw=row["raw"],
        metadata=json.loads(row["metadata"]),
        message=None if row["message"] is None else message_from_json(json.loads(row["message"])),
        response_id=row["response_id"],
        service_tier=row["service_tier"],
        raw_usage=None if row["raw_usage"] is None else json.loads(row["raw_usage"]),
    )


def call_from(row: sqlite3.Row) -> StoredCall:
    """Return the accepted call of a row with the `LIGHT_COLUMNS`."""
    return StoredCall(
        call_id=row["call_id"],
        run_id=row["run_id"],
        finish_reason=FinishReason(row["finish_reason"]),
        usage=_usage_from(row),
        latency=_latency_from(row),
        model=row["reported_model"],
        cost_usd=None if row["cost_usd"] is None else Decimal(row["cost_usd"]),
    )


def answer_from(row: sqlite3.Row, item: ExamItem) -> StoredAnswer:
    """Return an attempt from a row with the `LIGHT_COLUMNS` and those of its score."""
    if not row["accepted"]:
        failed = Score(outcome=Outcome.FAILED, detail=row["error_message"])
        return StoredAnswer(item=item, attempt=row["attempt"], call=None, score=failed)
    score = None if row["outcome"] is None else score_from(row)
    return StoredAnswer(item=item, attempt=row["attempt"], call=call_from(row), score=score)


def header_from(row: sqlite3.Row) -> dict[str, JsonValue]:
    """Return the header of a row of `exams`."""
    header: dict[str, JsonValue] = json.loads(row["header"])
    return header


def item_from(row: sqlite3.Row) -> ExamItem:
    """Return the item of a row of `exam_items`, its target included."""
    line = json.loads(row["line"])
    messages = line.get("messages")
    return ExamItem(
        item=str(line["item"]),
        target=str(line["target"]),
        prompt=line.get("prompt"),
        messages=None if messages is None else tuple(message_from_json(message) for message in messages),
        metadata=line.get("metadata") or {},
    )


def _usage_from(row: sqlite3.Row) -> Usage:
    return Usage(**{name: row[name] for name in _USAGE})


def _latency_from(row: sqlite3.Row) -> Latency:
    return Latency(ttft_s=row["ttft_s"], e2e_latency_s=row["e2e_latency_s"])


def score_from(row: sqlite3.Row) -> Score:
    """Return the score of a row of `scores`."""
    return Score(
        outcome=Outcome(row["outcome"]),
        extracted=row["extracted"],
        detail=row["detail"],
        target=row["target"],
        counted=None if row["parts"] is None else ErrorCount(errors=row["errors"], parts=row["parts"]),
    )
