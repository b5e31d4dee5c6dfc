"""Google Vertex AI: Google's own models, and those of Anthropic, Mistral, Meta and others in Google's cloud."""

from __future__ import annotations

from fieldguide.domain import ResolvedModel
from fieldguide.errors import UsageError
from fieldguide.runners._interface import Runner, RunnerSettings
from fieldguide.runners._keys import model_named
from fieldguide.runners.gemini import error_of
from fieldguide.runners.vertex._address import PROJECTS, named
from fieldguide.runners.vertex._place import PROVIDER, VARIABLES, identity_at, place_of
from fieldguide.runners.vertex._runner import VertexRunner

__all__ = ["OPTIONS", "PROVIDER", "VARIABLES", "VertexRunner", "open_runner"]

OPTIONS = ("project", "location", "endpoint", "base_url")
_VERSION = "v1beta1"
"""Version of the API for Google's models: newer features are in this one alone."""
_SIGN_IN = f"Sign in (`gcloud auth application-default login`) and name a project: export {PROJECTS[0]}=PROJECT."


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
    place = await place_of(settings)
    if not place.scope and (model.publisher != "google" or endpoint == "compatible"):
        raise UsageError("A key of Vertex AI's express mode reaches Google's models only.", hint=_SIGN_IN)
    resolved = ResolvedModel(
        name=settings.display_name or model.model,
        reference=f"{PROVIDER}:{target.strip()}",
        identity=identity_at(model, place, settings),
    )
    if endpoint == "compatible" or model.publisher not in {"google", "endpoints"}:
        from fieldguide.runners.vertex._partners import open_partner

        return open_partner(model, place, settings, resolved, compatible=endpoint == "compatible")
    return VertexRunner(
        place.url(_VERSION, model.path),
        place.transport(settings, error_of),
        provider=PROVIDER,
        headers=place.headers,
        model=resolved,
        model_name=model.model,
    )
