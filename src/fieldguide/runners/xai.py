"""xAI."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.runners._host import Host
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect
from fieldguide.runners.openai_media import MediaRunner

XAI = Dialect(
    provider="xai",
    capabilities=replace(
        ANY_SERVER.capabilities,
        audio=False,
        documents=False,
        embeddings=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    max_tokens="max_completion_tokens",
)
HOST = Host(
    dialect=XAI,
    name="xAI",
    keys=("XAI_API_KEY",),
    address="XAI_BASE_URL",
    base_url="https://api.x.ai/v1",
    where="https://console.x.ai",
)
VARIABLES = HOST.variables
OPTIONS = HOST.options


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `grok-4-0709`; see `Host.open`."""
    return HOST.open(target, settings)
