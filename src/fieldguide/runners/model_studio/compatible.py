"""Alibaba Cloud's Model Studio in OpenAI's protocol ("compatible mode")."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue, ReasoningOptions
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners.model_studio import HOSTS, WHERE, error_of, region_of, workspace_headers
from fieldguide.runners.model_studio._request import thinking
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect, open_chat_runner
from fieldguide.runners.openai_media import MediaRunner

VARIABLES = ("DASHSCOPE_API_KEY", "DASHSCOPE_BASE_URL", "DASHSCOPE_WORKSPACE")
OPTIONS = ("base_url", "region", "endpoint")
PROVIDER = "model-studio-compatible"
BASE_URL = f"{HOSTS['cn']}/compatible-mode/v1"


def _thinking(options: ReasoningOptions) -> dict[str, JsonValue]:
    """Return an effort where one is given, for models of other makers, and else the switch and budget of Qwen's."""
    effort: dict[str, JsonValue] = {} if options.effort is None else {"reasoning_effort": options.effort}
    return effort | thinking(replace(options, effort=None))


MODEL_STUDIO_COMPATIBLE = Dialect(
    provider=PROVIDER,
    capabilities=replace(
        ANY_SERVER.capabilities,
        top_k=True,
        documents=False,
        image_generation=False,
        speech_to_text=False,
        text_to_speech=False,
    ),
    thinking=_thinking,
)


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `qwen-plus`; the option `region` is `cn` (default), `intl` or `us`.

    Raises:
        MissingKeyError: `DASHSCOPE_API_KEY` holds no key and no other variable was named.
        UsageError: No model is named, or there is no such address or region.
    """
    model = model_named(target, PROVIDER)
    base_url = base_url_of(settings, "DASHSCOPE_BASE_URL", f"{region_of(settings)}/compatible-mode/v1")
    return open_chat_runner(
        base_url,
        model,
        settings,
        MODEL_STUDIO_COMPATIBLE,
        key=key_of(settings, "DASHSCOPE_API_KEY", provider="Model Studio", where=WHERE),
        reference=f"{PROVIDER}:{model}",
        identity=identity_of(PROVIDER, model, base_url, BASE_URL),
        headers=workspace_headers(settings),
        error_of=error_of,
    )
