"""OpenAI's models over its Responses API, which keeps reasoning between turns and runs hosted tools.

It takes no seed and no stop texts; `openai` does.
"""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import ResolvedModel
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners._transport import Transport
from fieldguide.runners.openai import BASE_URL, OPENAI, VARIABLES, WHERE, account_headers
from fieldguide.runners.openai_responses._request import request_body
from fieldguide.runners.openai_responses._response import StreamedAnswer, parse_completion
from fieldguide.runners.openai_responses._wire import ResponsesWire

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "ResponsesWire",
    "StreamedAnswer",
    "open_runner",
    "parse_completion",
    "request_body",
]

PROVIDER = "openai-responses"
OPTIONS = ("base_url",)
CAPABILITIES = replace(
    OPENAI.capabilities,
    seed=False,
    stop=False,
    penalties=False,
    audio=False,
    embeddings=False,
    image_generation=False,
    speech_to_text=False,
    text_to_speech=False,
)


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for a model id such as `gpt-5-2025-08-07`.

    Raises:
        MissingKeyError: `OPENAI_API_KEY` holds no key and no other variable was named.
        UsageError: No model is named, or the base URL is not an HTTP address.
    """
    model = model_named(target, PROVIDER)
    base_url = base_url_of(settings, "OPENAI_BASE_URL", BASE_URL)
    key = key_of(settings, "OPENAI_API_KEY", provider="OpenAI", where=WHERE)
    headers = {"Authorization": f"Bearer {key}", **account_headers(settings)}
    return HttpRunner(
        ResponsesWire(base_url, model, provider=PROVIDER, headers=headers),
        Transport(base_url, settings, secrets=(key,)),
        model=ResolvedModel(
            name=settings.display_name or model,
            reference=f"{PROVIDER}:{model}",
            identity=identity_of(PROVIDER, model, base_url, BASE_URL),
        ),
        capabilities=CAPABILITIES,
    )
