"""Runs, calls and scores: SQLite by default, behind a small interface."""

from fieldguide.store._conversations import Conversation, Conversations, Turn
from fieldguide.store._gateway import GatewayRecords, KeyRow, MeterKey, UsageRow
from fieldguide.store._lock import held
from fieldguide.store._records import CallKey, NewScore, PlannedCall, Run, RunState, StoredAnswer, StoredCall
from fieldguide.store._recover import Recovered, recover
from fieldguide.store._store import Store
from fieldguide.store._works import Work, WorkEvent, Works

__all__ = [
    "CallKey",
    "Conversation",
    "Conversations",
    "GatewayRecords",
    "KeyRow",
    "MeterKey",
    "NewScore",
    "PlannedCall",
    "Recovered",
    "Run",
    "RunState",
    "Store",
    "StoredAnswer",
    "StoredCall",
    "Turn",
    "UsageRow",
    "Work",
    "WorkEvent",
    "Works",
    "held",
    "recover",
]
