"""What servers of OpenAI's protocol send that its documentation does not have."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fieldguide.domain import Completion, ToolCall
from fieldguide.runners.openai_chat import ANY_SERVER, parse_completion
from fieldguide.runners.openai_chat._messages import wire_messages
from fieldguide.runners.openai_chat._stream import StreamedAnswer


def streamed(*deltas: dict[str, Any]) -> Completion:
    """Return the answer of a stream of these pieces."""
    answer = StreamedAnswer(began_s=0.0)
    for delta in deltas:
        answer.take(json.dumps({"choices": [{"index": 0, "delta": delta}]}), now_s=1.0)
    answer.take(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}), now_s=2.0)
    return answer.completion(now_s=2.0)


def calls(*given: dict[str, Any]) -> dict[str, Any]:
    """Return a piece with these calls of tools."""
    return {"tool_calls": list(given)}


def call(name: str, arguments: Any, **further: Any) -> dict[str, Any]:
    """Return a call of a tool."""
    return {**further, "function": {"name": name, "arguments": arguments}}


def test_arguments_that_come_as_an_object_in_a_stream_are_kept() -> None:
    """As they are of a whole answer."""
    made = streamed(calls(call("f", {"x": 1}, index=0, id="a")))
    assert [(each.name, each.arguments) for each in made.tool_calls] == [("f", {"x": 1})]


def test_calls_under_an_index_that_is_null_are_told_apart_by_their_place() -> None:
    """Two in one piece are two."""
    made = streamed(calls(call("f", '{"x":1}', index=None), call("g", "{}", index=None)))
    assert [(each.name, each.raw_arguments) for each in made.tool_calls] == [("f", '{"x":1}'), ("g", "{}")]


def test_another_name_without_an_id_under_a_taken_index_is_another_call() -> None:
    """Its arguments are not added to those of the first."""
    made = streamed(calls(call("f", '{"x":1}', index=0)), calls(call("g", '{"y":2}', index=0)))
    assert [(each.name, each.arguments) for each in made.tool_calls] == [("f", {"x": 1}), ("g", {"y": 2})]


def test_calls_that_arrive_in_turns_are_each_whole() -> None:
    """Pieces go to the call under their index, whichever came last; a name that is repeated begins nothing."""
    made = streamed(
        calls(call("f", "", index=0, id="a")),
        calls(call("g", "", index=1, id="b")),
        calls(call("f", '{"x":', index=0)),
        calls(call("g", '{"y":"\\u00e4', index=1)),
        calls(call("f", "1}", index=0)),
        calls(call("g", '"}', index=1)),
    )
    assert [(each.call_id, each.arguments) for each in made.tool_calls] == [("a", {"x": 1}), ("b", {"y": "ä"})]


@pytest.mark.parametrize("kind", ["function", "custom"])
def test_unknown_fields_of_a_call_go_back_where_they_stood(kind: str) -> None:
    """Whatever a provider puts beside a tool's name may be what it wants to see again."""
    words = "arguments" if kind == "function" else "input"
    one = {"id": "a", "type": kind, "seal": "s", kind: {"name": "f", words: "{}", "mark": {"x": 1}}}
    whole = json.dumps({"choices": [{"message": {"tool_calls": [one]}, "finish_reason": "tool_calls"}]})
    for answer in (parse_completion(whole, e2e_latency_s=1.0), streamed(calls(one))):
        (sent,) = wire_messages(answer.reply, ANY_SERVER)
        assert isinstance(sent, dict)
        assert sent["tool_calls"] == [one]


@pytest.mark.parametrize("odd", [{}, [], ["function"], {"a": 1}, 3])
def test_a_kind_of_call_that_is_no_text_breaks_nothing(odd: Any) -> None:
    """It is kept as what the provider said."""
    one = {**call("f", "{}", id="a", index=0), "type": odd}
    whole = json.dumps({"choices": [{"message": {"tool_calls": [one]}, "finish_reason": "tool_calls"}]})
    made = parse_completion(whole, e2e_latency_s=1.0)
    for answer in (made, streamed(calls(one))):
        assert [type(block) for block in answer.reply.blocks] == [ToolCall]


@pytest.mark.parametrize("odd", [{}, [1], "x", -1, True])
def test_an_index_that_is_no_count_breaks_nothing(odd: Any) -> None:
    """The place in the list stands for it."""
    made = streamed(calls(call("f", "{}", id="a", index=odd)))
    assert [each.name for each in made.tool_calls] == ["f"]
