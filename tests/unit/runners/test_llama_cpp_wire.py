"""The engine's own `/completion` format, without an engine."""

from __future__ import annotations

import json

import pytest

from fieldguide.domain import CompletionRequest, FinishReason, Message, TextDelta
from fieldguide.errors import ContextLengthExceededError, ResponseFormatError
from fieldguide.runners.llama_cpp._native_wire import (
    StreamedText,
    parse_completion,
    plain_chat,
    request_body,
    sampling,
)


def test_a_stated_temperature_switches_the_engines_own_filters_off() -> None:
    """Sampling is what the request states; without a temperature the engine's defaults stay."""
    stated = sampling(CompletionRequest(prompt="x", temperature=0.7))
    assert stated == {"temperature": 0.7, "top_k": 0, "min_p": 0.0, "top_p": 1.0}
    assert sampling(CompletionRequest(prompt="x", temperature=0.7, top_p=0.9, seed=3))["top_p"] == 0.9
    assert sampling(CompletionRequest(prompt="x", temperature=0, top_p=0.9)) == {"temperature": 0.0, "top_k": 1}
    assert sampling(CompletionRequest(prompt="x")) == {}


def test_the_prompt_goes_in_as_it_stands() -> None:
    """The body holds the prompt unchanged, the limit, and the stop texts."""
    request = CompletionRequest(prompt=" a\n", max_output_tokens=5, stop=("\n\n",))
    body = request_body(request, prompt=" a\n", stop=request.stop, cache_prompt=True, stream=False)
    assert body["prompt"] == " a\n"
    assert body["n_predict"] == 5
    assert body["stop"] == ["\n\n"]
    assert "stop" not in request_body(
        CompletionRequest(prompt="a"), prompt="a", stop=(), cache_prompt=True, stream=True
    )


def test_a_conversation_as_plain_text() -> None:
    """Each speaker is named, the system message stands alone, and the text ends where the assistant speaks."""
    messages = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Hi"),
        Message(role="assistant", content="Hello."),
        Message(role="user", content="Why?"),
    )
    assert plain_chat(messages) == "Be brief.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: Why?\n\nAssistant:"


@pytest.mark.parametrize(
    ("stop_type", "reason"),
    [
        ("eos", FinishReason.STOP),
        ("word", FinishReason.STOP),
        ("limit", FinishReason.LENGTH),
        ("none", FinishReason.UNKNOWN),
        (None, FinishReason.UNKNOWN),
    ],
)
def test_why_it_stopped_in_both_words(stop_type: str | None, reason: FinishReason) -> None:
    """The engine's word is mapped to ours and kept beside it."""
    completion = parse_completion(json.dumps({"content": "x", "stop_type": stop_type}), e2e_latency_s=1.0)
    assert completion.finish_reason is reason
    assert completion.raw_finish_reason == stop_type
    assert completion.usage.output_tokens is None


def test_input_tokens_include_the_cached_ones() -> None:
    """`input_tokens` is the whole prompt; what came from the cache is a part of it."""
    body = {"content": "x", "tokens_evaluated": 10, "tokens_predicted": 2, "timings": {"cache_n": 7, "prompt_n": 3}}
    usage = parse_completion(json.dumps(body), e2e_latency_s=1.0).usage
    assert (usage.input_tokens, usage.cached_input_tokens, usage.output_tokens) == (10, 7, 2)


@pytest.mark.parametrize("text", ["", "<html>", "[]", "{}", '{"content": 3}', "[" * 5000])
def test_what_is_not_an_answer_is_a_format_error(text: str) -> None:
    """Anything but an object with text is an error and never an empty answer."""
    with pytest.raises(ResponseFormatError):
        parse_completion(text, e2e_latency_s=1.0)


def test_an_error_in_a_stream_is_raised_as_what_it_is() -> None:
    """An error object in the middle of a stream becomes the error that it describes."""
    error = {"code": 400, "message": "too long", "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8}
    with pytest.raises(ContextLengthExceededError) as caught:
        StreamedText(began_s=0.0).take(json.dumps({"error": error}), now_s=1.0)
    assert (caught.value.limit_tokens, caught.value.requested_tokens) == (8, 9)


def test_a_stream_without_its_last_event_gives_no_completion() -> None:
    """Only the event that says why the answer ended makes it one."""
    answer = StreamedText(began_s=1.0)
    assert answer.take('{"content": "he", "stop": false}', now_s=2.0) == [TextDelta(text="he")]
    with pytest.raises(ResponseFormatError, match="broke off"):
        answer.completion(now_s=3.0)
    answer.take('{"content": "", "stop": true, "stop_type": "eos", "tokens_predicted": 1}', now_s=4.0)
    completion = answer.completion(now_s=4.0)
    assert completion.text == "he"
    assert completion.latency.ttft_s == 1.0
    assert completion.latency.e2e_latency_s == 3.0
