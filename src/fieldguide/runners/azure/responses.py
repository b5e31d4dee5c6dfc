"""Models deployed on Azure over the Responses API, which keeps reasoning between turns."""

from __future__ import annotations

from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import model_named
from fieldguide.runners._transport import Transport
from fieldguide.runners.azure import VARIABLES, resolved
from fieldguide.runners.azure._access import KEY, SCOPE, access_of
from fieldguide.runners.azure._address import endpoint_of
from fieldguide.runners.openai_responses import CAPABILITIES, ResponsesWire

__all__ = ["OPTIONS", "PROVIDER", "VARIABLES", "open_runner"]

PROVIDER = "azure-responses"
OPTIONS = ("base_url", "auth")


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for a deployment; the Responses API is spoken at `/openai/v1` only.

    Raises:
        MissingKeyError: There is no key, and no sign that Entra ID is wanted.
        MissingDependencyError: Entra ID is wanted, and azure-identity is not installed.
        UsageError: No deployment is named, or the resource's address is missing or none.
    """
    deployment = model_named(target, PROVIDER)
    access = access_of(settings, KEY, scope=SCOPE)
    endpoint = endpoint_of(settings).removesuffix("/v1").removesuffix("/openai").removesuffix("/models")
    base_url = f"{endpoint}/openai/v1"
    return HttpRunner(
        ResponsesWire(base_url, deployment, provider=PROVIDER, headers=access.headers),
        Transport(base_url, settings, secrets=(access.secret,), authorize=access.authorize),
        model=resolved(PROVIDER, deployment, endpoint, settings),
        capabilities=CAPABILITIES,
    )
