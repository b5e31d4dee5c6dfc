"""Where a model is asked in Google's cloud, and with what."""

from __future__ import annotations

from dataclasses import dataclass, field

from fieldguide.domain import JsonValue
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._keys import base_url_of, identity_of
from fieldguide.runners._transport import Authorize, ErrorOf, Transport
from fieldguide.runners.vertex._address import LOCATIONS, PROJECTS, Named, host_of, location_of, project_of
from fieldguide.runners.vertex._auth import FILE, Tokens, credentials_of

PROVIDER = "vertex"
TOKEN, KEY, BASE_URL = "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_API_KEY", "GOOGLE_VERTEX_BASE_URL"
VARIABLES = (FILE, *PROJECTS, *LOCATIONS, TOKEN, KEY, BASE_URL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a model is asked, and with what."""

    base_url: str
    scope: str
    """Project and location, before publisher and model; empty with a key, which stands for both."""
    headers: dict[str, str] = field(repr=False)
    authorize: Authorize | None
    secrets: tuple[str, ...] = field(repr=False)

    def url(self, version: str, path: str) -> str:
        """Return an address at this place."""
        return f"{self.base_url}/{version}/{self.scope}{path}"

    def transport(self, settings: RunnerSettings, error_of: ErrorOf) -> Transport:
        """Return a transport to this place."""
        return Transport(self.base_url, settings, secrets=self.secrets, authorize=self.authorize, error_of=error_of)


async def place_of(settings: RunnerSettings) -> Place:
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
        return Place(base_url=base_url, scope="", headers={"x-goog-api-key": key}, authorize=None, secrets=(key,))
    base_url = base_url_of(settings, BASE_URL, host_of(location))
    if token := environment.get(TOKEN):
        scope = f"projects/{project_of(settings, None)}/locations/{location}/"
        bearer = {"Authorization": f"Bearer {token}"}
        return Place(base_url=base_url, scope=scope, headers=bearer, authorize=None, secrets=(token,))
    credentials, project = await credentials_of(settings)
    scope = f"projects/{project_of(settings, project)}/locations/{location}/"
    return Place(base_url=base_url, scope=scope, headers={}, authorize=Tokens(credentials, settings), secrets=())


def identity_at(model: Named, place: Place, settings: RunnerSettings) -> dict[str, JsonValue]:
    """Return what makes it the same model: not the place, but for an address of the user's and a model of one's own."""
    usual = {host_of(location_of(settings)), host_of("global")}
    base_url = "" if place.base_url in usual else place.base_url
    identity = identity_of(PROVIDER, f"{model.publisher}/{model.model}", base_url, "")
    return {**identity, "scope": place.scope} if model.publisher == "endpoints" else identity
