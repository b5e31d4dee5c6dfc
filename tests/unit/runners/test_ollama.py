"""Ollama's own API: what its recordings do not show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import (
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
    ToolResult,
)
from fieldguide.errors import (
    ContextLengthExceededError,
    ResponseFormatError,
    UnknownModelError,
    UnsupportedError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.ollama import StreamedAnswer, error_of, open_runner, parse_completion, request_body
from tests.support.fake_server import Call, fake_server

ASKED = (Message(role="user", content="?"),)
DONE = {"model": "m", "done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": 4}


def settings(tmp_path: Path, **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), **given)


def body(**given: Any) -> dict[str, Any]:
    return request_body(CompletionRequest(**{"messages": ASKED, **given}), model="m", stream=False)


def test_a_prompt_is_never_to_be_cut_silently() -> None:
    """Servers that know the fields answer with an error; the context that the user asks for goes along."""
    sent = request_body(CompletionRequest(messages=ASKED), model="m", stream=True, context_tokens=16384)
    assert (sent["truncate"], sent["shift"], sent["options"]) == (False, False, {"num_ctx": 16384})


def test_a_text_to_continue_goes_without_a_template() -> None:
    """What is to be continued is not put into a chat."""
    sent = body(messages=None, prompt="One, two,")
    assert (sent["prompt"], sent["raw"]) == ("One, two,", True)


def test_parameters_tools_form_and_thought_stand_where_ollama_wants_them() -> None:
    """Sampling among the options, which `extra` may add to; a schema as `format`; an effort or a switch as `think`."""
    sent = body(
        max_output_tokens=5,
        seed=1,
        stop=("x",),
        tools=(Tool(name="f"),),
        response_schema=ResponseSchema(schema={"type": "object"}),
        reasoning=ReasoningOptions(effort="high"),
        logprobs=2,
        extra={"ollama": {"keep_alive": "5m", "options": {"min_p": 0.1}}},
    )
    assert sent["options"] == {"num_predict": 5, "seed": 1, "stop": ["x"], "min_p": 0.1}
    assert sent["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}
    assert (sent["format"], sent["think"], sent["keep_alive"]) == ({"type": "object"}, "high", "5m")
    assert (sent["logprobs"], sent["top_logprobs"]) == (True, 2)
    assert body(reasoning=ReasoningOptions(enabled=False))["think"] is False
    assert body(response_schema=ResponseSchema())["format"] == "json"


def test_a_call_and_its_result_are_told_by_name() -> None:
    """A result that lacks the tool's name gets it from the call; one of a failed tool says so."""
    call = ToolCall(name="add", call_id="c", arguments={"a": 2})
    turns = (
        *ASKED,
        Message(role="assistant", content=(Reasoning(text="hm", provider="ollama"), call)),
        Message(role="tool", content=(ToolResult(call_id="c", content="no", is_error=True),)),
        Message(role="user", content=(Text(text="see"), Image(data=b"\x89PNG"))),
    )
    _, said, result, shown = body(messages=turns)["messages"]
    assert said == {
        "role": "assistant",
        "content": "",
        "thinking": "hm",
        "tool_calls": [{"function": {"name": "add", "arguments": {"a": 2}}, "id": "c"}],
    }
    assert result == {"role": "tool", "content": "The tool failed:\nno", "tool_name": "add", "tool_call_id": "c"}
    assert shown == {"role": "user", "content": "see", "images": ["iVBORw=="]}


@pytest.mark.parametrize(
    "given",
    [
        {"messages": (Message(role="user", content=(Image(url="https://example.com/a.png"),)),)},
        {"messages": (Message(role="user", content="?", name="bob"),)},
        {"messages": (Message(role="assistant", content=(ToolCall(name="f", raw_arguments="{broken"),)),)},
        {"reasoning": ReasoningOptions(budget_tokens=5)},
        {"tools": (Tool(name="f", strict=True),)},
    ],
)
def test_what_the_api_has_no_words_for_is_refused(given: dict[str, Any]) -> None:
    """And never left out."""
    with pytest.raises(UnsupportedError):
        body(**given)


def test_thoughts_words_calls_and_probabilities_of_a_stream() -> None:
    """They come in this order; a call in one piece; the last line has the counts; `stop` with a call is a call."""
    answer = StreamedAnswer(began_s=0.0)
    lines: list[dict[str, Any]] = [
        {"message": {"role": "assistant", "content": "", "thinking": "h"}, "done": False},
        {"message": {"role": "assistant", "content": "", "thinking": "m"}, "done": False},
        {"message": {"content": "A"}, "done": False, "logprobs": [{"token": "A", "logprob": -0.5, "bytes": [65]}]},
        {"message": {"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}, "done": False},
        {**DONE, "message": {"content": ""}},
    ]
    for line in lines:
        answer.take(json.dumps(line), now_s=1.0)
    whole = answer.completion(now_s=2.0)
    assert [type(block) for block in whole.reply.blocks] == [Reasoning, Text, ToolCall]
    assert (whole.reasoning, whole.text, whole.tool_calls[0].arguments) == ("hm", "A", {"x": 1})
    assert (whole.finish_reason, whole.raw_finish_reason) == (FinishReason.TOOL_CALL, "stop")
    assert (whole.usage.input_tokens, whole.usage.output_tokens, whole.latency.ttft_s) == (9, 4, 1.0)
    assert whole.logprobs is not None
    assert whole.logprobs[0].token_bytes == b"A"


def test_a_stream_that_was_cut_is_no_answer() -> None:
    """Only a line that says `done` ends one; an error may come in the middle."""
    answer = StreamedAnswer(began_s=0.0)
    answer.take('{"message": {"content": "A"}, "done": false}', now_s=1.0)
    with pytest.raises(ResponseFormatError):
        answer.completion(now_s=2.0)
    with pytest.raises(ResponseFormatError, match="out of memory"):
        answer.take('{"error": "out of memory"}', now_s=2.0)
    with pytest.raises(ResponseFormatError):
        parse_completion('{"message": {"content": "A"}, "done": false}', e2e_latency_s=1.0)


def test_errors_that_only_words_tell() -> None:
    """A model that is not there, and a prompt that is too long."""
    missing = error_of(404, """{"error": "model 'nope' not found"}""", {})
    assert isinstance(missing, UnknownModelError)
    assert "ollama pull" in str(missing.hint)
    assert isinstance(
        error_of(400, '{"error": "the input length exceeds the context length"}', {}), ContextLengthExceededError
    )


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("box:8000", "http://box:8000"),
        ("https://ollama.com", "https://ollama.com"),
    ],
)
async def test_the_server_is_found_as_ollama_finds_it(host: str, address: str, tmp_path: Path) -> None:
    """`OLLAMA_HOST` may lack the scheme and the port, and name where a server listens."""
    runner = await open_runner("qwen2.5:7b", settings(tmp_path, environment={"OLLAMA_HOST": host} if host else {}))
    assert runner.model.identity == {"provider": "ollama", "base_url": address, "model": "qwen2.5:7b"}


async def test_a_context_that_is_no_number_is_wrong_use(tmp_path: Path) -> None:
    """And the context is part of what the model is: it may see less with a smaller one."""
    with pytest.raises(UsageError):
        await open_runner("m", settings(tmp_path, options={"context_tokens": "much"}))
    runner = await open_runner("http://h:1#m", settings(tmp_path, options={"context_tokens": "8192"}))
    assert runner.model.identity["context_tokens"] == 8192


async def test_a_prompt_of_which_little_was_read_is_warned_of(tmp_path: Path) -> None:
    """Older servers cut without a word; only the count of tokens tells. Both ways of asking warn."""
    session = LazySession()

    def answer(call: Call) -> Any:
        whole = {**DONE, "message": {"content": "A"}, "prompt_eval_count": 100}
        return json.dumps(whole) + "\n" if call.body["stream"] else whole

    async with fake_server(answer) as server:
        runner = await open_runner(f"{server.url}#m", RunnerSettings(home=tmp_path, session=session))
        short = CompletionRequest(messages=(Message(role="user", content="word " * 80),))
        long = CompletionRequest(messages=(Message(role="user", content="word " * 4000),))
        assert "warning" not in (await runner.complete(short)).metadata
        assert "context_tokens" in str((await runner.complete(long)).metadata["warning"])
        *_, last = [piece async for piece in runner.stream(long)]
    await session.close()
    assert isinstance(last, Completion)
    assert "context_tokens" in str(last.metadata["warning"])


async def test_vectors_of_new_and_old_servers(tmp_path: Path) -> None:
    """The older endpoint takes one text only."""
    session = LazySession()

    def answer(call: Call) -> Any:
        return {"embedding": [1.0]} if call.path.endswith("/embeddings") else {"embeddings": [[1.0], [2]]}

    async with fake_server(answer) as server:
        given = RunnerSettings(home=tmp_path, session=session)
        new = await open_runner(f"{server.url}#m", given)
        assert (await new.embed(EmbeddingRequest(texts=("a", "b")))).vectors == ((1.0,), (2.0,))
        older = RunnerSettings(home=tmp_path, session=session, options={"endpoint": "embeddings"})
        old = await open_runner(f"{server.url}#m", older)
        assert (await old.embed(EmbeddingRequest(texts=("a",)))).vectors == ((1.0,),)
        with pytest.raises(UnsupportedError):
            await old.embed(EmbeddingRequest(texts=("a", "b")))
    await session.close()
