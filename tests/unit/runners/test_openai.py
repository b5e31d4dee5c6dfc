"""OpenAI's runner: keys, addresses, and what its chat completions have no words for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import (
    BlockEnd,
    BlockStart,
    CompletionRequest,
    Document,
    FinishReason,
    Image,
    Message,
    Reasoning,
    ReasoningOptions,
    Text,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    ToolResult,
)
from fieldguide.errors import MissingKeyError, UnsupportedError, UsageError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.openai import OPENAI, VARIABLES, open_runner
from fieldguide.runners.openai_chat import StreamedAnswer, parse_completion, request_body
from tests.support.fake_server import chat, fake_server


def settings(tmp_path: Path, **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), **given)


async def test_a_missing_key_names_its_variable_and_where_to_get_one(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(MissingKeyError) as caught:
        await open_runner("gpt-4o", settings(tmp_path))
    assert "OPENAI_API_KEY" in caught.value.message
    assert "https://platform.openai.com" in str(caught.value.hint)
    assert caught.value.variable in VARIABLES


async def test_a_reference_without_a_model_is_wrong_use(tmp_path: Path) -> None:
    """There is no model that everyone means."""
    with pytest.raises(UsageError):
        await open_runner(" ", settings(tmp_path, environment={"OPENAI_API_KEY": "k"}))


async def test_key_account_and_limit_go_out_as_openai_wants_them(tmp_path: Path) -> None:
    """The key that the user named goes first; identity holds an address only where it is not the usual one."""
    session = LazySession()
    async with fake_server(lambda call: chat("4")) as server:
        environment = {"OPENAI_API_KEY": "usual", "OPENAI_BASE_URL": server.url, "OPENAI_ORG_ID": "org"}
        given = RunnerSettings(home=tmp_path, session=session, environment=environment, api_key="named")
        runner = await open_runner("gpt-4o", given)
        await runner.complete(CompletionRequest(messages=(Message(role="user", content="?"),), max_output_tokens=5))
    await session.close()
    call = server.calls[0]
    assert call.headers["Authorization"] == "Bearer named"
    assert call.headers["OpenAI-Organization"] == "org"
    assert call.body["max_completion_tokens"] == 5
    assert runner.model.identity == {"provider": "openai", "model": "gpt-4o", "base_url": server.url}
    usual = await open_runner("gpt-4o", settings(tmp_path, environment={"OPENAI_API_KEY": "k"}))
    assert usual.model.identity == {"provider": "openai", "model": "gpt-4o"}
    assert usual.model.reference == "openai:gpt-4o"


@pytest.mark.parametrize(
    "request_",
    [
        CompletionRequest(
            messages=(Message(role="user", content="?"),), reasoning=ReasoningOptions(budget_tokens=1000)
        ),
        CompletionRequest(messages=(Message(role="user", content=(Document(url="https://example.com/a.pdf"),)),)),
        CompletionRequest(messages=(Message(role="user", content=(Image(file_id="f"),)),)),
        CompletionRequest(
            messages=(Message(role="tool", content=(ToolResult(call_id="c", content=(Image(data=b"x"),)),)),)
        ),
    ],
)
def test_what_the_protocol_has_no_words_for_is_refused(request_: CompletionRequest) -> None:
    """And never left out."""
    with pytest.raises(UnsupportedError):
        request_body(request_, model="m", stream=False, dialect=OPENAI)


def test_results_of_tools_are_messages_of_their_own_before_what_is_said() -> None:
    """A failed tool says so in words, for want of another way."""
    turn = Message(
        role="user",
        content=(
            ToolResult(call_id="a", content="1"),
            ToolResult(call_id="b", content="x", is_error=True),
            Text(text="?"),
        ),
    )
    body = request_body(CompletionRequest(messages=(turn,)), model="m", stream=False, dialect=OPENAI)
    assert body["messages"] == [
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "The tool failed:\nx"},
        {"role": "user", "content": [{"type": "text", "text": "?"}]},
    ]


def test_arguments_that_are_no_json_are_kept_and_sent_back_as_they_are() -> None:
    """A model's broken JSON is its own."""
    text = """{"id": "r", "choices": [{"finish_reason": "stop", "message": {"content": null, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{broken"}}]}}]}"""
    completion = parse_completion(text, e2e_latency_s=1.0, provider="openai")
    call = completion.tool_calls[0]
    assert (call.arguments, call.raw_arguments) == (None, "{broken")
    assert completion.finish_reason is FinishReason.TOOL_CALL
    assert completion.raw_finish_reason == "stop"
    sent = request_body(CompletionRequest(messages=(completion.reply,)), model="m", stream=False, dialect=OPENAI)
    assert sent["messages"][0]["tool_calls"][0]["function"]["arguments"] == "{broken"  # type: ignore[index,call-overload]


def test_a_stream_encloses_the_pieces_of_each_block() -> None:
    """Thoughts, words and two calls whose pieces come mixed."""
    answer = StreamedAnswer(began_s=0.0, provider="openai")
    deltas: list[dict[str, Any]] = [
        {"reasoning_content": "hm"},
        {"content": "Let me see."},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "}"}}]},
    ]
    chunks = [json.dumps({"choices": [{"delta": delta}]}) for delta in deltas]
    chunks.append('{"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}')
    pieces = [piece for chunk in chunks for piece in answer.take(chunk, now_s=1.0)]
    whole = answer.completion(now_s=2.0)
    blocks = whole.reply.blocks
    assert [type(block) for block in blocks] == [Reasoning, Text, ToolCall, ToolCall]
    assert [(call.name, call.arguments) for call in whole.tool_calls] == [("f", {}), ("g", {})]
    ended = {piece.index: piece.block for piece in pieces if isinstance(piece, BlockEnd)}
    assert tuple(ended[index] for index in range(4)) == blocks
    assert [piece.kind for piece in pieces if isinstance(piece, BlockStart)] == [
        "reasoning",
        "text",
        "tool_call",
        "tool_call",
    ]
    assert [piece.text for piece in pieces if isinstance(piece, TextDelta)] == ["hm", "Let me see."]
    assert "".join(piece.arguments for piece in pieces if isinstance(piece, ToolCallDelta) and piece.index == 3) == "{}"
