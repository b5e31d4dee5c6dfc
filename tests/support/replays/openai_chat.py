"""OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fieldguide.runners import RunnerSettings
from fieldguide.runners.openai import OPENAI, open_runner
from fieldguide.runners.openai_media import MediaRunner
from tests.support.replay import Exchange, Replay
from tests.support.replays._openai_chat import ALLOWED, Reader, oracle, text_oracle, text_restored
from tests.support.replays._openai_schemas import schema_errors

_READER = Reader(OPENAI)


def _schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    return schema_errors("CreateChatCompletionRequest", body)


async def open_openai(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    """Return OpenAI's runner at an address, for the model that an exchange names."""
    environment = {"OPENAI_API_KEY": "sk-not-a-key", "OPENAI_BASE_URL": f"{url}/v1"}
    return await open_runner(exchange.body["model"], replace(settings, environment=environment))


def _text_schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    return schema_errors("CreateCompletionRequest", body)


async def _open_text(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    return await open_openai(url, exchange, replace(settings, options={"endpoint": "completions"}))


REPLAYS = (
    Replay(
        provider="openai",
        recordings=("openai/chat",),
        read=_READER.request,
        write=_READER.write,
        parse=_READER.parse,
        oracle=oracle,
        restored=_READER.restored,
        allowed=ALLOWED,
        schema_errors=_schema,
        open=open_openai,
    ),
    Replay(
        provider="openai",
        recordings=("openai/completions",),
        read=_READER.request,
        write=_READER.write,
        parse=_READER.parse,
        oracle=text_oracle,
        restored=text_restored,
        allowed=ALLOWED,
        schema_errors=_text_schema,
        open=_open_text,
    ),
)
