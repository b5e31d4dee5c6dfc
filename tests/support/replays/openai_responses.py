"""OpenAI's Responses API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.openai_responses import PROVIDER, open_runner
from tests.support.replay import Exchange, Replay
from tests.support.replays._openai_responses import ALLOWED, Reader, oracle
from tests.support.replays._openai_schemas import schema_errors

_READER = Reader(PROVIDER)


def _schema(body: Mapping[str, Any], exchange: Exchange) -> Sequence[str]:
    return schema_errors("CreateResponse", body)


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    environment = {"OPENAI_API_KEY": "sk-not-a-key", "OPENAI_BASE_URL": f"{url}/v1"}
    return await open_runner(exchange.body["model"], replace(settings, environment=environment))


REPLAYS = (
    Replay(
        provider="openai-responses",
        recordings=("openai/responses",),
        read=_READER.request,
        write=_READER.write,
        parse=_READER.parse,
        oracle=oracle,
        restored=_READER.restored,
        allowed=ALLOWED,
        schema_errors=_schema,
        open=_open,
    ),
)
