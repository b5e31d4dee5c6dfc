"""The runner for OpenAI-compatible servers, against a real server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fieldguide import errors
from fieldguide.domain import Completion, CompletionRequest, FinishReason, Message, TextDelta
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners.openai_compatible import open_runner
from tests.support.fake_server import Call, FakeServer, Respond, chat, fake_server, sse

QUESTION = CompletionRequest(
    messages=(Message(role="system", content="Be brief."), Message(role="user", content="2 + 2?")),
    max_output_tokens=5,
    temperature=0.0,
    stop=("\n",),
    seed=7,
)
TEXT = CompletionRequest(prompt="2 + 2 =", max_output_tokens=5)


@pytest.fixture
async def session() -> AsyncIterator[LazySession]:
    made = LazySession()
    yield made
    await made.close()


async def open_for(server: FakeServer, session: LazySession, tmp_path: Path, **settings: Any) -> HttpRunner:
    return await open_runner(f"{server.url}#m", RunnerSettings(home=tmp_path, session=session, **settings))


async def completes(respond: Respond, session: LazySession, tmp_path: Path, **settings: Any) -> Completion:
    async with fake_server(respond) as server:
        runner = await open_for(server, session, tmp_path, **settings)
        return await runner.complete(QUESTION)


async def test_a_request_carries_exactly_what_was_asked(session: LazySession, tmp_path: Path) -> None:
    """Model, messages, limits, stop texts, seed and key go out; what was left open does not."""
    async with fake_server(lambda call: chat("4")) as server:
        runner = await open_for(server, session, tmp_path, api_key="secret")
        await runner.complete(QUESTION)
    call = server.calls[0]
    assert call.path == "/v1/chat/completions"
    assert call.headers["Authorization"] == "Bearer secret"
    assert call.body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}],
        "max_tokens": 5,
        "temperature": 0.0,
        "stop": ["\n"],
        "seed": 7,
    }


async def test_a_completion_keeps_what_the_server_told(session: LazySession, tmp_path: Path) -> None:
    """Text, reason in our word and theirs, usage with its details, model, reasoning, raw body and latency."""

    def respond(call: Call) -> dict[str, Any]:
        body = chat("4", finish_reason="length", input_tokens=12, output_tokens=5)
        body["choices"][0]["message"]["reasoning_content"] = "two and two"
        body["usage"]["prompt_tokens_details"] = {"cached_tokens": 8}
        body["usage"]["completion_tokens_details"] = {"reasoning_tokens": 3}
        return body

    completion = await completes(respond, session, tmp_path)
    assert completion.text == "4"
    assert completion.reasoning == "two and two"
    assert (completion.finish_reason, completion.raw_finish_reason) == (FinishReason.LENGTH, "length")
    usage = completion.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_input_tokens, usage.reasoning_tokens) == (12, 5, 8, 3)
    assert completion.model == "served-model"
    assert completion.raw
    assert "chatcmpl-1" in completion.raw
    assert completion.latency.e2e_latency_s is not None
    assert completion.latency.e2e_latency_s > 0


async def test_text_goes_to_the_completions_endpoint_only_where_it_was_chosen(
    session: LazySession, tmp_path: Path
) -> None:
    """By default a plain text is refused, not turned into something else."""
    answer = {
        "choices": [{"text": " 4", "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4, "completion_tokens": 1},
    }
    async with fake_server(lambda call: answer) as server:
        chat_only = await open_for(server, session, tmp_path)
        with pytest.raises(errors.UnsupportedError):
            await chat_only.complete(TEXT)
        runner = await open_for(server, session, tmp_path, options={"endpoint": "completions"})
        completion = await runner.complete(TEXT)
    assert completion.text == " 4"
    assert [call.path for call in server.calls] == ["/v1/completions"]
    assert server.calls[0].body["prompt"] == "2 + 2 ="


async def test_a_stream_gives_its_pieces_and_then_the_whole(session: LazySession, tmp_path: Path) -> None:
    """Reasoning and answer are told apart; usage and reason come from the last events."""
    stream = sse(
        {"model": "served", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
        {"choices": [{"delta": {"reasoning_content": "hm"}}]},
        {"choices": [{"delta": {"content": "fo"}}]},
        {"choices": [{"delta": {"content": "ur"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2}},
        "[DONE]",
    )
    async with fake_server(lambda call: stream) as server:
        runner = await open_for(server, session, tmp_path)
        pieces = [piece async for piece in runner.stream(QUESTION)]
    assert server.calls[0].body["stream"] is True
    whole = pieces[-1]
    assert isinstance(whole, Completion)
    assert [(piece.text, piece.reasoning) for piece in pieces if isinstance(piece, TextDelta)] == [
        ("hm", True),
        ("fo", False),
        ("ur", False),
    ]
    assert (whole.text, whole.reasoning, whole.usage.output_tokens, whole.model) == ("four", "hm", 2, "served")
    assert whole.latency.ttft_s is not None


@pytest.mark.parametrize(
    "stream",
    [
        sse({"choices": [{"delta": {"content": "fo"}}]}),
        sse({"choices": [{"delta": {"content": "fo"}}]}, "[DONE]"),
        sse({"choices": [{"delta": {"content": "fo"}}]}, "{not json"),
        sse({"choices": [{"delta": {"content": "fo"}}]}, {"error": {"message": "overloaded", "code": 500}}),
        sse({"choices": [{"delta": {"content": "fo"}, "finish_reason": "error"}]}, "[DONE]"),
        "",
    ],
)
async def test_a_stream_that_broke_off_is_never_an_answer(session: LazySession, tmp_path: Path, stream: str) -> None:
    """Cut, malformed, with an error inside, or empty: an error, whatever text came before."""
    async with fake_server(lambda call: stream) as server:
        runner = await open_for(server, session, tmp_path)
        with pytest.raises(errors.RunnerError):
            async for piece in runner.stream(QUESTION):
                assert not isinstance(piece, Completion)


def _bodies() -> list[tuple[str, Any, type[errors.RunnerError]]]:
    return [
        ("error in a 200", {"error": {"message": "model is loading"}}, errors.ResponseFormatError),
        ("quota in a 200", {"error": {"code": "insufficient_quota", "message": "x"}}, errors.QuotaExhaustedError),
        ("no choices", {"choices": []}, errors.ResponseFormatError),
        ("null content", chat(None), errors.ResponseFormatError),
        ("an error as reason", chat("x", finish_reason="error"), errors.ResponseFormatError),
        ("a list", web.Response(text="[1]", content_type="application/json"), errors.ResponseFormatError),
        ("a page", web.Response(text="<html>hello</html>", content_type="text/html"), errors.ResponseFormatError),
        ("nothing", web.Response(text=""), errors.ResponseFormatError),
        ("cut JSON", web.Response(text='{"choices": [{"mess'), errors.ResponseFormatError),
        ("deep JSON", web.Response(text="[" * 200_000), errors.ResponseFormatError),
        ("a number as reason", {"choices": [{"message": {}, "finish_reason": 7}]}, errors.ResponseFormatError),
        ("a status", web.Response(status=503, text="busy"), errors.RunnerUnavailableError),
    ]


@pytest.mark.parametrize(("body", "kind"), [case[1:] for case in _bodies()], ids=[case[0] for case in _bodies()])
async def test_an_upstream_that_lies_is_an_error_of_its_kind(
    session: LazySession, tmp_path: Path, body: Any, kind: type[errors.RunnerError]
) -> None:
    """Whatever comes in place of an answer is never taken for one."""
    with pytest.raises(kind):
        await completes(lambda call: body, session, tmp_path)


async def test_an_answer_that_is_only_filtered_or_cut_is_an_answer(session: LazySession, tmp_path: Path) -> None:
    """No content with `length` or `content_filter` is what the model did: kept and judged, not failed."""
    cut = await completes(lambda call: chat(None, finish_reason="length"), session, tmp_path)
    assert (cut.text, cut.finish_reason) == ("", FinishReason.LENGTH)
    withheld = await completes(lambda call: chat(None, finish_reason="content_filter"), session, tmp_path)
    assert withheld.finish_reason is FinishReason.CONTENT_FILTER


async def test_fields_of_the_wrong_type_do_not_cost_the_answer(session: LazySession, tmp_path: Path) -> None:
    """A number for a model, a list for a reason, a part without text: unknown, and the text is kept."""
    body = chat("4") | {"model": 5}
    body["choices"][0]["finish_reason"] = ["stop"]
    completion = await completes(lambda call: body, session, tmp_path)
    assert (completion.text, completion.model, completion.finish_reason) == ("4", None, FinishReason.UNKNOWN)
    parts = chat("x")
    parts["choices"][0]["message"]["content"] = [{"type": "text", "text": None}, {"type": "text", "text": "4"}]
    assert (await completes(lambda call: parts, session, tmp_path)).text == "4"


async def test_a_key_that_is_echoed_is_not_kept(session: LazySession, tmp_path: Path) -> None:
    """Neither an error nor an answer brings the key into records or onto the screen."""
    refused = web.Response(status=401, text='{"error": {"message": "bad key Bearer sek-RET"}}')
    with pytest.raises(errors.AuthenticationError) as caught:
        await completes(lambda call: refused, session, tmp_path, api_key="sek-RET")
    assert "sek-RET" not in caught.value.message
    echoed = await completes(lambda call: chat("sek-RET"), session, tmp_path, api_key="sek-RET")
    assert "sek-RET" not in echoed.text + (echoed.raw or "")


async def test_a_huge_body_is_not_read_to_its_end(session: LazySession, tmp_path: Path) -> None:
    """Past 32 MiB the answer is refused."""
    body = web.Response(body=b"x" * (33 * 1024 * 1024))
    with pytest.raises(errors.ResponseFormatError, match="32 MiB"):
        await completes(lambda call: body, session, tmp_path)


async def test_a_redirect_is_not_followed(session: LazySession, tmp_path: Path) -> None:
    """A key belongs to one host: the second server never hears of it."""
    async with fake_server(lambda call: chat("stolen")) as thief:
        moved = web.Response(status=307, headers={"Location": f"{thief.url}/chat/completions"})
        with pytest.raises(errors.InvalidRequestError, match="redirect"):
            await completes(lambda call: moved, session, tmp_path, api_key="secret")
        assert thief.calls == []


async def test_a_deadline_holds(session: LazySession, tmp_path: Path) -> None:
    """A server that takes a request and never answers ends in a time-out."""
    async with fake_server(lambda call: chat("late"), delay_s=3) as server:
        runner = await open_for(server, session, tmp_path, deadline_s=0.2)
        with pytest.raises(errors.RunnerTimeoutError):
            await asyncio.wait_for(runner.complete(QUESTION), 5)


async def test_nobody_there_is_told_with_the_address(session: LazySession, tmp_path: Path) -> None:
    """Connection refused names the server and is worth another try."""
    runner = await open_runner("http://127.0.0.1:9/v1#m", RunnerSettings(home=tmp_path, session=session))
    with pytest.raises(errors.RunnerUnavailableError, match=r"127\.0\.0\.1:9") as caught:
        await runner.complete(QUESTION)
    assert caught.value.retryable


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/v1",
        "ftp://x#m",
        "nothing#m",
        "http://user:key@host/v1#m",
        "http://[::1#m",
        "http://h:99999/v1#m",
        "http://h/v1?api_key=x#m",
    ],
)
async def test_an_address_that_cannot_be_used_is_refused_at_once(
    session: LazySession, tmp_path: Path, target: str
) -> None:
    """No model, no HTTP address, or a key where it would be recorded."""
    with pytest.raises(errors.UsageError):
        await open_runner(target, RunnerSettings(home=tmp_path, session=session))
