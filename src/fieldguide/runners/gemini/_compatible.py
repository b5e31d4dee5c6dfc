"""The Gemini API over Google's own translation of OpenAI's chat completions."""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import JsonValue
from fieldguide.runners._interface import Runner, RunnerSettings
from fieldguide.runners.gemini._errors import error_of
from fieldguide.runners.openai_chat import ANY_SERVER, Dialect, open_chat_runner

COMPATIBLE = Dialect(
    provider="gemini-compatible",
    capabilities=replace(
        ANY_SERVER.capabilities, documents=False, image_generation=False, speech_to_text=False, text_to_speech=False
    ),
    answers_alike=False,
)


def open_compatible(
    base_url: str, model: str, settings: RunnerSettings, *, key: str, identity: dict[str, JsonValue]
) -> Runner:
    """Return a runner at this address; `identity` is the model's at the API itself."""
    return open_chat_runner(
        base_url,
        model,
        replace(settings, options={name: each for name, each in settings.options.items() if name != "endpoint"}),
        COMPATIBLE,
        key=key,
        reference=f"gemini:{model}",
        identity={**identity, "endpoint": "compatible"},
        error_of=error_of,
    )
