"""The records of a conversation: written turn by turn, read back whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from fieldguide.app.wiring import House
from fieldguide.domain import JsonValue, Message, message_as_json
from fieldguide.errors import UsageError
from fieldguide.store import Conversation, Conversations, Turn

_TITLE = 80


@dataclass(slots=True)
class TalkRecords:
    """Where the turns of one conversation go; it is begun with its first turn."""

    conversations: Conversations
    kind: str
    reference: str
    conversation_id: int | None = None
    owner: str | None = None
    """Id of the key under which it is held."""
    title: str | None = None
    """Whose head it is listed under; None takes that of its first turn."""
    _turns: list[int] = field(default_factory=list)

    def add(self, message: Message, answer: Mapping[str, object] | None = None) -> None:
        """Record a turn; it is on the disk when this returns."""
        if self.conversation_id is None:
            title = " ".join((self.title or message.text).split())[:_TITLE] or "(no words)"
            self.conversation_id = self.conversations.begin(
                "chat" if self.kind == "chat" else "ask", self.reference, title, owner=self.owner
            )
        kept = cast("Mapping[str, JsonValue] | None", answer)
        self._turns.append(self.conversations.add(self.conversation_id, message, kept))

    def take_back(self, turns: int) -> None:
        """Mark the last so many turns as taken back."""
        if taken := self._turns[len(self._turns) - turns :]:
            self.conversations.take_back(taken)
            del self._turns[len(self._turns) - turns :]

    def move_last_first(self) -> None:
        """Let the last turn stand first: a system message that was set later."""
        if self._turns:
            self._turns.insert(0, self._turns.pop())

    def take_back_first(self) -> None:
        """Mark the first turn as taken back: another system message takes its place."""
        if self._turns:
            self.conversations.take_back([self._turns.pop(0)])

    def carry(self, reference: str) -> None:
        """Record that the conversation goes on with another model."""
        self.reference = reference
        if self.conversation_id is not None:
            self.conversations.carry(self.conversation_id, reference)

    def resume(self, conversation: Conversation) -> list[Message]:
        """Go on with a conversation and return what was said so far."""
        self.conversation_id, self.reference = conversation.conversation_id, conversation.reference
        turns = [turn for turn in self.conversations.turns(conversation.conversation_id) if not turn.taken_back]
        turns.sort(key=lambda turn: turn.message.role != "system")  # one that was set later stands first all the same
        self._turns = [turn.turn_id for turn in turns]
        return [turn.message for turn in turns]


def find(house: House, wanted: str | None, *, only_chats: bool = False) -> Conversation:
    """Return the conversation of this number; None or nothing is the last one.

    Raises:
        UnknownNameError: There is none of this number.
        UsageError: It is no number, or there is no conversation at all.
    """
    if wanted:
        if not wanted.isdecimal():
            raise UsageError(f"A conversation has a number, not {wanted!r}.", hint="See `fieldguide history`.")
        return house.store.conversations.one(int(wanted))
    last = house.store.conversations.newest_first(kind="chat" if only_chats else None, limit=1)
    if not last:
        raise UsageError("There is no conversation yet.", hint="Begin one: fieldguide chat MODEL.")
    return last[0]


def history(house: House, limit: int) -> list[Conversation]:
    """Return conversations, those last spoken in first."""
    return house.store.conversations.newest_first(limit=limit) if house.records.exists() else []


def turns_of(house: House, conversation: Conversation) -> list[Turn]:
    """Return all turns of a conversation, those taken back too."""
    return house.store.conversations.turns(conversation.conversation_id)


def delete(house: House, conversation: Conversation) -> None:
    """Remove a conversation for good."""
    house.store.conversations.delete(conversation.conversation_id)


def conversation_json(conversation: Conversation, turns: list[Turn] | None = None) -> dict[str, Any]:
    """Return a conversation as programs read it."""
    told: dict[str, Any] = asdict(conversation)
    if turns is not None:
        told["turns"] = [
            {
                "said_at": turn.said_at,
                "taken_back": turn.taken_back,
                "message": message_as_json(turn.message),
                "answer": None if turn.answer is None else {k: v for k, v in turn.answer.items() if k != "raw"},
            }
            for turn in turns
        ]
    return told
