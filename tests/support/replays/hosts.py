"""Hosts with a dialect of OpenAI's chat completions, and their vectors and speech."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fieldguide.runners import RunnerSettings, groq, mistral, openrouter
from fieldguide.runners._host import Host
from fieldguide.runners.openai_media import MediaRunner
from tests.support.replay import Exchange, Replay, SkippedError
from tests.support.replays._hosted_chat import hosted
from tests.support.replays._openai_media import (
    EMBEDDING_ALLOWED,
    MediaReader,
    embedding_oracle,
    embedding_restored,
    speech_oracle,
    speech_restored,
)


def _opened(host: Host, url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    base_url = url + exchange.path.rpartition("/audio/" if "/audio/" in exchange.path else "/")[0]
    environment = {host.keys[0]: "not-a-key", host.address: base_url}
    return host.open(exchange.body["model"], replace(settings, environment=environment))


async def _open_mistral(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    return _opened(mistral.HOST, url, exchange, settings)


async def _open_openrouter(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    return _opened(openrouter.HOST, url, exchange, settings)


async def _embed(runner: MediaRunner, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


async def _speak(runner: MediaRunner, request: Any, stream: bool) -> Any:
    return await runner.speak(request)


def _speech(reader: MediaReader, exchange: Exchange) -> Any:
    if not exchange.path.endswith("/audio/speech"):
        raise SkippedError("another operation than to read aloud")
    return reader.speech(exchange)


_MISTRAL, _OPENROUTER = MediaReader("mistral"), MediaReader("openrouter")

REPLAYS = (
    hosted(groq.GROQ, ("groq/chat",), groq.open_runner, key="GROQ_API_KEY", address="GROQ_BASE_URL"),
    hosted(mistral.MISTRAL, ("mistral/chat",), mistral.open_runner, key="MISTRAL_API_KEY", address="MISTRAL_BASE_URL"),
    Replay(
        provider="mistral",
        recordings=("mistral/embeddings",),
        read=_MISTRAL.embedding,
        write=_MISTRAL.write_embedding,
        parse=_MISTRAL.parse_embedding,
        oracle=embedding_oracle,
        restored=embedding_restored,
        allowed=EMBEDDING_ALLOWED,
        open=_open_mistral,
        ask=_embed,
    ),
    Replay(
        provider="mistral",
        recordings=("mistral/audio",),
        read=lambda exchange: _speech(_MISTRAL, exchange),
        write=_MISTRAL.write_speech,
        parse=_MISTRAL.parse_speech,
        oracle=speech_oracle,
        restored=speech_restored,
        open=_open_mistral,
        ask=_speak,
    ),
    hosted(
        openrouter.OPENROUTER,
        ("openrouter/chat",),
        openrouter.open_runner,
        key="OPENROUTER_API_KEY",
        address="OPENROUTER_BASE_URL",
    ),
    Replay(
        provider="openrouter",
        recordings=("openrouter/other",),
        read=lambda exchange: _speech(_OPENROUTER, exchange),
        write=_OPENROUTER.write_speech,
        parse=_OPENROUTER.parse_speech,
        oracle=speech_oracle,
        restored=speech_restored,
        open=_open_openrouter,
        ask=_speak,
    ),
)
