"""Hugging Face: addresses, tasks, and texts to continue."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import (
    Audio,
    CompletionRequest,
    EmbeddingRequest,
    FinishReason,
    ImageRequest,
    Message,
    SpeechRequest,
    TranscriptionRequest,
)
from fieldguide.errors import (
    ContextLengthExceededError,
    MissingKeyError,
    ResponseFormatError,
    RunnerError,
    UnsupportedError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.huggingface import StreamedText, generate_body, open_runner, parse_generated, tasks
from tests.support.fake_server import chat, fake_server

TOO_LONG = (
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
    "Given: 17 `inputs` tokens and 10000 `max_new_tokens`"
)


def settings(tmp_path: Path, **given: Any) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), **{"environment": {"HF_TOKEN": "secret"}, **given})


async def test_a_missing_key_names_its_variable_and_where_to_get_one(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(MissingKeyError) as caught:
        await open_runner("org/model", settings(tmp_path, environment={}))
    assert caught.value.variable == "HF_TOKEN"
    assert "https://huggingface.co/settings/tokens" in str(caught.value.hint)
    with pytest.raises(UsageError):
        await open_runner("org/model", settings(tmp_path, options={"endpoint": "none"}))


async def test_the_provider_behind_a_model_stays_in_its_name(tmp_path: Path) -> None:
    """Its suffix goes to the router; tasks are only asked of Hugging Face's own service."""
    session = LazySession()
    async with fake_server(lambda call: chat("4")) as server:
        environment = {"HF_TOKEN": "secret", "HF_INFERENCE_BASE_URL": server.url}
        given = RunnerSettings(home=tmp_path, session=session, environment=environment)
        runner = await open_runner("org/model:groq", given)
        await runner.complete(CompletionRequest(messages=(Message(role="user", content="?"),)))
        with pytest.raises(UnsupportedError):
            await runner.embed(EmbeddingRequest(texts=("a",)))
    await session.close()
    assert server.calls[0].body["model"] == "org/model:groq"
    assert runner.model.reference == "huggingface:org/model:groq"


@pytest.mark.parametrize(
    ("target", "asked", "path"),
    [
        ("org/model", "embed", "/hf-inference/models/org/model/pipeline/feature-extraction"),
        ("{url}#org/model", "embed", "/embed"),
        ("org/model", "generate", "/hf-inference/models/org/model"),
        ("{url}/v1#org/model", "generate", "/"),
        ("{url}#tgi", "chat", "/v1/chat/completions"),
    ],
)
async def test_router_and_dedicated_endpoint_are_asked_at_their_paths(
    target: str, asked: str, path: str, tmp_path: Path
) -> None:
    """An endpoint has one model, at its own address, with `/v1` or without."""
    session = LazySession()
    answers = {"embed": "[[1.0, 2]]", "generate": '[{"generated_text": " two"}]', "chat": json.dumps(chat("4"))}
    async with fake_server(lambda call: answers[asked]) as server:
        url = server.url.removesuffix("/v1")
        environment = {"HF_TOKEN": "secret", "HF_INFERENCE_BASE_URL": server.url}
        options = {"endpoint": "generate"} if asked == "generate" else {}
        given = RunnerSettings(home=tmp_path, session=session, environment=environment, options=options)
        runner = await open_runner(target.format(url=url), given)
        if asked == "embed":
            assert (await runner.embed(EmbeddingRequest(texts=("a",)))).vectors == ((1.0, 2.0),)
        elif asked == "generate":
            assert (await runner.complete(CompletionRequest(prompt="One,"))).text == " two"
        else:
            await runner.complete(CompletionRequest(messages=(Message(role="user", content="?"),)))
    await session.close()
    assert server.calls[0].path == path
    assert server.calls[0].headers["Authorization"] == "Bearer secret"


def test_a_text_is_continued_with_its_details() -> None:
    """The text itself is not repeated; limits and sampling stand among the parameters."""
    request = CompletionRequest(
        prompt="One,", max_output_tokens=5, seed=1, stop=("x",), logprobs=2, extra={"huggingface": {"options": {}}}
    )
    body = generate_body(request, stream=True)
    wanted = {"max_new_tokens": 5, "seed": 1, "stop": ["x"], "top_n_tokens": 2}
    assert body["parameters"] == {"return_full_text": False, "details": True, **wanted}
    assert (body["inputs"], body["stream"], body["options"]) == ("One,", True, {})


def test_the_details_of_a_text_are_its_usage_reason_and_probabilities() -> None:
    """A token without a probability has none that is a number."""
    details = {
        "finish_reason": "length",
        "generated_tokens": 2,
        "input_length": 3,
        "tokens": [{"id": 1, "text": " t", "logprob": -0.5}, {"id": 2, "text": "wo", "logprob": None}],
    }
    whole = parse_generated(json.dumps({"generated_text": " two", "details": details}), e2e_latency_s=1.0)
    assert (whole.text, whole.finish_reason, whole.usage.input_tokens, whole.usage.output_tokens) == (
        " two", FinishReason.LENGTH, 3, 2,
    )  # fmt: skip
    assert whole.logprobs is not None
    assert whole.logprobs[0].logprob == -0.5
    assert math.isnan(whole.logprobs[1].logprob)


def test_a_streamed_text_ends_with_its_whole() -> None:
    """Tokens that only mark the end are no words; an error may come in the middle; a cut stream is no answer."""
    answer = StreamedText(began_s=0.0)
    answer.take('{"token": {"text": " two", "logprob": -1}, "generated_text": null}', now_s=1.0)
    with pytest.raises(ResponseFormatError):
        answer.completion(now_s=2.0)
    with pytest.raises(ContextLengthExceededError):
        answer.take(
            '{"error": "inputs exceed the maximum context length of 4096", "error_type": "validation"}', now_s=2.0
        )
    last = {"token": {"text": "</s>", "logprob": -1, "special": True}, "generated_text": " two"}
    answer.take(json.dumps({**last, "details": {"finish_reason": "eos_token", "generated_tokens": 2}}), now_s=2.0)
    whole = answer.completion(now_s=3.0)
    assert (whole.text, whole.finish_reason, whole.usage.output_tokens) == (" two", FinishReason.STOP, 2)


def test_vectors_are_one_for_each_text() -> None:
    """One for each token is none; a single text may come without its list."""
    assert tasks.parse_features("[1, 2.5]", count=1, e2e_latency_s=1.0).vectors == ((1.0, 2.5),)
    assert tasks.parse_features("[[1], [2]]", count=2, e2e_latency_s=1.0).vectors == ((1.0,), (2.0,))
    for text in ("[[[1], [2]]]", "[[1]]", "[]", "no"):
        with pytest.raises(ResponseFormatError):
            tasks.parse_features(text, count=2, e2e_latency_s=1.0)
    with pytest.raises(RunnerError, match="loading"):
        tasks.parse_features('{"error": "Model is loading"}', count=1, e2e_latency_s=1.0)


def test_the_tasks_say_what_they_have_no_word_for() -> None:
    """And write the rest as the service wants it."""
    assert tasks.text_to_image_body(ImageRequest(prompt="a cat", size="512x256"))["parameters"] == {
        "width": 512, "height": 256,
    }  # fmt: skip
    sound = tasks.recognition_body(TranscriptionRequest(audio=Audio(data=b"abc"), segments=True))
    assert sound == {"inputs": "YWJj", "parameters": {"return_timestamps": True}}
    heard = tasks.parse_recognized('{"text": "hi", "chunks": [{"text": "hi", "timestamp": [0, 1]}]}', e2e_latency_s=1.0)
    assert (heard.text, len(heard.segments)) == ("hi", 1)
    assert tasks.sound_of(b"x", "audio/flac; q=1").media_type == "audio/flac"
    assert tasks.image_of(b"x", "image/png", e2e_latency_s=1.0).images[0].data == b"x"
    with pytest.raises(ResponseFormatError):
        tasks.image_of(b"{}", "application/json", e2e_latency_s=1.0)
    wishes: tuple[Callable[[], object], ...] = (
        lambda: tasks.text_to_image_body(ImageRequest(prompt="a", count=2)),
        lambda: tasks.text_to_image_body(ImageRequest(prompt="a", size="big")),
        lambda: tasks.text_to_speech_body(SpeechRequest(text="a", voice="b")),
        lambda: tasks.recognition_body(TranscriptionRequest(audio=Audio(url="https://h/a"))),
        lambda: tasks.feature_body(EmbeddingRequest(texts=("a",), dimensions=3)),
    )
    for refused in wishes:
        with pytest.raises(UnsupportedError):
            refused()
