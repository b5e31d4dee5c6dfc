"""Hosts that speak OpenAI's protocol: keys, addresses, and their own words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fieldguide.domain import CompletionRequest, Message, ReasoningOptions, SpeechRequest, Tool, ToolChoice
from fieldguide.errors import MissingKeyError, UnsupportedError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings, deepseek, groq, mistral, modelscope, openrouter, xai
from fieldguide.runners._host import Host
from fieldguide.runners.openai_chat import Dialect, StreamedAnswer, parse_completion, request_body
from fieldguide.runners.openai_chat._messages import wire_messages
from tests.support.fake_server import chat, fake_server

HOSTS = (groq.HOST, mistral.HOST, openrouter.HOST, deepseek.HOST, xai.HOST, modelscope.HOST)


def body(dialect: Dialect, **given: Any) -> dict[str, Any]:
    request = CompletionRequest(messages=(Message(role="user", content="?"),), **given)
    return request_body(request, model="m", stream=False, dialect=dialect)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.dialect.provider)
async def test_a_host_is_known_by_its_key_and_its_address(host: Host, tmp_path: Path) -> None:
    """A missing key names its variable and where to get one; identity has an address only where it is another."""
    given = RunnerSettings(home=tmp_path, session=LazySession())
    with pytest.raises(MissingKeyError) as caught:
        host.open("m", given)
    assert caught.value.variable == host.keys[0]
    assert host.where in str(caught.value.hint)
    session = LazySession()
    async with fake_server(lambda call: chat("4")) as server:
        environment = {host.keys[-1]: "secret", host.address: server.url}
        runner = host.open("m", RunnerSettings(home=tmp_path, session=session, environment=environment))
        await runner.complete(CompletionRequest(messages=(Message(role="user", content="?"),)))
    await session.close()
    assert server.calls[0].headers["Authorization"] == "Bearer secret"
    assert runner.model.identity == {"provider": host.dialect.provider, "model": "m", "base_url": server.url}


def test_mistral_has_its_own_words_for_a_seed_and_for_some_tool() -> None:
    """And is not asked for usage in streams, which it tells anyway."""
    sent = body(mistral.MISTRAL, seed=1, tools=(Tool(name="f"),), tool_choice=ToolChoice(mode="required"))
    assert (sent["random_seed"], sent["tool_choice"]) == (1, "any")
    assert "seed" not in sent
    request = CompletionRequest(messages=(Message(role="user", content="?"),))
    assert "stream_options" not in request_body(request, model="m", stream=True, dialect=mistral.MISTRAL)


@pytest.mark.parametrize(
    ("dialect", "options", "fields"),
    [
        (openrouter.OPENROUTER, ReasoningOptions(effort="high"), {"reasoning": {"effort": "high"}}),
        (openrouter.OPENROUTER, ReasoningOptions(budget_tokens=9), {"reasoning": {"max_tokens": 9}}),
        (openrouter.OPENROUTER, ReasoningOptions(enabled=False), {"reasoning": {"enabled": False}}),
        (deepseek.DEEPSEEK, ReasoningOptions(enabled=True), {"thinking": {"type": "enabled"}}),
        (modelscope.MODELSCOPE, ReasoningOptions(enabled=False), {"enable_thinking": False}),
        (modelscope.MODELSCOPE, ReasoningOptions(budget_tokens=9), {"thinking_budget": 9}),
        (groq.GROQ, ReasoningOptions(effort="low"), {"reasoning_effort": "low"}),
    ],
)
def test_each_host_is_told_how_much_to_think_in_its_way(
    dialect: Dialect, options: ReasoningOptions, fields: dict[str, Any]
) -> None:
    """What a host has no words for is refused."""
    sent = body(dialect, reasoning=options)
    assert {name: value for name, value in sent.items() if name not in {"model", "messages"}} == fields
    with pytest.raises(UnsupportedError):
        body(dialect, reasoning=ReasoningOptions(summary="auto"))


def test_details_of_reasoning_that_come_in_pieces_go_back_whole() -> None:
    """OpenRouter seals reasoning in details: those of one kind under one index are one, with its signature."""
    answer = StreamedAnswer(began_s=0.0, provider="openrouter")
    pieces: list[list[dict[str, Any]]] = [
        [{"type": "reasoning.text", "index": 0, "text": "h", "signature": None}],
        [{"type": "reasoning.text", "index": 0, "text": "m", "signature": None}],
        [{"type": "reasoning.text", "index": 0, "text": "", "signature": "seal"}],
        [{"type": "reasoning.encrypted", "index": 0, "data": "x"}],
    ]
    for details in pieces:
        answer.take(json.dumps({"choices": [{"delta": {"reasoning_details": details}}]}), now_s=1.0)
    answer.take('{"choices": [{"delta": {"content": "A"}, "finish_reason": "stop"}]}', now_s=1.0)
    sent = wire_messages(answer.completion(now_s=2.0).reply, openrouter.OPENROUTER)[0]
    assert isinstance(sent, dict)
    assert sent["reasoning_details"] == [
        {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "seal"},
        {"type": "reasoning.encrypted", "index": 0, "data": "x"},
    ]


def test_parts_of_unknown_kinds_are_kept_and_go_back() -> None:
    """Mistral's references to what it read, whole and streamed."""
    part = {"type": "reference", "reference_ids": [1]}
    content = [{"type": "text", "text": "Paris"}, part]
    whole = json.dumps({"choices": [{"finish_reason": "stop", "message": {"content": content}}]})
    answer = StreamedAnswer(began_s=0.0, provider="mistral")
    answer.take(json.dumps({"choices": [{"delta": {"content": content}, "finish_reason": "stop"}]}), now_s=1.0)
    for completion in (parse_completion(whole, e2e_latency_s=1.0, provider="mistral"), answer.completion(now_s=2.0)):
        assert completion.text == "Paris"
        sent = wire_messages(completion.reply, mistral.MISTRAL)[0]
        assert isinstance(sent, dict)
        assert sent["content"] == content


async def test_speech_may_come_in_json(tmp_path: Path) -> None:
    """As Mistral sends it."""
    session = LazySession()
    async with fake_server(lambda call: {"audio_data": "SUQz"}) as server:
        environment = {"MISTRAL_API_KEY": "secret", "MISTRAL_BASE_URL": server.url}
        given = RunnerSettings(home=tmp_path, session=session, environment=environment)
        spoken = await (await mistral.open_runner("voxtral", given)).speak(SpeechRequest(text="hi", voice="paul"))
    await session.close()
    assert (spoken.audio.data, spoken.audio.media_type) == (b"ID3", "audio/mpeg")
