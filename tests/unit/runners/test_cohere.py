"""Cohere's wire: what recordings do not show, and what its API has no words for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import (
    Audio,
    BlockStart,
    Completion,
    CompletionRequest,
    EmbeddingRequest,
    FinishReason,
    Image,
    Message,
    Reasoning,
    ReasoningOptions,
    ResponseSchema,
    Text,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    TranscriptionRequest,
    provider_fields,
)
from fieldguide.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    MissingKeyError,
    ProviderFaultError,
    QuotaExhaustedError,
    RateLimitError,
    ResponseFormatError,
    RunnerTimeoutError,
    UnknownModelError,
    UnsupportedError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import EmbeddingRunner, RunnerSettings, TranscriptionRunner
from fieldguide.runners.cohere import (
    VARIABLES,
    CohereRunner,
    RerankRequest,
    StreamedAnswer,
    error_of,
    open_runner,
    parse_completion,
    request_body,
)
from fieldguide.runners.cohere._media import transcription_form
from tests.support.fake_server import Call, fake_server


def asked(*content: Any, **given: Any) -> CompletionRequest:
    return CompletionRequest(messages=(Message(role="user", content=content or "?"),), **given)


def body_of(request: CompletionRequest) -> dict[str, Any]:
    return json.loads(json.dumps(request_body(request, model="m", stream=False)))  # type: ignore[no-any-return]


def parsed(message: dict[str, Any], reason: str = "COMPLETE", **more: Any) -> Completion:
    body = {"id": "r", "finish_reason": reason, "message": {"role": "assistant", **message}, **more}
    return parse_completion(json.dumps(body), e2e_latency_s=1.0)


def settings(tmp_path: Path, **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), **given)


async def test_a_missing_key_names_its_variable_and_where_to_get_one(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(MissingKeyError) as caught:
        await open_runner("command-a-03-2025", settings(tmp_path))
    assert caught.value.variable == "COHERE_API_KEY"
    assert "https://dashboard.cohere.com" in str(caught.value.hint)
    assert caught.value.variable in VARIABLES
    with pytest.raises(UsageError):
        await open_runner("m", settings(tmp_path, environment={"CO_API_KEY": "k"}, options={"endpoint": "v1"}))


def test_plan_thoughts_calls_and_citations_go_back_as_they_came() -> None:
    """What a model plans with its tools is reasoning, said in a field of its own."""
    message = {
        "tool_plan": "I will look.",
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "So."}],
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}],
        "citations": [{"start": 0, "end": 2, "text": "So", "sources": [{"type": "tool", "id": "a:0"}]}],
    }
    completion = parsed(message, "TOOL_CALL")
    assert [type(block) for block in completion.reply.blocks] == [Reasoning, Reasoning, Text, ToolCall]
    assert completion.finish_reason is FinishReason.TOOL_CALL
    assert completion.tool_calls[0].arguments == {"x": 1}
    assert provider_fields(completion.reply.provider_data, "cohere")["citations"] == message["citations"]
    sent = body_of(CompletionRequest(messages=(completion.reply,)))
    assert sent["messages"] == [{"role": "assistant", **message}]


def events(*given: dict[str, Any]) -> tuple[list[Any], Completion]:
    answer = StreamedAnswer(began_s=0.0)
    pieces = [piece for event in given for piece in answer.take(json.dumps(event), now_s=1.0)]
    return pieces, answer.completion(now_s=2.0)


START = {"type": "message-start", "id": "r", "delta": {"message": {"role": "assistant"}}}
PLAN = {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will."}}}


def ended(reason: str, **more: Any) -> dict[str, Any]:
    return {"type": "message-end", "delta": {"finish_reason": reason, **more}}


def called(place: int, kind: str, **call: Any) -> dict[str, Any]:
    return {"type": f"tool-call-{kind}", "index": place, "delta": {"message": {"tool_calls": call}}}


def test_a_stream_encloses_the_pieces_of_each_block() -> None:
    """A plan and two calls."""
    pieces, completion = events(
        START,
        PLAN,
        called(0, "start", id="a", type="function", function={"name": "f", "arguments": ""}),
        called(0, "delta", function={"arguments": '{"x"'}),
        called(0, "delta", function={"arguments": ": 1}"}),
        {"type": "tool-call-end", "index": 0},
        called(1, "start", id="b", type="function", function={"name": "g", "arguments": "{}"}),
        {"type": "tool-call-end", "index": 1},
        ended("TOOL_CALL"),
    )
    assert [piece.kind for piece in pieces if isinstance(piece, BlockStart)] == ["reasoning", "tool_call", "tool_call"]
    assert (
        "".join(each.arguments for each in pieces if isinstance(each, ToolCallDelta) and each.index == 1) == '{"x": 1}'
    )
    assert [(call.name, call.arguments) for call in completion.tool_calls] == [("f", {"x": 1}), ("g", {})]
    assert body_of(CompletionRequest(messages=(completion.reply,)))["messages"][0]["tool_plan"] == "I will."


def test_a_stream_that_was_cut_is_no_answer() -> None:
    """Only a reason for the end ends it."""
    with pytest.raises(ResponseFormatError):
        events(START, PLAN)


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, True, [{}]])
def test_fields_of_odd_types_are_passed_over(odd: Any) -> None:
    """Whatever stands where something else is expected, nothing but errors of ours is raised."""
    _, completion = events(
        START,
        {"type": odd, "index": odd, "delta": odd},
        {"type": "content-delta", "index": odd, "delta": {"message": {"content": odd}}},
        {"type": "content-delta", "index": odd, "delta": {"message": {"content": {"text": "a", "type": odd}}}},
        {"type": "tool-call-start", "index": odd, "delta": {"message": {"tool_calls": odd}}},
        {"type": "citation-start", "delta": {"message": {"citations": odd}}},
        ended("COMPLETE", usage=odd, logprobs=odd),
    )
    assert completion.text == "a"
    assert completion.usage.input_tokens is None


@pytest.mark.parametrize(("reason", "error"), [("ERROR", ProviderFaultError), ("TIMEOUT", RunnerTimeoutError)])
def test_a_provider_that_failed_in_its_answer_gave_none(reason: str, error: type[Exception]) -> None:
    """A fault is not a wrong answer, whole or streamed."""
    with pytest.raises(error):
        events(START, PLAN, ended(reason, error="internal"))
    with pytest.raises(error):
        parsed({"content": [{"type": "text", "text": "half"}]}, reason)


def test_a_call_that_the_model_wrote_wrong_is_the_models_answer() -> None:
    """The provider says ERROR for this too, and of which kind."""
    _, completion = events(START, PLAN, ended("ERROR", error="invalid", error_type="INVALID_TOOL_GENERATION"))
    assert (completion.finish_reason, completion.raw_finish_reason) == (FinishReason.UNKNOWN, "ERROR")
    assert completion.metadata["error_type"] == "INVALID_TOOL_GENERATION"


def test_counts_are_of_tokens_and_else_of_what_is_billed() -> None:
    """Cached tokens are part of the input, thoughts of the output; the schema has them with fractions."""
    usage = {
        "billed_units": {"input_tokens": 3, "output_tokens": 2},
        "tokens": {"input_tokens": 10.0, "output_tokens": 8, "reasoning_tokens": 5},
        "cached_tokens": 4,
    }
    found = parsed({"content": []}, usage=usage).usage
    assert (found.input_tokens, found.output_tokens, found.cached_input_tokens, found.reasoning_tokens) == (10, 8, 4, 5)
    billed = parsed({"content": []}, usage={"billed_units": {"input_tokens": 3, "output_tokens": 2}}).usage
    assert (billed.input_tokens, billed.output_tokens, billed.reasoning_tokens) == (3, 2, None)


@pytest.mark.parametrize("text", ["", "[]", "<html>", "{}"])
def test_what_is_no_answer_is_said_to_be_none(text: str) -> None:
    """And may be asked again."""
    with pytest.raises(ResponseFormatError):
        parse_completion(text, e2e_latency_s=1.0)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"message": "invalid api token"}, AuthenticationError),
        (404, {"message": "model 'x' not found, make sure the correct model ID was used"}, UnknownModelError),
        (404, {"message": "model 'command-r' was removed on September 15, 2025."}, UnknownModelError),
        (429, {"message": "You are using a Trial key, which is limited to 20 API calls / minute."}, RateLimitError),
        (
            429,
            {"message": "You are using a Trial key, which is limited to 1000 API calls / month."},
            QuotaExhaustedError,
        ),
        (500, {"message": "internal server error"}, ProviderFaultError),
    ],
)
def test_errors_are_of_their_kind(status: int, body: dict[str, Any], kind: type[Exception]) -> None:
    """And refused by the provider."""
    error = error_of(status, json.dumps(body), {})
    assert isinstance(error, kind)
    assert error.refused
    assert body["message"][:20] in error.message


def test_context_exceeded_tells_both_numbers() -> None:
    """Cohere tells the limit and by how much it was passed."""
    message = "too many tokens: size limit exceeded by 25836 tokens. The limit for this model is 288000 tokens."
    error = error_of(400, json.dumps({"message": message}), {})
    assert isinstance(error, ContextLengthExceededError)
    assert (error.limit_tokens, error.requested_tokens) == (288000, 313836)


@pytest.mark.parametrize(
    "request_",
    [
        asked(tool_choice=ToolChoice(mode="tool", name="f")),
        asked(reasoning=ReasoningOptions(effort="high")),
        asked(response_schema=ResponseSchema(schema={}, description="d")),
        asked(tools=(Tool(name="f", strict=True), Tool(name="g"))),
        asked(Image(file_id="f")),
        asked(ToolResult(call_id="a", content=(Image(data=b"x"),))),
        CompletionRequest(messages=(Message(role="user", content="?", name="Ada"),)),
    ],
)
def test_what_the_api_has_no_words_for_is_refused(request_: CompletionRequest) -> None:
    """And never left out."""
    with pytest.raises(UnsupportedError):
        request_body(request_, model="m", stream=False)


def test_parameters_have_coheres_names() -> None:
    """And only those that are set are written."""
    request = asked(
        top_p=0.5,
        top_k=4,
        stop=("x",),
        tools=(Tool(name="f", strict=True),),
        tool_choice=ToolChoice(mode="required"),
        response_schema=ResponseSchema(schema={"type": "object"}),
        reasoning=ReasoningOptions(budget_tokens=100),
        extra={"cohere": {"safety_mode": "NONE", "logprobs": True}},
    )
    body = body_of(request)
    assert (body["p"], body["k"], body["stop_sequences"], body["logprobs"]) == (0.5, 4, ["x"], True)
    assert body["strict_tools"] is True
    assert body["tool_choice"] == "REQUIRED"
    assert body["response_format"] == {"type": "json_object", "json_schema": {"type": "object"}}
    assert body["thinking"] == {"type": "enabled", "token_budget": 100}
    assert body["safety_mode"] == "NONE"
    assert set(body_of(asked())) == {"model", "messages", "stream"}


def test_a_failed_tool_says_so_in_words() -> None:
    """For want of another way."""
    turn = Message(role="tool", content=(ToolResult(call_id="a", content="x", is_error=True),))
    sent = body_of(CompletionRequest(messages=(turn,)))["messages"]
    assert sent == [{"role": "tool", "tool_call_id": "a", "content": "The tool failed:\nx"}]


def test_speech_needs_its_language() -> None:
    """The API requires it."""
    with pytest.raises(UnsupportedError):
        transcription_form(TranscriptionRequest(audio=Audio(data=b"x")), model="m")


def _beside_chat(call: Call) -> dict[str, Any]:
    if call.path.endswith("/embed"):
        return {"id": "e", "embeddings": {"float": [[0.5, 1]]}, "meta": {"billed_units": {"input_tokens": 2}}}
    return {"id": "r", "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]}


async def test_vectors_and_order(tmp_path: Path) -> None:
    """One request each, below version 2."""
    session = LazySession()
    async with fake_server(_beside_chat) as server:
        environment = {"CO_API_KEY": "secret-key", "COHERE_BASE_URL": server.url.removesuffix("/v1")}
        runner = await open_runner("m", RunnerSettings(home=tmp_path, session=session, environment=environment))
        assert isinstance(runner, CohereRunner)
        assert isinstance(runner, EmbeddingRunner)
        assert isinstance(runner, TranscriptionRunner)
        vectors = await runner.embed(EmbeddingRequest(texts=("a",), purpose="search_query"))
        order = await runner.rerank(RerankRequest(query="q", documents=("a", "b"), top_n=2))
    await session.close()
    assert vectors.vectors == ((0.5, 1.0),)
    assert vectors.usage.input_tokens == 2
    assert [each.index for each in order.ranked] == [1, 0]
    embedding, ranking = server.calls
    assert embedding.path == "/v2/embed"
    assert embedding.body["input_type"] == "search_query"
    assert embedding.headers["Authorization"] == "Bearer secret-key"
    assert ranking.body == {"model": "m", "query": "q", "documents": ["a", "b"], "top_n": 2}
