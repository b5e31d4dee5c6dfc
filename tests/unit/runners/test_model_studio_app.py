"""Applications of Model Studio, by the answers that DashScope's own library is tested with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import CompletionRequest, FinishReason, Message
from fieldguide.errors import InvalidRequestError, MissingKeyError, UnsupportedError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.model_studio import error_of
from fieldguide.runners.model_studio._response import parse_completion
from fieldguide.runners.model_studio.app import PROVIDER, StreamedApp, app_body, counted, open_runner
from tests.support.fake_server import fake_server
from tests.support.shared import shared

SAMPLING = {"temperature", "top_p", "top_k", "seed"}


def cases() -> dict[str, dict[str, Any]]:
    document = json.loads(shared("specs", "dashscope-app-mocks.json").read_text(encoding="utf-8"))
    return {case["name"]: case for case in document["cases"]}


def asked(case: dict[str, Any]) -> CompletionRequest:
    """Return what the library was asked as our request."""
    call = {name: value for name, value in case["sdk_call"].items() if name not in {"app_id", "workspace"}}
    prompt = call.pop("prompt")
    sampling = {name: call.pop(name) for name in SAMPLING & set(call)}
    return CompletionRequest(messages=(Message(role="user", content=prompt),), extra={PROVIDER: call}, **sampling)


def test_our_request_is_that_of_the_library() -> None:
    """But for its empty `model`."""
    for case in cases().values():
        theirs = {name: value for name, value in case["request"]["body"].items() if name != "model"}
        assert app_body(asked(case), stream=False) == theirs


def test_what_was_looked_up_and_thought_is_kept() -> None:
    """References to documents, the steps, and the session, beside the words; tokens of all models together."""
    for name in ("test_rag_call", "test_flow_call"):
        body = cases()[name]["response"]["body"]
        answer = counted(parse_completion(json.dumps(body), e2e_latency_s=1.0))
        output = body["output"]
        assert (answer.text, answer.finish_reason) == (output["text"], FinishReason.STOP)
        kept = {key: value for key, value in output.items() if key not in {"text", "finish_reason"}}
        assert answer.metadata["output"] == kept
        assert answer.usage.input_tokens == sum(each["input_tokens"] for each in body["usage"]["models"])
        assert (answer.response_id, answer.raw_usage) == (body["request_id"], body["usage"])
    failed = cases()["test_call_with_error"]["response"]
    error = error_of(failed["status"], json.dumps(failed["body"]), {})
    assert isinstance(error, InvalidRequestError)
    assert "App id is invalid" in error.message


def test_a_streamed_answer_is_the_sum_of_its_pieces() -> None:
    """The session comes with each event and is kept once."""
    answer = StreamedApp(began_s=0.0)
    answer.take('{"output": {"text": "A", "finish_reason": "null", "session_id": "s"}, "request_id": "r"}', now_s=1.0)
    usage = {"models": [{"model_id": "m", "input_tokens": 2, "output_tokens": 1}]}
    last = {"output": {"text": "B", "finish_reason": "stop", "session_id": "s"}, "usage": usage}
    answer.take(json.dumps(last), now_s=1.5)
    whole = answer.completion(now_s=2.0)
    assert (whole.text, whole.usage.output_tokens, whole.metadata["output"]) == ("AB", 1, {"session_id": "s"})


async def test_an_application_is_asked_at_its_own_address(tmp_path: Path) -> None:
    """Several turns go as messages; a bound on the answer is refused; a missing key names its variable."""
    with pytest.raises(MissingKeyError):
        await open_runner("app", RunnerSettings(home=tmp_path, session=LazySession()))
    session = LazySession()
    reply = {"output": {"text": "hi", "finish_reason": "stop"}, "request_id": "r"}
    async with fake_server(lambda call: reply) as server:
        environment = {"DASHSCOPE_API_KEY": "secret", "DASHSCOPE_HTTP_BASE_URL": server.url}
        runner = await open_runner("a/b", RunnerSettings(home=tmp_path, session=session, environment=environment))
        turns = tuple(Message(role=role, content="x") for role in ("user", "assistant", "user"))
        assert (await runner.complete(CompletionRequest(messages=turns))).text == "hi"
        with pytest.raises(UnsupportedError):
            await runner.complete(CompletionRequest(messages=turns, max_output_tokens=5))
    await session.close()
    assert server.calls[0].path.endswith("/apps/a%2Fb/completion") or server.calls[0].path.endswith(
        "/apps/a/b/completion"
    )
    assert [turn["role"] for turn in server.calls[0].body["input"]["messages"]] == ["user", "assistant", "user"]
