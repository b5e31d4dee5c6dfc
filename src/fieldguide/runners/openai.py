"""OpenAI's models over chat completions, which take seed, stop texts and log probabilities.

`openai-responses` reaches the same models over the Responses API, which keeps their reasoning.
"""

from __future__ import annotations

from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners.openai_chat import Dialect, open_chat_runner
from fieldguide.runners.openai_chat._dialect import ANY_SERVER
from fieldguide.runners.openai_media import MediaRunner

VARIABLES = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID")
OPTIONS = ("base_url", "endpoint")
BASE_URL = "https://api.openai.com/v1"
WHERE = "https://platform.openai.com/api-keys"
OPENAI = Dialect(
    provider="openai",
    capabilities=ANY_SERVER.capabilities,
    max_tokens="max_completion_tokens",
    developer_role=True,
)


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a model id such as `gpt-4o-2024-11-20`.

    Raises:
        MissingKeyError: `OPENAI_API_KEY` holds no key and no other variable was named.
        UsageError: No model is named, or the base URL is not an HTTP address.
    """
    model = model_named(target, "openai")
    base_url = base_url_of(settings, "OPENAI_BASE_URL", BASE_URL)
    return open_chat_runner(
        base_url,
        model,
        settings,
        OPENAI,
        key=key_of(settings, "OPENAI_API_KEY", provider="OpenAI", where=WHERE),
        reference=f"openai:{model}",
        identity=identity_of("openai", model, base_url, BASE_URL),
        headers=account_headers(settings),
    )


def account_headers(settings: RunnerSettings) -> dict[str, str]:
    """Return the headers that name organisation and project, where the environment does."""
    named = (("OpenAI-Organization", "OPENAI_ORG_ID"), ("OpenAI-Project", "OPENAI_PROJECT_ID"))
    return {header: settings.environment[name] for header, name in named if name in settings.environment}
