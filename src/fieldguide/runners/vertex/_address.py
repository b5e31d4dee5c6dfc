"""Where in Google's cloud a model is: host, project, location, publisher."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from fieldguide.errors import UsageError
from fieldguide.runners._interface import RunnerSettings

PROJECTS = ("GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT")
LOCATIONS = ("GOOGLE_CLOUD_LOCATION", "GOOGLE_CLOUD_REGION")
_PUBLISHERS = (
    ("claude", "anthropic"),
    ("llama", "meta"),
    ("mistral", "mistralai"),
    ("ministral", "mistralai"),
    ("codestral", "mistralai"),
)
_LOCATION = re.compile(r"[a-z0-9-]+")
_PROJECT = re.compile(r"[a-z0-9:.-]+", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A model as a reference names it."""

    publisher: str
    model: str

    @property
    def path(self) -> str:
        """What stands behind project and location."""
        if self.publisher == "endpoints":
            return f"endpoints/{quote(self.model, safe='')}"
        return f"publishers/{quote(self.publisher, safe='')}/models/{quote(self.model, safe='@')}"


def named(target: str) -> Named:
    """Return publisher and model of `MODEL`, `PUBLISHER/MODEL`, or `endpoints/ID` for a model of one's own."""
    path = re.fullmatch(r"publishers/([^/]+)/models/([^/]+)", target)
    if path:
        return Named(publisher=path[1], model=path[2])
    publisher, separator, model = target.partition("/")
    if separator:
        return Named(publisher=publisher, model=model)
    known = (publisher for start, publisher in _PUBLISHERS if target.lower().startswith(start))
    return Named(publisher=next(known, "google"), model=target)


def location_of(settings: RunnerSettings) -> str:
    """Return the location: the option `location`, else the environment's, else `global`.

    Raises:
        UsageError: It is no name of one.
    """
    given = settings.options.get("location") or _first(settings, LOCATIONS) or "global"
    if not _LOCATION.fullmatch(given):
        raise UsageError(f"{given!r} is no location of Google's cloud.", hint="Such as us-central1, or global.")
    return given


def project_of(settings: RunnerSettings, default: str | None) -> str:
    """Return the project: the option `project`, else the environment's, else the one of the credentials.

    Raises:
        UsageError: There is none.
    """
    given = settings.options.get("project") or _first(settings, PROJECTS) or default
    if not given or not _PROJECT.fullmatch(given):
        what = "Vertex AI needs a project." if not given else f"{given!r} is no name of a project."
        raise UsageError(what, hint=f"Name it: export {PROJECTS[0]}=PROJECT.")
    return given


def _first(settings: RunnerSettings, variables: tuple[str, ...]) -> str | None:
    return next((value for name in variables if (value := settings.environment.get(name))), None)


def host_of(location: str) -> str:
    """Return the address that serves a location; `us` and `eu` are regions of several."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in {"us", "eu"}:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"
