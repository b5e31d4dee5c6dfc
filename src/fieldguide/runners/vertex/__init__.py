"""Google Vertex AI: Google's own models, and those of Anthropic, Mistral, Meta and others in Google's cloud."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fieldguide.domain import JsonValue, ResolvedModel
from fieldguide.errors import UsageError
from fieldguide.runners import anthropic
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners._interface import Runner, RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of, model_named
from fieldguide.runners._transport import Authorize, Transport
from fieldguide.runners.gemini import error_of
from fieldguide.runners.openai_chat import open_chat_runner
from fieldguide.runners.vertex._address import LOCATIONS, PROJECTS, Named, host_of, location_of, named, project_of
from fieldguide.runners.vertex._auth import FILE, Tokens, credentials_of
from fieldguide.runners.vertex._partners import (
    COMPATIBLE,
    MISTRAL,
    VertexAnthropicWire,
    VertexMistralWire,
    partner_error_of,
)
from fieldguide.runners.vertex._runner import PROVIDER, VertexRunner

__all__ = [
    "COMPATIBLE",
    "MISTRAL",
    "PROVIDER",
    "VARIABLES",
    "VertexAnthropicWire",
    "VertexMistralWire",
    "VertexRunner",
    "open_runner",
]

TOKEN, KEY, BASE_URL = "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_API_KEY", "GOOGLE_VERTEX_BASE_URL"
VARIABLES = (FILE, *PROJECTS, *LOCATIONS, TOKEN, KEY, BASE_URL)
_SIGN_IN = f"Sign in (`gcloud auth application-default login`) and name a project: export {PROJECTS[0]}=PROJECT."
_OWN, _PARTNERS = "v1beta1", "v1"
"""Versions of the API: newer features of Gemini are in the first alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a model is asked, and with what."""

    base_url: str
    scope: str
    """Project and location, before publisher and model; empty with a key, which stands for both."""
    headers: dict[str, str]
    authorize: Authorize | None
    secrets: tuple[str, ...]

    def url(self, version: str, path: str) -> str:
        """Return an address at this place."""
        return f"{self.base_url}/{version}/{self.scope}{path}"


async def open_runner(target: str, settings: RunnerSettings) -> Runner:
    """Return a runner for `MODEL`, `PUBLISHER/MODEL` (such as `meta/llama-3.3-70b-instruct-maas`) or `endpoints/ID`.

    The option `endpoint` set to `compatible` asks Google's models too over its translation of OpenAI's protocol.

    Raises:
        MissingDependencyError: google-auth is not installed, and neither a key nor a token is given.
        MissingKeyError: There are no credentials.
        UsageError: No model or project is named, or there is no such endpoint.
    """
    model = named(model_named(target, PROVIDER))
    endpoint = settings.options.get("endpoint", "native")
    if endpoint not in {"native", "compatible"}:
        raise UsageError(f"There is no endpoint {endpoint!r}.", hint="Choose `native` or `compatible`.")
    place = await _place(settings)
    if not place.scope and model.publisher != "google":
        raise UsageError("A key of Vertex AI's express mode reaches Google's models only.", hint=_SIGN_IN)
    resolved = ResolvedModel(
        name=settings.display_name or model.model,
        reference=f"{PROVIDER}:{target.strip()}",
        identity=_identity(model, place, settings),
    )
    if endpoint == "compatible" or model.publisher not in {"google", "endpoints", "anthropic", "mistralai"}:
        return _compatible(model, place, settings, resolved)
    if model.publisher in {"anthropic", "mistralai"}:
        return _partner(model, place, settings, resolved)
    return VertexRunner(
        place.url(_OWN, model.path),
        Transport(place.base_url, settings, secrets=place.secrets, authorize=place.authorize, error_of=error_of),
        provider=PROVIDER,
        headers=place.headers,
        model=resolved,
        model_name=model.model,
    )


async def _place(settings: RunnerSettings) -> _Place:
    """Return where to ask: with the key or token given, else with Google's credentials.

    A key without a project is one of express mode, which needs no project; where both are there, the project holds,
    for the key may be meant for the Gemini API.
    """
    environment = settings.environment
    location = location_of(settings)
    key = settings.api_key or environment.get(KEY)
    has_project = any(environment.get(name) for name in (*PROJECTS, FILE, TOKEN)) or "project" in settings.options
    if key and (settings.api_key or not has_project):
        base_url = base_url_of(settings, BASE_URL, host_of("global"))
        return _Place(base_url=base_url, scope="", headers={"x-goog-api-key": key}, authorize=None, secrets=(key,))
    base_url = base_url_of(settings, BASE_URL, host_of(location))
    if token := environment.get(TOKEN):
        scope = f"projects/{project_of(settings, None)}/locations/{location}/"
        bearer = {"Authorization": f"Bearer {token}"}
        return _Place(base_url=base_url, scope=scope, headers=bearer, authorize=None, secrets=(token,))
    credentials, project = await credentials_of(settings)
    scope = f"projects/{project_of(settings, project)}/locations/{location}/"
    return _Place(base_url=base_url, scope=scope, headers={}, authorize=Tokens(credentials, settings), secrets=())


def _identity(model: Named, place: _Place, settings: RunnerSettings) -> dict[str, JsonValue]:
    """Return what makes it the same model: not the place, but for an address of the user's and a model of one's own."""
    usual = {host_of(location_of(settings)), host_of("global")}
    base_url = "" if place.base_url in usual else place.base_url
    identity = identity_of(PROVIDER, f"{model.publisher}/{model.model}", base_url, "")
    return {**identity, "scope": place.scope} if model.publisher == "endpoints" else identity


def _partner(model: Named, place: _Place, settings: RunnerSettings, resolved: ResolvedModel) -> HttpRunner:
    url = place.url(_PARTNERS, model.path)
    of_anthropic = model.publisher == "anthropic"
    return HttpRunner(
        VertexAnthropicWire(url, headers=place.headers)
        if of_anthropic
        else VertexMistralWire(url, model.model, headers=place.headers),
        Transport(
            place.base_url,
            settings,
            secrets=place.secrets,
            authorize=place.authorize,
            error_of=partner_error_of,
        ),
        model=resolved,
        capabilities=anthropic.CAPABILITIES if of_anthropic else MISTRAL.capabilities,
    )


def _compatible(model: Named, place: _Place, settings: RunnerSettings, resolved: ResolvedModel) -> Runner:
    options = {name: each for name, each in settings.options.items() if name != "endpoint"}
    return open_chat_runner(
        place.url(_PARTNERS, "endpoints/openapi"),
        f"{model.publisher}/{model.model}",
        replace(settings, options=options),
        COMPATIBLE,
        key=None,
        reference=resolved.reference,
        identity=resolved.identity,
        headers=place.headers,
        authorize=place.authorize,
        error_of=partner_error_of,
    )
