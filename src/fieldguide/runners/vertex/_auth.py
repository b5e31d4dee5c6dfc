"""OAuth tokens of Google's cloud: found and renewed by google-auth, sent through our own client.

google-auth is synchronous. It runs in a thread, and its requests are handed to the event loop's session, so that they
take the user's proxies and no others. Where no file is named, google-auth looks for application default credentials in
the places that Google documents, the environment among them.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fieldguide.errors import (
    AuthenticationError,
    ExpiredCredentialsError,
    MissingDependencyError,
    MissingKeyError,
    RunnerUnavailableError,
)
from fieldguide.runners._interface import RunnerSettings
from fieldguide.runners._transport import HttpCall

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
FILE = "GOOGLE_APPLICATION_CREDENTIALS"
WHERE = "https://cloud.google.com/docs/authentication/provide-credentials-adc"
_MARGIN = timedelta(minutes=5)
"""A token is renewed so long before it runs out: a request may take as long."""
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response in the form that google-auth takes."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _Bridge:
    """Sends google-auth's requests, from its thread, with the session of the event loop."""

    def __init__(self, settings: RunnerSettings, loop: asyncio.AbstractEventLoop) -> None:
        self._settings, self._loop = settings, loop

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Answer:
        """Return the response; google-auth's own error where there is none."""
        import aiohttp
        from google.auth import exceptions

        failed: Any = exceptions.TransportError
        limit_s = min(timeout or _LONGEST_S, _LONGEST_S)
        sent = asyncio.run_coroutine_threadsafe(self._sent(url, method, body, headers or {}, limit_s), self._loop)
        try:
            return sent.result(limit_s + 1)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise failed(str(error) or type(error).__name__) from error

    async def _sent(
        self, url: str, method: str, body: bytes | None, headers: Mapping[str, str], limit_s: float
    ) -> _Answer:
        proxy = self._settings.proxy_for(url)
        async with (
            asyncio.timeout(limit_s),
            self._settings.session().request(method, url, data=body, headers=headers, proxy=proxy) as response,
        ):
            return _Answer(response.status, response.headers, await response.read())


class Tokens:
    """Authorizes each call with a token that is good for some minutes yet; one renewal serves all that wait for it."""

    def __init__(self, credentials: Any, settings: RunnerSettings) -> None:
        """`credentials` are google-auth's."""
        self._credentials, self._settings = credentials, settings
        self._renewing = asyncio.Lock()

    async def __call__(self, call: HttpCall) -> Mapping[str, str]:
        """Return the headers of a call: the token, and the project that is charged where the credentials name one.

        Raises:
            ExpiredCredentialsError: The credentials are no longer good.
            RunnerUnavailableError: Google's token service cannot be reached.
        """
        async with self._renewing:
            if not self._good():
                bridge = _Bridge(self._settings, asyncio.get_running_loop())
                await asyncio.to_thread(_renew, self._credentials, bridge)
        headers: dict[str, str] = {}
        self._credentials.apply(headers)
        return headers

    def _good(self) -> bool:
        if not self._credentials.token:
            return False
        expiry = self._credentials.expiry  # in UTC, without saying so
        return expiry is None or expiry.replace(tzinfo=UTC) - datetime.now(UTC) > _MARGIN


def _renew(credentials: Any, bridge: _Bridge) -> None:
    from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

    try:
        credentials.refresh(bridge)
    except TransportError as error:
        raise RunnerUnavailableError(
            f"Google's token service cannot be reached: {_said(error)}.", unreached=True
        ) from error
    except RefreshError as error:
        if error.retryable:
            raise RunnerUnavailableError(
                f"Google's token service does not answer: {_said(error)}.", unreached=True
            ) from error
        raise ExpiredCredentialsError(
            f"Google does not renew the credentials: {_said(error)}.",
            hint="Sign in again (`gcloud auth application-default login`) or replace the key file, then try again.",
        ) from error
    except GoogleAuthError as error:
        raise AuthenticationError(f"Google's credentials cannot be used: {_said(error)}.") from error


async def credentials_of(settings: RunnerSettings) -> tuple[Any, str | None]:
    """Return google-auth's credentials and the project they belong to, where they say.

    Those of the file that `GOOGLE_APPLICATION_CREDENTIALS` names, else the application default: of `gcloud`, or of the
    machine in Google's cloud that this runs on.

    Raises:
        MissingDependencyError: google-auth is not installed.
        MissingKeyError: There are none.
        AuthenticationError: The file cannot be read.
    """
    try:
        import google.auth  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("Google Vertex AI", extra="vertex") from error
    bridge = _Bridge(settings, asyncio.get_running_loop())
    return await asyncio.to_thread(_found, settings.environment.get(FILE), bridge)


def _found(path: str | None, bridge: _Bridge) -> tuple[Any, str | None]:
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError

    find: Any = google.auth
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the file is the user's own, and the project is told apart below
            if path is not None:
                found, project = find.load_credentials_from_file(path, scopes=[SCOPE], request=bridge)
            else:
                found, project = find.default(scopes=[SCOPE], request=bridge)
    except DefaultCredentialsError as error:
        if path is None:
            raise MissingKeyError("Google Vertex AI", variable=FILE, where=WHERE) from error
        raise AuthenticationError(
            f"{FILE} names no usable credentials: {_said(error)}.", hint=f"See {WHERE}."
        ) from error
    except (GoogleAuthError, OSError, ValueError) as error:
        raise AuthenticationError(f"Google's credentials cannot be used: {_said(error)}.") from error
    return found, project


def _said(error: Exception) -> str:
    """Return an error's first words: google-auth puts whole responses behind them."""
    first = error.args[0] if error.args else error
    return " ".join(str(first).split()).rstrip(".")[:300]
