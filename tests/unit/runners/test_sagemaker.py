"""SageMaker's runner: what containers speak, in whole answers and in streams of parts that end anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fieldguide.domain import Completion, CompletionRequest, FinishReason, Image, JsonValue, Message, TextDelta, Usage
from fieldguide.errors import (
    ContextLengthExceededError,
    MissingKeyError,
    ProviderFaultError,
    ResponseFormatError,
    RunnerError,
    UnsupportedError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.sagemaker import VARIABLES, open_runner
from fieldguide.runners.sagemaker._inputs import StreamedText, inputs_body, parse_generated
from fieldguide.runners.sagemaker._wire import InputsWire
from tests.support.event_stream import event, exception, in_pieces
from tests.support.fake_server import chat, fake_server, sse

_SIGNED = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_REGION": "eu-west-1"}
_DETAILS = {
    "finish_reason": "eos_token",
    "generated_tokens": 2,
    "input_length": 7,
    "tokens": [{"id": 1, "text": "He", "logprob": -0.5}, {"id": 2, "text": "llo", "logprob": None}],
    "top_tokens": [[{"id": 1, "text": "He", "logprob": -0.5}, {"id": 3, "text": "Hi", "logprob": -1}]],
}


def settings(tmp_path: Path, environment: dict[str, str], **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), environment=environment, **given)


async def test_an_endpoint_is_named_with_the_form_that_its_container_speaks(tmp_path: Path) -> None:
    """Chat completions without one; options name its parts."""
    options = {"component": "c", "variant": "v", "custom_attributes": "accept_eula=true"}
    runner = await open_runner("my-llama#m", settings(tmp_path, _SIGNED, options=options))
    messages = (Message(role="user", content="?"),)
    call = runner._wire.call(CompletionRequest(messages=messages), stream=False)
    assert call.url == "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/my-llama/invocations"
    assert call.json is not None
    assert call.json["model"] == "m"
    assert call.headers == {
        "X-Amzn-SageMaker-Inference-Component": "c",
        "X-Amzn-SageMaker-Target-Variant": "v",
        "X-Amzn-SageMaker-Custom-Attributes": "accept_eula=true",
    }
    texts = await open_runner("inputs/my-llama", settings(tmp_path, _SIGNED))
    call = texts._wire.call(CompletionRequest(prompt="?"), stream=True)
    assert call.url.endswith("/endpoints/my-llama/invocations-response-stream")
    assert call.json == {"inputs": "?", "parameters": {"return_full_text": False}, "stream": True}
    assert runner.model.identity["model"] == "m"
    assert runner.model.reference == "sagemaker:my-llama#m"
    assert {*_SIGNED} <= {*VARIABLES}


async def test_what_is_missing_is_said_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint, a region, credentials; a bearer key of Bedrock's is none for SageMaker."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    nowhere = {"AWS_CONFIG_FILE": str(tmp_path / "no"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no")}
    for target in (" ", "inputs/"):
        with pytest.raises(UsageError):
            await open_runner(target, settings(tmp_path, _SIGNED))
    with pytest.raises(UsageError, match="region"):
        await open_runner("e", settings(tmp_path, nowhere))
    with pytest.raises(MissingKeyError) as caught:
        await open_runner(
            "e", settings(tmp_path, nowhere | {"AWS_REGION": "eu-west-1", "AWS_BEARER_TOKEN_BEDROCK": "k"})
        )
    assert "BEDROCK" not in str(caught.value.hint)


async def test_a_container_of_chat_completions_is_heard_through_both_envelopes(tmp_path: Path) -> None:
    """Signed for SageMaker; a stream's parts may end in the middle of an event."""

    def answer(call: Any) -> Any:
        if not call.path.endswith("-stream"):
            return chat("4")
        said = sse(
            {"choices": [{"delta": {"content": "fo"}}]},
            {"choices": [{"delta": {"content": "ur"}, "finish_reason": "stop"}]},
            "[DONE]",
        ).encode()
        return web.Response(body=event("PayloadPart", said[:30]) + event("PayloadPart", said[30:]))

    session = LazySession()
    async with fake_server(answer) as server:
        environment = _SIGNED | {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": server.url}
        runner = await open_runner("e", RunnerSettings(home=tmp_path, session=session, environment=environment))
        request = CompletionRequest(messages=(Message(role="user", content="2+2?"),))
        assert (await runner.complete(request)).text == "4"
        *pieces, last = [piece async for piece in runner.stream(request)]
    await session.close()
    assert isinstance(last, Completion)
    assert last.text == "four"
    assert [piece.text for piece in pieces if isinstance(piece, TextDelta)] == ["fo", "ur"]
    assert "/eu-west-1/sagemaker/aws4_request" in server.calls[0].headers["Authorization"]


@pytest.mark.parametrize(
    "body",
    [
        [{"generated_text": "Hello", "details": _DETAILS}],
        {"generated_text": "Hello", "details": _DETAILS},
        [{"generation": "Hello", "details": _DETAILS}],
        [{"generation": {"role": "assistant", "content": "Hello"}, "details": _DETAILS}],
        {"outputs": ["Hello"], "details": _DETAILS},
    ],
)
def test_a_text_is_found_in_every_form_of_the_containers(body: Any) -> None:
    """With its reason, counts and probabilities; a probability that is not told is none."""
    completion = parse_generated(json.dumps(body), e2e_latency_s=1.0)
    assert completion.text == "Hello"
    assert (completion.finish_reason, completion.raw_finish_reason) == (FinishReason.STOP, "eos_token")
    assert completion.usage == Usage(input_tokens=7, output_tokens=2)
    assert completion.logprobs is not None
    ((first,), others) = completion.logprobs, completion.logprobs[0].alternatives
    assert (first.token, first.logprob) == ("He", -0.5)
    assert [other.token for other in others] == ["He", "Hi"]


def test_what_a_container_does_not_tell_is_unknown() -> None:
    """Never 0, never a reason that we made up."""
    completion = parse_generated('[{"generated_text": ""}]', e2e_latency_s=1.0)
    assert completion.text == ""
    assert completion.finish_reason is FinishReason.UNKNOWN
    assert completion.usage == Usage()
    assert completion.logprobs is None


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", ResponseFormatError),
        ("[]", ResponseFormatError),
        ('{"generated_text": 5}', ResponseFormatError),
        ('[{"embedding": [1]}]', ResponseFormatError),
        ('{"error": "prompt is too long for the context"}', ContextLengthExceededError),
    ],
)
def test_a_body_without_a_text_is_an_error(body: str, kind: type[RunnerError]) -> None:
    """Never an empty answer."""
    with pytest.raises(kind):
        parse_generated(body, e2e_latency_s=1.0)


def test_parameters_of_a_containers_own_stand_beside_ours() -> None:
    """And turns hold words alone."""
    extra: dict[str, dict[str, JsonValue]] = {
        "sagemaker": {"parameters": {"do_sample": True, "return_full_text": True}, "adapter": "a"}
    }
    body = inputs_body(CompletionRequest(prompt="?", logprobs=2, stop=("x",), extra=extra), stream=False)
    assert body == {
        "inputs": "?",
        "parameters": {"stop": ["x"], "details": True, "top_n_tokens": 2, "return_full_text": True, "do_sample": True},
        "adapter": "a",
    }
    turns = (Message(role="system", content="s"), Message(role="user", content="u"))
    assert inputs_body(CompletionRequest(messages=turns), stream=False) == {
        "inputs": [[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]]
    }
    for message in (
        Message(role="user", content=(Image(data=b"x"),)),
        Message(role="user", content="u", name="Ann"),
        Message(role="developer", content="d"),
    ):
        with pytest.raises(UnsupportedError):
            inputs_body(CompletionRequest(messages=(message,)), stream=False)


async def read(data: bytes) -> Completion:
    answer = StreamedText(began_s=0.0)
    async for line in InputsWire("", "e", headers={}).frames(in_pieces(data)):
        answer.take(line, now_s=1.0)
    return answer.completion(now_s=2.0)


_TOKENS = (
    {"token": {"id": 1, "text": "Hel", "logprob": -1.0, "special": False}, "generated_text": None, "details": None},
    {"token": {"id": 2, "text": "lo", "logprob": -2.0, "special": False}, "generated_text": None, "details": None},
    {
        "token": {"id": 0, "text": "</s>", "logprob": -0.1, "special": True},
        "generated_text": "Hello",
        "details": {"finish_reason": "eos_token", "generated_tokens": 3},
    },
)


@pytest.mark.parametrize("shape", ["data:{}\n\n", "data: {}\n\n", "{}\n"])
async def test_a_stream_of_tokens_is_put_together(shape: str) -> None:
    """As events with and without a space, or as lines; signs for the end are no words."""
    said = "".join(shape.replace("{}", json.dumps(token)) for token in _TOKENS).encode()
    data = b"".join(event("PayloadPart", said[start : start + 11]) for start in range(0, len(said), 11))
    completion = await read(data)
    assert completion.text == "Hello"
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage.output_tokens == 3
    assert completion.logprobs is not None
    assert [token.token for token in completion.logprobs] == ["Hel", "lo", "</s>"]


async def test_a_stream_that_breaks_off_is_no_answer() -> None:
    """By silence, by the container's word, by the service's."""
    begun = event("PayloadPart", f"data:{json.dumps(_TOKENS[0])}\n\n".encode())
    with pytest.raises(ResponseFormatError):
        await read(begun)
    with pytest.raises(RunnerError, match="out of memory"):
        await read(begun + event("PayloadPart", b'data:{"error": "out of memory", "error_type": "generation"}\n\n'))
    with pytest.raises(ProviderFaultError):
        await read(begun + exception("ModelStreamError", "The container went away."))
    with pytest.raises(ResponseFormatError):
        await read(event("PayloadPart", b"data:{broken\n\n"))
