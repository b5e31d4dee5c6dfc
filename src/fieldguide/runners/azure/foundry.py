"""Claude models deployed in Azure's Foundry, over Anthropic's Messages API."""

from __future__ import annotations

from fieldguide.errors import UsageError
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import model_named
from fieldguide.runners._transport import Transport, check_address
from fieldguide.runners.anthropic import CAPABILITIES, AnthropicWire, error_of
from fieldguide.runners.azure import VARIABLES as _AZURE
from fieldguide.runners.azure import resolved
from fieldguide.runners.azure._access import FOUNDRY_SCOPE, KEY, access_of
from fieldguide.runners.azure._address import ENDPOINT

PROVIDER = "azure-anthropic"
FOUNDRY_KEY, BASE_URL, RESOURCE = (
    "ANTHROPIC_FOUNDRY_API_KEY",
    "ANTHROPIC_FOUNDRY_BASE_URL",
    "ANTHROPIC_FOUNDRY_RESOURCE",
)
VARIABLES = (FOUNDRY_KEY, BASE_URL, RESOURCE, *_AZURE)
OPTIONS = ("base_url", "auth")
VERSION = "2023-06-01"


async def open_runner(target: str, settings: RunnerSettings) -> HttpRunner:
    """Return a runner for a deployment of a Claude model.

    The variables are those of Anthropic's own library; those of `azure` serve where they are not set.

    Raises:
        MissingKeyError: There is no key, and no sign that Entra ID is wanted.
        MissingDependencyError: Entra ID is wanted, and azure-identity is not installed.
        UsageError: No deployment is named, or the resource's address is missing or none.
    """
    deployment = model_named(target, PROVIDER)
    access = access_of(settings, FOUNDRY_KEY, KEY, scope=FOUNDRY_SCOPE)
    base_url = _base_url(settings)
    key = {"x-api-key": access.secret} if "api-key" in access.headers else {}
    return HttpRunner(
        AnthropicWire(base_url, deployment, headers={"anthropic-version": VERSION, **access.headers, **key}),
        Transport(base_url, settings, secrets=(access.secret,), authorize=access.authorize, error_of=error_of),
        model=resolved(PROVIDER, deployment, base_url, settings),
        capabilities=CAPABILITIES,
    )


def _base_url(settings: RunnerSettings) -> str:
    environment = settings.environment
    if given := settings.options.get("base_url") or environment.get(BASE_URL):
        return check_address(given)
    if resource := environment.get(RESOURCE):
        return check_address(f"https://{resource}.services.ai.azure.com/anthropic")
    if endpoint := environment.get(ENDPOINT):
        return f"{check_address(endpoint)}/anthropic"
    raise UsageError(
        f"Foundry needs the address of your resource, and the variables {RESOURCE} and {BASE_URL} hold none.",
        hint=f"export {RESOURCE}=NAME, as in https://NAME.services.ai.azure.com.",
    )
