"""Where a deployment is asked: the surfaces that Azure has had, told apart by the address that the user gives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from fieldguide.errors import UsageError
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._transport import HttpCall, Received, Transport, check_address

ENDPOINT = "AZURE_OPENAI_ENDPOINT"
API_VERSION = "OPENAI_API_VERSION"
MODELS_API_VERSION = "2024-05-01-preview"
"""The last version of Foundry's `/models` surface."""
_USAGE_IN_STREAMS_SINCE = "2024-08-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """One way to reach one deployment."""

    kind: Literal["v1", "deployment", "models"]
    endpoint: str
    """Address of the resource."""
    base_url: str
    """What stands before `/chat/completions`."""
    query: str = ""
    """What follows the path, with its `?`."""

    @property
    def tells_usage_in_streams(self) -> bool:
        """Whether it may be asked for usage in streams, which old versions refuse."""
        return self.kind != "deployment" or self.query.partition("=")[2] >= _USAGE_IN_STREAMS_SINCE


def surface_of(settings: RunnerSettings, deployment: str) -> Surface:
    """Return the surface of a deployment.

    `AZURE_OPENAI_ENDPOINT` names a resource, such as https://NAME.openai.azure.com. It is asked at `/openai/v1`, which
    every resource has; where `OPENAI_API_VERSION` is set, at the older path of the deployment. An address that ends
    in `/models` is Foundry's older surface for models of every maker.

    Raises:
        UsageError: There is no address, or it is none.
    """
    given = endpoint_of(settings)
    version = settings.options.get("api_version") or settings.environment.get(API_VERSION)
    endpoint = given.removesuffix("/v1").removesuffix("/openai")
    if given.endswith("/models"):
        query = f"?api-version={version or MODELS_API_VERSION}"
        return Surface(kind="models", endpoint=given.removesuffix("/models"), base_url=given, query=query)
    if version is None or given.endswith("/v1"):
        return Surface(kind="v1", endpoint=endpoint, base_url=f"{endpoint}/openai/v1")
    base_url = f"{endpoint}/openai/deployments/{quote(deployment, safe='')}"
    return Surface(kind="deployment", endpoint=endpoint, base_url=base_url, query=f"?api-version={version}")


def endpoint_of(settings: RunnerSettings) -> str:
    """Return the address that the user gave, without its last slash.

    Raises:
        UsageError: There is no address, or it is none.
    """
    given = settings.options.get("base_url") or settings.environment.get(ENDPOINT)
    if not given:
        raise UsageError(
            f"Azure needs the address of your resource, and the variable {ENDPOINT} holds none.",
            hint=f"export {ENDPOINT}=https://NAME.openai.azure.com, or https://NAME.services.ai.azure.com of Foundry.",
        )
    return check_address(given)


class QueryTransport(Transport):
    """Adds the API version to every address that is asked."""

    def __init__(self, surface: Surface, settings: RunnerSettings, **given: object) -> None:
        """`given` goes to `Transport`."""
        super().__init__(surface.base_url, settings, **given)  # type: ignore[arg-type]
        self._query = surface.query

    async def whole(self, call: HttpCall) -> Received:
        """Return the whole response to a call; see `Transport.whole`."""
        return await super().whole(replace(call, url=call.url + self._query))

    def pieces(self, call: HttpCall, *, done: Callable[[], bool] = lambda: False) -> AsyncGenerator[bytes, None]:
        """Yield the response's body as it comes; see `Transport.pieces`."""
        return super().pieces(replace(call, url=call.url + self._query), done=done)
