"""Groq."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.runners._host import Host
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect
from fieldguide.runners.openai_media import MediaRunner

GROQ = Dialect(
    provider="groq",
    capabilities=replace(
        ANY_SERVER.capabilities,
        audio=False,
        documents=False,
        logprobs=False,
        penalties=False,
        embeddings=False,
        image_generation=False,
    ),
    max_tokens="max_completion_tokens",
    reasoning_field="reasoning",
)
HOST = Host(
    dialect=GROQ,
    name="Groq",
    keys=("GROQ_API_KEY",),
    address="GROQ_BASE_URL",
    base_url="https://api.groq.com/openai/v1",
    where="https://console.groq.com/keys",
)
VARIABLES = HOST.variables
OPTIONS = HOST.options


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `llama-3.3-70b-versatile`; see `Host.open`."""
    return HOST.open(target, settings)
