"""Conversations in the records, and answers kept whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.domain import (
    Completion,
    FinishReason,
    Message,
    ProviderData,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from fieldguide.errors import UnknownNameError
from fieldguide.store import Store, _rows

RICH = Message(
    role="assistant",
    content=(
        Reasoning(text="hm", signature="s", provider="p"),
        Text(text="x", provider_data=(ProviderData(provider="p", fields={"a": 1}),)),
        ToolCall(name="t", call_id="1", arguments={"a": [1]}, raw_arguments='{"a": [1]}'),
    ),
)


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Store(tmp_path / "records.sqlite")
    yield made
    made.close()


def test_turns_come_back_as_they_were_said(store: Store, tmp_path: Path) -> None:
    """Blocks, provider data and what an answer took, after the records were closed and opened again."""
    kept = store.conversations
    number = kept.begin("chat", "fake:m", "hello \udc80")
    kept.add(number, Message(role="user", content="hello"))
    kept.add(number, RICH, {"cost_usd": "0.1"})
    again = Store(tmp_path / "records.sqlite")
    turns = again.conversations.turns(number)
    assert [turn.message for turn in turns] == [Message(role="user", content="hello"), RICH]
    assert [turn.answer for turn in turns] == [None, {"cost_usd": "0.1"}]
    again.close()


def test_the_last_spoken_in_comes_first_and_deleting_removes_one(store: Store) -> None:
    """Taken-back turns do not count and stay; a number that is not there is told."""
    kept = store.conversations
    first, second = kept.begin("ask", "a", "one"), kept.begin("chat", "b", "two")
    turn = kept.add(first, Message(role="user", content="x"))
    assert [each.conversation_id for each in kept.newest_first()] == [first, second]
    assert [each.conversation_id for each in kept.newest_first(kind="chat")] == [second]
    kept.take_back([turn])
    assert kept.one(first).turns == 0
    assert kept.turns(first)[0].taken_back
    kept.carry(second, "c")
    assert kept.one(second).reference == "c"
    kept.delete(first)
    with pytest.raises(UnknownNameError):
        kept.one(first)
    assert kept.turns(first) == []


def test_an_answer_of_an_exam_keeps_its_blocks_and_all_counts() -> None:
    """Every field of usage has a column; an answer that is its text alone takes no second place."""
    usage = Usage(**{name: number for number, name in enumerate(Usage.__dataclass_fields__)})
    whole = Completion(
        text="x", finish_reason=FinishReason.STOP, usage=usage, message=RICH, response_id="r", raw_usage={"n": 1}
    )
    columns = _rows.completion_columns(whole)
    assert {name: columns[name] for name in Usage.__dataclass_fields__} == {
        name: number for number, name in enumerate(Usage.__dataclass_fields__)
    }
    back = _rows.completion_from(columns)  # type: ignore[arg-type]
    assert (back.message, back.usage, back.response_id, back.raw_usage) == (RICH, usage, "r", {"n": 1})
    plain = Completion(text="x", finish_reason=FinishReason.STOP, message=Message(role="assistant", content="x"))
    assert _rows.completion_columns(plain)["message"] is None
