"""Google's models over the Gemini API; `vertex` reaches them in Google's cloud."""

from __future__ import annotations

from urllib.parse import quote

from fieldguide.domain import ResolvedModel
from fieldguide.errors import UsageError
from fieldguide.runners._interface import Runner, RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners._transport import Transport
from fieldguide.runners.gemini._errors import error_of
from fieldguide.runners.gemini._request import request_body
from fieldguide.runners.gemini._runner import GeminiRunner
from fieldguide.runners.gemini._wire import CAPABILITIES, GeminiWire

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "GeminiRunner",
    "GeminiWire",
    "error_of",
    "open_runner",
    "request_body",
]

PROVIDER = "gemini"
VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL")
OPTIONS = ("base_url", "endpoint")
BASE_URL = "https://generativelanguage.googleapis.com"
WHERE = "https://aistudio.google.com/apikey"
VERSION = "v1beta"


async def open_runner(target: str, settings: RunnerSettings) -> Runner:
    """Return a runner for a model id such as `gemini-2.5-flash`.

    The option `endpoint` chooses `native` (default) or `compatible`, Google's own translation of OpenAI's protocol.

    Raises:
        MissingKeyError: `GEMINI_API_KEY` and `GOOGLE_API_KEY` hold no key, and no other variable was named.
        UsageError: No model is named, the base URL is not an HTTP address, or there is no such endpoint.
    """
    model = model_named(target, PROVIDER)
    base_url = base_url_of(settings, "GOOGLE_GEMINI_BASE_URL", BASE_URL)
    key = key_of(settings, "GEMINI_API_KEY", "GOOGLE_API_KEY", provider="The Gemini API", where=WHERE)
    identity = identity_of(PROVIDER, model, base_url, BASE_URL)
    endpoint = settings.options.get("endpoint", "native")
    if endpoint == "compatible":
        from fieldguide.runners.gemini._compatible import open_compatible

        return open_compatible(f"{base_url}/{VERSION}/openai", model, settings, key=key, identity=identity)
    if endpoint != "native":
        raise UsageError(f"There is no endpoint {endpoint!r}.", hint="Choose `native` or `compatible`.")
    name = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
    return GeminiRunner(
        f"{base_url}/{VERSION}/{quote(name)}",
        Transport(base_url, settings, secrets=(key,), error_of=error_of),
        provider=PROVIDER,
        headers={"x-goog-api-key": key},
        model=ResolvedModel(name=settings.display_name or model, reference=f"{PROVIDER}:{model}", identity=identity),
        model_name=name,
    )
