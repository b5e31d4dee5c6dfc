"""Anthropic's Messages API at its own address."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.anthropic import open_runner
from tests.support.replay import Exchange, Replay
from tests.support.replays._anthropic import ALLOWED, oracle, parse, read, restored, write


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    environment = {"ANTHROPIC_API_KEY": "sk-not-a-key", "ANTHROPIC_BASE_URL": url}
    return await open_runner(exchange.body["model"], replace(settings, environment=environment))


REPLAYS = (
    Replay(
        provider="anthropic",
        recordings=("anthropic/messages",),
        read=read,
        write=write,
        parse=parse,
        oracle=oracle,
        restored=restored,
        allowed=ALLOWED,
        open=_open,
        path=lambda exchange: exchange.path.partition("?")[0],
    ),
)
