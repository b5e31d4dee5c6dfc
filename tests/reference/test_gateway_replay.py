"""Recorded exchanges through the gateway: what a client says reaches the provider whole, and the answer the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fieldguide.app.gateway import GatewayConfig
from fieldguide.domain import CompletionRequest
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings, Tap
from fieldguide.runners._sse import EventReader
from fieldguide.runners.anthropic import MessagesTap
from fieldguide.runners.anthropic import StreamedAnswer as StreamedMessage
from fieldguide.runners.openai_chat import ChatTap
from fieldguide.runners.openai_chat import StreamedAnswer as StreamedChat
from fieldguide.server._chat_read import read_chat
from fieldguide.server._errors import RequestError
from fieldguide.server._messages_read import read_messages
from fieldguide.server._responses_read import read_response
from tests.support.gateway import said, site_over
from tests.support.replay import Exchange, Replay, exchanges, lost, request_faults, served
from tests.support.replays import anthropic, openai_chat, openai_responses

LEAST_SHARE = 0.98
SAMPLE = 14


class _AnyHost(set[str]):
    """Lets every host be fetched from: what providers were asked is not ours to refuse here."""

    def __contains__(self, host: object) -> bool:
        return True


def _model(provider: str) -> Any:
    return SimpleNamespace(
        provider=provider,
        takes_chat_fields=provider == "openai",
        takes_response_fields=provider == "openai-responses",
    )


def _chat(body: dict[str, Any], notes: list[str]) -> CompletionRequest:
    return read_chat(body, _model("openai"), _AnyHost(), notes)


def _messages(body: dict[str, Any], notes: list[str]) -> CompletionRequest:
    return read_messages(body, speaks=True, media_hosts=_AnyHost(), notes=notes)


def _response(body: dict[str, Any], notes: list[str]) -> CompletionRequest:
    return read_response(body, _model("openai-responses"), _AnyHost(), notes)


Read = Callable[[dict[str, Any], list[str]], CompletionRequest]
WIRES: dict[str, tuple[Replay, str, Read, str]] = {
    "openai": (openai_chat.REPLAYS[0], "openai/chat", _chat, "/v1/chat/completions"),
    "anthropic": (anthropic.REPLAYS[0], "anthropic/messages", _messages, "/v1/messages"),
    "responses": (openai_responses.REPLAYS[0], "openai/responses", _response, "/v1/responses"),
}
REFUSED = ("not taken", "retired", "may not", "http", "is not known", "not offered", "has to be a data URL")
"""What the gateway refuses on purpose: state kept at the provider, addresses, tools that name servers."""


def _of_wire(wire: str) -> list[Exchange]:
    how, name, _, _ = WIRES[wire]
    found = []
    for exchange in exchanges(name):
        if not isinstance(exchange.body, dict) or exchange.status != 200 or "model" not in exchange.body:
            continue
        try:
            how.read(exchange)
        except Exception:
            continue
        found.append(exchange)
    return found


@pytest.mark.parametrize("wire", WIRES)
def test_what_a_client_says_reaches_the_same_provider_whole(wire: str) -> None:
    """A recorded request, read by the gateway and written by the runner, is the recorded one; unknown fields listed."""
    how, _, read, _ = WIRES[wire]
    failed, refused, tried = [], 0, 0
    for exchange in _of_wire(wire):
        notes: list[str] = []
        body = json.loads(json.dumps(exchange.body))
        try:
            request = read(body, notes)
        except RequestError as error:
            refused += 1
            if not any(word in str(error) for word in REFUSED):
                failed.append(f"{exchange.id}: {error}")
            continue
        tried += 1
        faults = [fault for fault in request_faults(how, exchange, request) if not _noted(fault, notes)]
        if faults:
            failed.append(f"{exchange.id}: {'; '.join(faults[:3])} (noted {notes})")
    assert tried > 20
    assert refused < tried / 4
    assert len(failed) <= tried * (1 - LEAST_SHARE), "\n".join([f"{len(failed)} of {tried}", *failed[:20]])


def _noted(fault: str, notes: list[str]) -> bool:
    """Whether a difference is a field that the client is told of."""
    return "is missing" in fault and any(fault.startswith(f"request .{note}") for note in notes)


@pytest.mark.parametrize("wire", WIRES)
async def test_what_a_provider_answers_reaches_the_same_client_whole(wire: str, tmp_path: Path) -> None:
    """The vendor's library exposes of the gateway's answer all that it exposes of the provider's, streams too."""
    how, _, _, path = WIRES[wire]
    failed, tried = [], 0
    session = LazySession()
    for number, exchange in enumerate(_sample(_of_wire(wire))):
        try:
            expected = how.oracle(exchange)
        except Exception:
            continue
        async with served(exchange) as (url, _):
            settings = RunnerSettings(home=tmp_path, session=session)
            assert how.open is not None
            runner = await how.open(url, exchange, settings)
            config = GatewayConfig(media_hosts=())
            async with site_over(tmp_path / str(number), {"alias": runner}, config=config) as site:
                site.gateway.config = replace(config, media_hosts=_AnyHost())  # type: ignore[arg-type]
                came = await said(site, path, {**exchange.body, "model": "alias"})
        if came.status != 200:
            assert any(word in came.body.decode() for word in REFUSED), f"{exchange.id}: {came.body!r}"
            continue
        tried += 1
        got = how.oracle(replace(exchange, response=came.body))
        faults = [fault for fault in lost(expected, got) if not _of_this_answer(fault, exchange)]
        if faults:
            failed.append(f"{exchange.id}: {'; '.join(faults[:3])}")
    await session.close()
    assert tried >= SAMPLE / 2
    assert not failed, "\n".join([f"{len(failed)} of {tried}", *failed])


@pytest.mark.parametrize(
    ("wire", "tap", "answer"),
    [
        ("openai", lambda: ChatTap(with_usage=True), lambda: StreamedChat(began_s=0.0, provider="openai")),
        ("anthropic", MessagesTap, lambda: StreamedMessage(began_s=0.0, provider="anthropic")),
    ],
)
def test_reading_along_tells_what_taking_apart_tells(
    wire: str, tap: Callable[[], Tap], answer: Callable[[], Any]
) -> None:
    """Of every recorded stream, usage, first token and faults are the same, and what passes through is what came."""
    tried = 0
    for exchange in _of_wire(wire):
        if not exchange.streamed:
            continue
        whole, along = answer(), tap()
        told, passed = [], b""
        for data in EventReader().take(exchange.response + b"\n\n"):
            passed += along.take(data, at_s=1.0)
            if data.strip() != "[DONE]":
                told.append(data)
                whole.take(data, now_s=1.0)
        expected = whole.completion(now_s=2.0)
        usage, latency = along.end(at_s=2.0)
        assert usage == expected.usage, exchange.id
        assert (latency.ttft_s is None) == (expected.latency.ttft_s is None), exchange.id
        assert EventReader().take(passed) == told, exchange.id
        assert along.seen >= len(expected.text), exchange.id
        tried += 1
    assert tried >= 10


def _sample(found: list[Exchange]) -> list[Exchange]:
    """Return some exchanges with as many different features as there are."""
    by_features: dict[tuple[str, ...], Exchange] = {}
    for exchange in found:
        by_features.setdefault((*exchange.features, str(exchange.streamed)), exchange)
    rare_first = sorted(by_features.values(), key=lambda exchange: -len(exchange.features))
    return rare_first[:SAMPLE]


def _of_this_answer(fault: str, exchange: Exchange) -> bool:
    """Whether a difference is of what names an answer: a stream that we write begins before its provider names it."""
    return _is_written(exchange) and any(name in fault.partition(": ")[0] + ":" for name in _OF_THE_BEGINNING)


def _is_written(exchange: Exchange) -> bool:
    """Whether the gateway writes the stream of an answer itself; in others, which pass through, nothing may differ."""
    return exchange.streamed and "/responses" in exchange.path


_OF_THE_BEGINNING = (
    *(".id:", ".model:", ".created:", ".created_at:", ".system_fingerprint:", ".service_tier:"),
    *(".usage.cache_creation:", ".usage.inference_geo:"),  # Anthropic's library reads them of the first event only
    ".caller:",  # who called a tool is known to us only when its block ends
    *(".temperature:", ".top_p:", ".user_location:"),  # what the Responses API echoes of its own defaults
)
