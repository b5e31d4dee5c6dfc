"""Runs, calls and scores: SQLite by default, behind a small interface."""

from fieldguide.store._lock import held
from fieldguide.store._records import CallKey, NewScore, Run, RunState, StoredCall, StoredFailure
from fieldguide.store._store import Store

__all__ = ["CallKey", "NewScore", "Run", "RunState", "Store", "StoredCall", "StoredFailure", "held"]
