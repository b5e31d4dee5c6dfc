"""ModelScope's API-Inference."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue, ReasoningOptions
from fieldguide.runners._host import Host
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect, effort_only
from fieldguide.runners.openai_media import MediaRunner


def _thinking(options: ReasoningOptions) -> dict[str, JsonValue]:
    """Return the fields that the hosted Qwen models take: a switch and most tokens; an effort goes on as it is."""
    fields: dict[str, JsonValue] = {"enable_thinking": options.enabled, "thinking_budget": options.budget_tokens}
    known = {name: value for name, value in fields.items() if value is not None}
    return {**effort_only(replace(options, enabled=None, budget_tokens=None)), **known}


MODELSCOPE = Dialect(
    provider="modelscope",
    capabilities=replace(
        ANY_SERVER.capabilities,
        top_k=True,
        audio=False,
        documents=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    thinking=_thinking,
)
HOST = Host(
    dialect=MODELSCOPE,
    name="ModelScope",
    keys=("MODELSCOPE_API_KEY", "MODELSCOPE_SDK_TOKEN", "MODELSCOPE_API_TOKEN"),
    address="MODELSCOPE_BASE_URL",
    base_url="https://api-inference.modelscope.cn/v1",
    where="https://modelscope.cn/my/myaccesstoken",
)
VARIABLES = HOST.variables
OPTIONS = HOST.options


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id of the hub, such as `Qwen/Qwen3-32B`; see `Host.open`."""
    return HOST.open(target, settings)
