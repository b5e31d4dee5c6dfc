"""Anthropic's models over its Messages API."""

from __future__ import annotations

from fieldguide.domain import ResolvedModel
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners._transport import Transport
from fieldguide.runners.anthropic._errors import error_of
from fieldguide.runners.anthropic._request import request_body
from fieldguide.runners.anthropic._response import StreamedAnswer, parse_completion
from fieldguide.runners.anthropic._tap import MessagesTap
from fieldguide.runners.anthropic._wire import CAPABILITIES, PROVIDER, AnthropicWire

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "AnthropicWire",
    "MessagesTap",
    "StreamedAnswer",
    "error_of",
    "open_runner",
    "parse_completion",
    "request_body",
]

VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL")
OPTIONS = ("base_url",)
BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
WHERE = "https://console.anthropic.com/settings/keys"


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for a model id such as `claude-sonnet-4-5-20250929`.

    A token in `ANTHROPIC_AUTH_TOKEN` is sent as a bearer where no key is given.

    Raises:
        MissingKeyError: `ANTHROPIC_API_KEY` holds no key, and no other variable was named.
        UsageError: No model is named, or the base URL is not an HTTP address.
    """
    model = model_named(target, PROVIDER)
    base_url = base_url_of(settings, "ANTHROPIC_BASE_URL", BASE_URL)
    secret = key_of(settings, "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", provider="Anthropic", where=WHERE)
    by_token = not settings.api_key and "ANTHROPIC_API_KEY" not in settings.environment
    key = {"Authorization": f"Bearer {secret}"} if by_token else {"x-api-key": secret}
    return HttpRunner(
        AnthropicWire(base_url, model, headers={"anthropic-version": VERSION, **key}),
        Transport(base_url, settings, secrets=(secret,), error_of=error_of),
        model=ResolvedModel(
            name=settings.display_name or model,
            reference=f"{PROVIDER}:{model}",
            identity=identity_of(PROVIDER, model, base_url, BASE_URL),
        ),
        capabilities=CAPABILITIES,
    )
