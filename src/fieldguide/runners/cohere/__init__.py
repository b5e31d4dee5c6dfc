"""Cohere's models over version 2 of its API."""

from __future__ import annotations

from fieldguide.domain import ResolvedModel
from fieldguide.errors import UsageError
from fieldguide.runners._interface import Runner, RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, key_of, model_named
from fieldguide.runners._transport import Transport
from fieldguide.runners.cohere._errors import error_of
from fieldguide.runners.cohere._media import Ranked, RerankRequest, RerankResult
from fieldguide.runners.cohere._request import PROVIDER, request_body
from fieldguide.runners.cohere._response import StreamedAnswer, parse_completion
from fieldguide.runners.cohere._wire import CAPABILITIES, CohereRunner, CohereWire

__all__ = [
    "CAPABILITIES",
    "OPTIONS",
    "PROVIDER",
    "VARIABLES",
    "CohereRunner",
    "CohereWire",
    "Ranked",
    "RerankRequest",
    "RerankResult",
    "StreamedAnswer",
    "error_of",
    "open_runner",
    "parse_completion",
    "request_body",
]

VARIABLES = ("COHERE_API_KEY", "CO_API_KEY", "COHERE_BASE_URL", "CO_API_URL")
OPTIONS = ("base_url", "endpoint")
BASE_URL = "https://api.cohere.com"
WHERE = "https://dashboard.cohere.com/api-keys"


async def open_runner(target: str, settings: RunnerSettings) -> Runner:
    """Return a runner for a model id such as `command-a-03-2025`.

    The option `endpoint` chooses `native` (default) or `compatible`, Cohere's own translation of OpenAI's protocol.

    Raises:
        MissingKeyError: `COHERE_API_KEY` and `CO_API_KEY` hold no key, and no other variable was named.
        UsageError: No model is named, the base URL is not an HTTP address, or there is no such endpoint.
    """
    model = model_named(target, PROVIDER)
    usual = settings.environment.get("CO_API_URL") or BASE_URL
    base_url = base_url_of(settings, "COHERE_BASE_URL", usual)
    key = key_of(settings, "COHERE_API_KEY", "CO_API_KEY", provider="Cohere", where=WHERE)
    identity = identity_of(PROVIDER, model, base_url, BASE_URL)
    endpoint = settings.options.get("endpoint", "native")
    if endpoint == "compatible":
        from fieldguide.runners.cohere._compatible import open_compatible

        return open_compatible(f"{base_url}/compatibility/v1", model, settings, key=key, identity=identity)
    if endpoint != "native":
        raise UsageError(f"There is no endpoint {endpoint!r}.", hint="Choose `native` or `compatible`.")
    return CohereRunner(
        base_url,
        model,
        Transport(base_url, settings, secrets=(key,), error_of=error_of),
        model=ResolvedModel(name=settings.display_name or model, reference=f"{PROVIDER}:{model}", identity=identity),
        headers={"Authorization": f"Bearer {key}"},
    )
