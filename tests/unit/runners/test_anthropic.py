"""Anthropic's runner: what recordings do not show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide import errors
from fieldguide.domain import (
    CompletionRequest,
    FinishReason,
    Message,
    ReasoningOptions,
    ResponseSchema,
    Text,
    ToolCall,
    ToolResult,
    carried,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.anthropic import (
    PROVIDER,
    StreamedAnswer,
    error_of,
    open_runner,
    parse_completion,
    request_body,
)
from fieldguide.runners.openai import OPENAI
from fieldguide.runners.openai_chat import request_body as openai_body

HELLO = Message(role="user", content="hello")


def body_of(*messages: Message, **asked: Any) -> dict[str, Any]:
    request = CompletionRequest(messages=messages, **asked)
    return json.loads(json.dumps(request_body(request, model="m", stream=False, provider=PROVIDER)))  # type: ignore[no-any-return]


def test_results_of_parallel_calls_make_one_turn_of_the_users() -> None:
    """The API wants them together, and what the user says next may stand beside them."""
    results = [Message(role="tool", content=(ToolResult(call_id=name, content=name),)) for name in ("a", "b")]
    body = body_of(HELLO, *results, Message(role="user", content="go on"))
    assert [turn["role"] for turn in body["messages"]] == ["user", "user"]
    assert [part["type"] for part in body["messages"][1]["content"]] == ["tool_result", "tool_result", "text"]


def test_cached_tokens_count_as_input() -> None:
    """Anthropic leaves them out of `input_tokens`; here they are part of it, and told apart besides."""
    usage = {
        "input_tokens": 10,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
        "output_tokens": 5,
    }
    text = json.dumps({"type": "message", "content": [], "stop_reason": "end_turn", "usage": usage})
    counted = parse_completion(text, e2e_latency_s=1.0, provider=PROVIDER).usage
    assert (counted.input_tokens, counted.cached_input_tokens, counted.cache_write_tokens) == (140, 100, 30)
    assert (counted.cache_write_5m_tokens, counted.cache_write_1h_tokens) == (20, 10)


@pytest.mark.parametrize(
    ("status", "kind", "message", "expected"),
    [
        (401, "authentication_error", "invalid x-api-key", errors.AuthenticationError),
        (404, "not_found_error", "model: claude-9", errors.UnknownModelError),
        (400, "invalid_request_error", "prompt is too long: 210001 tokens > 200000 maximum", None),
        (429, "rate_limit_error", "slow down", errors.RateLimitError),
        (529, "overloaded_error", "Overloaded", errors.RunnerUnavailableError),
        (500, "api_error", "Internal server error", errors.ProviderFaultError),
        (400, "invalid_request_error", "Your credit balance is too low", errors.QuotaExhaustedError),
    ],
)
def test_each_error_has_its_kind(
    status: int, kind: str, message: str, expected: type[errors.RunnerError] | None
) -> None:
    """By status and type; a context that is exceeded says by how much."""
    error = error_of(status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}), {})
    assert error.refused
    if expected is not None:
        assert type(error) is expected
        return
    assert isinstance(error, errors.ContextLengthExceededError)
    assert (error.limit_tokens, error.requested_tokens) == (200000, 210001)


START = {"type": "message_start", "message": {"id": "m", "content": [], "usage": {"input_tokens": 1}}}
BLOCK = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "fo"}}


@pytest.mark.parametrize("events", [[], [START], [START, BLOCK]])
def test_a_stream_that_broke_off_is_never_an_answer(events: list[dict[str, Any]]) -> None:
    """Whatever came before."""
    answer = StreamedAnswer(began_s=0.0, provider=PROVIDER)
    for event in events:
        answer.take(json.dumps(event), now_s=1.0)
    with pytest.raises(errors.ResponseFormatError):
        answer.completion(now_s=2.0)


def test_an_error_within_a_stream_is_that_error() -> None:
    """Overloaded in the middle is worth another try."""
    answer = StreamedAnswer(began_s=0.0, provider=PROVIDER)
    answer.take(json.dumps(START), now_s=1.0)
    event = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(errors.RunnerUnavailableError):
        answer.take(json.dumps(event), now_s=1.0)


def test_broken_arguments_in_a_stream_are_kept_as_they_are() -> None:
    """They are no object and cannot be sent back, and that is said."""
    answer = StreamedAnswer(began_s=0.0, provider=PROVIDER)
    tool = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
    for event in (
        START,
        {"type": "content_block_start", "index": 0, "content_block": tool},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": '{"a": '}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 9}},
    ):
        answer.take(json.dumps(event), now_s=1.0)
    whole = answer.completion(now_s=2.0)
    assert whole.finish_reason is FinishReason.LENGTH
    assert (whole.tool_calls[0].arguments, whole.tool_calls[0].raw_arguments) == (None, '{"a": ')
    with pytest.raises(errors.UnsupportedError):
        body_of(HELLO, whole.reply)


@pytest.mark.parametrize(
    "asked",
    [
        {"reasoning": ReasoningOptions(summary="auto")},
        {"response_schema": ResponseSchema(schema={}, description="x")},
    ],
)
def test_what_the_api_has_no_words_for_is_refused(asked: dict[str, Any]) -> None:
    """And never left out."""
    with pytest.raises(errors.UnsupportedError):
        body_of(HELLO, **asked)


async def test_beta_features_go_into_a_header_and_a_missing_key_is_named(tmp_path: Path) -> None:
    """They are no field of the body."""
    request = CompletionRequest(messages=(HELLO,), extra={PROVIDER: {"betas": ["a", "b"], "user": "u"}})
    settings = RunnerSettings(home=tmp_path, session=LazySession())
    with pytest.raises(errors.MissingKeyError, match="ANTHROPIC_API_KEY"):
        await open_runner("m", settings)
    body = request_body(request, model="m", stream=False, provider=PROVIDER)
    assert "betas" not in body
    assert body["user"] == "u"


def test_a_conversation_goes_to_openai_and_back_whole() -> None:
    """Thoughts stay behind by name on the way there, and on the way back everything is as Anthropic made it."""
    said = {
        "type": "message",
        "stop_reason": "tool_use",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sealed"},
            {"type": "text", "text": "Let me add."},
            {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 1}},
        ],
    }
    reply = parse_completion(json.dumps(said), e2e_latency_s=1.0, provider=PROVIDER).reply
    result = Message(role="tool", content=(ToolResult(call_id="toolu_1", content="2", is_error=True),))
    history = (HELLO, reply, result)
    there = carried(history, provider="openai")
    assert there.left_out == ("reasoning of anthropic (1)",)
    sent = openai_body(CompletionRequest(messages=there.messages), model="m", stream=False, dialect=OPENAI)
    assert sent["messages"] == [
        {"role": "user", "content": "hello"},
        {
            "role": "assistant",
            "content": "Let me add.",
            "tool_calls": [{"id": "toolu_1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}],
        },
        {"role": "tool", "tool_call_id": "toolu_1", "content": "The tool failed:\n2"},
    ]
    openai = Message(
        role="assistant", content=(Text(text="So be it."), ToolCall(name="add", call_id="c", arguments={}))
    )
    back = carried((*history, openai), provider=PROVIDER)
    assert back.left_out == ()
    turns = body_of(*back.messages)["messages"]
    assert turns[1]["content"] == said["content"]
    assert turns[2]["content"][0]["is_error"] is True
    assert turns[3]["content"][1] == {"type": "tool_use", "id": "c", "name": "add", "input": {}}
