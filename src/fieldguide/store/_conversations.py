"""What was said with models, turn by turn: every answer with what it took, also those that were taken back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from fieldguide.domain import JsonValue, Message, message_as_json, message_from_json
from fieldguide.errors import StoreError, UnknownNameError
from fieldguide.store._rows import as_text, now, to_json
from fieldguide.store._writer import Writer

Kind: TypeAlias = Literal["ask", "chat"]
Read: TypeAlias = Callable[[str, Sequence[object]], list[sqlite3.Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a conversation."""

    turn_id: int
    said_at: str
    """ISO 8601, UTC."""
    message: Message
    answer: Mapping[str, JsonValue] | None
    """What an answer was and took (model, usage, cost, time, response as received); None for what was not one."""
    taken_back: bool
    """Taken back by the person: no longer part of the conversation, and still paid for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation, without its turns."""

    conversation_id: int
    kind: Kind
    reference: str
    """Of the model that it was begun with, or carried to last."""
    title: str
    """The head of the first question."""
    started_at: str
    updated_at: str
    turns: int
    """Those that were not taken back."""
    owner: str | None = None
    """Id of the key under which it is held; None for whoever has this machine."""


_HEADS = "SELECT conversations.*, (SELECT count(*) FROM turns WHERE turns.conversation_id = \
conversations.conversation_id AND taken_back = 0) AS turns FROM conversations"

_LAST_TURN = "COALESCE((SELECT max(turn_id) FROM turns WHERE turns.conversation_id = conversations.conversation_id), 0)"
"""What comes first of two that were spoken in within one tick of the clock."""


class Conversations:
    """The conversations of one user folder."""

    def __init__(self, read: Read, writer: Writer) -> None:
        """See `Store.conversations`."""
        self._read, self._writer = read, writer

    def begin(self, kind: Kind, reference: str, title: str, *, owner: str | None = None) -> int:
        """Record a new conversation and return its number."""

        def write(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO conversations (kind, reference, title, started_at, updated_at, owner)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (kind, reference, as_text(title), now(), now(), owner),
            )
            return cursor.lastrowid or 0

        return self._writer.submit(write).result()

    def add(self, conversation_id: int, message: Message, answer: Mapping[str, JsonValue] | None = None) -> int:
        """Record a turn and return its number; it is on the disk when this returns."""
        said_at = now()
        values = (
            conversation_id,
            said_at,
            to_json(message_as_json(message)),
            None if answer is None else to_json(answer),
        )

        def write(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO turns (conversation_id, said_at, message, answer) VALUES (?, ?, ?, ?)", values
            )
            connection.execute(
                "UPDATE conversations SET updated_at = ? WHERE conversation_id = ?", (said_at, conversation_id)
            )
            return cursor.lastrowid or 0

        return self._writer.submit(write).result()

    def take_back(self, turn_ids: Sequence[int]) -> None:
        """Take turns out of their conversation; they stay in the records, as they were paid for."""
        self._writer.submit(
            lambda connection: connection.executemany(
                "UPDATE turns SET taken_back = 1 WHERE turn_id = ?", [(turn_id,) for turn_id in turn_ids]
            )
        ).result()

    def carry(self, conversation_id: int, reference: str) -> None:
        """Record that a conversation goes on with another model."""
        self._writer.submit(
            lambda connection: connection.execute(
                "UPDATE conversations SET reference = ? WHERE conversation_id = ?", (reference, conversation_id)
            )
        ).result()

    def delete(self, conversation_id: int) -> None:
        """Remove a conversation and all its turns.

        Raises:
            UnknownNameError: There is none of this number.
        """
        self.one(conversation_id)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM turns WHERE conversation_id = ?", (conversation_id,))
            connection.execute("DELETE FROM conversations WHERE conversation_id = ?", (conversation_id,))

        self._writer.submit(write).result()

    def one(self, conversation_id: int) -> Conversation:
        """Return the conversation of this number.

        Raises:
            UnknownNameError: There is none.
        """
        rows = self._read(f"{_HEADS} WHERE conversation_id = ?", (conversation_id,))
        if not rows:
            raise UnknownNameError("conversation", str(conversation_id), hint="See `fieldguide history`.")
        return _conversation(rows[0])

    def newest_first(
        self, *, kind: Kind | None = None, limit: int = -1, owner: str | None = None
    ) -> list[Conversation]:
        """Return conversations, those last spoken in first; with `owner`, only those of this key."""
        rows = self._read(
            f"{_HEADS} WHERE (? IS NULL OR kind = ?) AND (? IS NULL OR owner = ?)"
            f" ORDER BY updated_at DESC, {_LAST_TURN} DESC, conversation_id DESC"
            " LIMIT ?",
            (kind, kind, owner, owner, limit),
        )
        return [_conversation(row) for row in rows]

    def turns(self, conversation_id: int) -> list[Turn]:
        """Return all turns in their order, those taken back too.

        Raises:
            StoreError: One cannot be read.
        """
        rows = self._read("SELECT * FROM turns WHERE conversation_id = ? ORDER BY turn_id", (conversation_id,))
        try:
            return [_turn(row) for row in rows]
        except (ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"Conversation {conversation_id} cannot be read: {error}.",
                hint="`fieldguide runs --recover` saves what can be read.",
            ) from error


def _conversation(row: sqlite3.Row) -> Conversation:
    return Conversation(
        conversation_id=row["conversation_id"],
        kind=cast(Kind, row["kind"]),
        reference=row["reference"],
        title=row["title"],
        started_at=row["started_at"],
        updated_at=row["updated_at"],
        turns=row["turns"],
        owner=row["owner"],
    )


def _turn(row: sqlite3.Row) -> Turn:
    return Turn(
        turn_id=row["turn_id"],
        said_at=row["said_at"],
        message=message_from_json(json.loads(row["message"])),
        answer=None if row["answer"] is None else json.loads(row["answer"]),
        taken_back=bool(row["taken_back"]),
    )
