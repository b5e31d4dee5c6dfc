"""OpenRouter, which passes requests on to many hosts."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue, ReasoningOptions
from fieldguide.errors import UnsupportedError
from fieldguide.runners._host import Host
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect
from fieldguide.runners.openai_media import MediaRunner


def _thinking(options: ReasoningOptions) -> dict[str, JsonValue]:
    """Return OpenRouter's one field for every model: a switch, an effort, or most tokens.

    Raises:
        UnsupportedError: A summary is asked for.
    """
    if options.summary is not None:
        raise UnsupportedError("OpenRouter", "the reasoning option summary", hint="Leave it out.")
    fields: dict[str, JsonValue] = {
        "enabled": options.enabled,
        "effort": options.effort,
        "max_tokens": options.budget_tokens,
    }
    return {"reasoning": {name: value for name, value in fields.items() if value is not None}}


OPENROUTER = Dialect(
    provider="openrouter",
    capabilities=replace(ANY_SERVER.capabilities, top_k=True, image_generation=False, speech_to_text=False),
    thinking=_thinking,
    reasoning_field="reasoning",
)
HOST = Host(
    dialect=OPENROUTER,
    name="OpenRouter",
    keys=("OPENROUTER_API_KEY",),
    address="OPENROUTER_BASE_URL",
    base_url="https://openrouter.ai/api/v1",
    where="https://openrouter.ai/settings/keys",
)
VARIABLES = HOST.variables
OPTIONS = HOST.options


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `qwen/qwen3-32b`; see `Host.open`."""
    return HOST.open(target, settings)
