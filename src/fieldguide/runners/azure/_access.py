"""Who asks: a key of the resource, or a person or program that Entra ID knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fieldguide.errors import (
    AuthenticationError,
    ExpiredCredentialsError,
    MissingDependencyError,
    MissingKeyError,
    RunnerError,
    RunnerUnavailableError,
)
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._transport import Authorize, HttpCall

KEY = "AZURE_OPENAI_API_KEY"
TOKEN = "AZURE_OPENAI_AD_TOKEN"  # noqa: S105  # a variable's name
SIGNS_OF_ENTRA = ("AZURE_TOKEN_CREDENTIALS", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")
"""Variables of azure-identity's own: who sets one wants to be known by Entra ID where there is no key."""
WHERE = "https://portal.azure.com (your resource, page Keys and Endpoint)"
SCOPE = "https://cognitiveservices.azure.com/.default"
FOUNDRY_SCOPE = "https://ai.azure.com/.default"
_RENEW_BEFORE_S = 300
_EXPIRED = ("expired", "AADSTS70043", "AADSTS700082", "AADSTS50173")


class Token(Protocol):
    """What azure-identity gives: `azure.core.credentials.AccessToken`."""

    @property
    def token(self) -> str:
        """What is sent."""

    @property
    def expires_on(self) -> int:
        """Until when it holds (seconds since 1970)."""


GetToken = Callable[..., Token]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How calls are authorized."""

    headers: Mapping[str, str] = field(repr=False)
    secret: str = field(default="", repr=False)
    authorize: Authorize | None = None


def access_of(settings: RunnerSettings, *variables: str, scope: str) -> Access:
    """Return how to authorize: a key, a ready token, or tokens that Entra ID gives and that are renewed.

    Args:
        settings: What the runner was given.
        variables: Where a key may be, the usual one first.
        scope: What Entra ID is asked for.

    Raises:
        MissingKeyError: There is no key and no sign of Entra ID.
        MissingDependencyError: Entra ID is wanted, and azure-identity is not installed.
    """
    found = (settings.environment.get(variable) for variable in variables)
    if key := settings.api_key or next((each for each in found if each), None):
        return Access(headers={"api-key": key}, secret=key)
    if token := settings.environment.get(TOKEN):
        return Access(headers={"Authorization": f"Bearer {token}"}, secret=token)
    if settings.options.get("auth") == "entra" or any(name in settings.environment for name in SIGNS_OF_ENTRA):
        return Access(headers={}, authorize=Entra(scope, _identity()).headers)
    raise MissingKeyError("Azure", variable=variables[0], where=WHERE)


def _identity() -> GetToken:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError as error:
        raise MissingDependencyError("Signing in to Azure with Entra ID", extra="azure") from error
    return DefaultAzureCredential().get_token


class Entra:
    """A token that is kept for as long as it holds, and fetched anew by one of those who need it.

    azure-identity reads its own variables and files: environment, workload, managed identity, and the sign-ins of
    Azure's command line tools, in this order.
    """

    def __init__(self, scope: str, get_token: GetToken) -> None:
        """`get_token` may block; it is called in a thread."""
        self._scope, self._get_token = scope, get_token
        self._token: Token | None = None
        self._lock = asyncio.Lock()

    async def headers(self, call: HttpCall) -> Mapping[str, str]:
        """Return the headers of a call.

        Raises:
            AuthenticationError: Nobody is signed in, or no longer.
            RunnerUnavailableError: Entra ID cannot be reached.
        """
        async with self._lock:
            if self._token is None or self._token.expires_on - _RENEW_BEFORE_S <= time.time():
                self._token = await self._fetched()
            return {"Authorization": f"Bearer {self._token.token}"}

    async def _fetched(self) -> Token:
        from azure.core.exceptions import AzureError

        try:
            return await asyncio.to_thread(self._get_token, self._scope)
        except AzureError as error:
            raise _fault(error) from error


def _fault(error: Any) -> RunnerError:
    from azure.core.exceptions import ClientAuthenticationError

    said = " ".join(str(error).split())[:300]
    if not isinstance(error, ClientAuthenticationError):
        return RunnerUnavailableError(f"Entra ID cannot be asked: {said}", unreached=True)
    if any(sign in said for sign in _EXPIRED):
        return ExpiredCredentialsError(f"Entra ID says: {said}")
    return AuthenticationError(
        f"Entra ID says: {said}", forbidden=False, hint=f"Sign in (`az login`), or give a key: export {KEY}=..."
    )
