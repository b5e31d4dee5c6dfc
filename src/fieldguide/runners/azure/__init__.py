"""Models deployed on Azure, in Azure OpenAI and in Foundry, over chat completions.

`azure-responses` reaches them over the Responses API, and `azure-anthropic` the Claude models of Foundry.
"""

from __future__ import annotations

from dataclasses import replace

from fieldguide.domain import ResolvedModel
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import endpoint_of, model_named
from fieldguide.runners.azure._access import KEY, SCOPE, SIGNS_OF_ENTRA, TOKEN, access_of
from fieldguide.runners.azure._address import API_VERSION, ENDPOINT, QueryTransport, Surface, surface_of
from fieldguide.runners.openai_chat import ANY_SERVER, ChatWire, Dialect
from fieldguide.runners.openai_media import MediaRunner

VARIABLES = (KEY, ENDPOINT, API_VERSION, TOKEN, *SIGNS_OF_ENTRA)
OPTIONS = ("base_url", "api_version", "auth", "endpoint")
PROVIDER = "azure"
AZURE = Dialect(
    provider=PROVIDER,
    capabilities=ANY_SERVER.capabilities,
    max_tokens="max_completion_tokens",
    developer_role=True,
)


def dialect_of(surface: Surface) -> Dialect:
    """Return the dialect of a surface: the older ones know the older names."""
    if surface.kind == "v1":
        return AZURE
    return replace(AZURE, max_tokens="max_tokens", developer_role=False, stream_usage=surface.tells_usage_in_streams)


async def open_runner(target: str, settings: RunnerSettings) -> MediaRunner:
    """Return a runner for a deployment, by the name that its owner gave it.

    Raises:
        MissingKeyError: There is no key, and no sign that Entra ID is wanted.
        MissingDependencyError: Entra ID is wanted, and azure-identity is not installed.
        UsageError: No deployment is named, or the resource's address is missing or none, or there is
            no such endpoint.
    """
    deployment = model_named(target, PROVIDER)
    access = access_of(settings, KEY, scope=SCOPE)
    surface = surface_of(settings, deployment)
    dialect = dialect_of(surface)
    text = endpoint_of(settings, "chat", "completions") == "completions"
    return MediaRunner(
        ChatWire(surface.base_url, deployment, dialect, headers=access.headers),
        QueryTransport(surface, settings, secrets=(access.secret,), authorize=access.authorize),
        model=resolved(PROVIDER, deployment, surface.endpoint, settings),
        capabilities=replace(dialect.capabilities, text=text),
        base_url=surface.base_url,
        model_id=deployment,
        headers=access.headers,
    )


def resolved(provider: str, deployment: str, endpoint: str, settings: RunnerSettings) -> ResolvedModel:
    """Return the model: a deployment's name means something at its resource only."""
    return ResolvedModel(
        name=settings.display_name or deployment,
        reference=f"{provider}:{deployment}",
        identity={"provider": provider, "base_url": endpoint, "model": deployment},
    )
