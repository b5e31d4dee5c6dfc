"""Mistral."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue
from fieldguide.runners._host import Host
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect
from fieldguide.runners.openai_media import MediaRunner


def _spelt(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return a body in Mistral's words for a seed, and for the wish that some tool be called."""
    if "seed" in body:
        body["random_seed"] = body.pop("seed")
    if body.get("tool_choice") == "required":
        body["tool_choice"] = "any"
    return body


MISTRAL = Dialect(
    provider="mistral",
    capabilities=replace(
        ANY_SERVER.capabilities,
        audio=False,
        documents=False,
        logprobs=False,
        image_generation=False,
    ),
    stream_usage=False,
    answers_alike=False,
    spelt=_spelt,
)
HOST = Host(
    dialect=MISTRAL,
    name="Mistral",
    keys=("MISTRAL_API_KEY",),
    address="MISTRAL_BASE_URL",
    base_url="https://api.mistral.ai/v1",
    where="https://console.mistral.ai/api-keys",
)
VARIABLES = HOST.variables
OPTIONS = HOST.options


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `mistral-large-2411`; see `Host.open`."""
    return HOST.open(target, settings)
