"""DeepSeek."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue, ReasoningOptions
from fieldguide.runners._host import Host
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect, effort_only
from fieldguide.runners.openai_media import MediaRunner


def _thinking(options: ReasoningOptions) -> dict[str, JsonValue]:
    """Return an effort, and DeepSeek's switch."""
    effort = effort_only(replace(options, enabled=None))
    if options.enabled is None:
        return dict(effort)
    return {**effort, "thinking": {"type": "enabled" if options.enabled else "disabled"}}


DEEPSEEK = Dialect(
    provider="deepseek",
    capabilities=replace(
        ANY_SERVER.capabilities,
        seed=False,
        images=False,
        audio=False,
        documents=False,
        parallel_tools=False,
        structured_output=False,
        embeddings=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    thinking=_thinking,
)
HOST = Host(
    dialect=DEEPSEEK,
    name="DeepSeek",
    keys=("DEEPSEEK_API_KEY",),
    address="DEEPSEEK_BASE_URL",
    base_url="https://api.deepseek.com/v1",
    where="https://platform.deepseek.com/api_keys",
)
VARIABLES = HOST.variables
OPTIONS = HOST.options


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `deepseek-chat`; see `Host.open`."""
    return HOST.open(target, settings)
