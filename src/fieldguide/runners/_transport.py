"""HTTP as every runner uses it: deadlines, silence, sizes and faults in one place."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fieldguide.domain import JsonValue
from fieldguide.errors import (
    AuthenticationError,
    ResponseFormatError,
    RunnerError,
    RunnerTimeoutError,
    RunnerUnavailableError,
    UsageError,
)
from fieldguide.http_client import CONNECT_TIMEOUT_S
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._interface import RunnerSettings

if TYPE_CHECKING:
    import aiohttp

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What a header's value may not hold (RFC 9110, 5.5)."""
_MOST_BODY_BYTES = 32 * 1024 * 1024
_MOST_STREAM_BYTES = 128 * 1024 * 1024
"""What came is kept beside the answer, and a stream that never ends must not fill the memory."""
_SHORTEST_SECRET = 6
"""What is shorter is no key but a word that a local server does without, and may well stand in an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPart:
    """One part of a multipart form: a value, or a file where it has a file name."""

    name: str
    value: str | bytes
    file_name: str | None = None
    media_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One request, as it is to be sent: with a JSON body, or as a multipart form."""

    url: str
    json: Mapping[str, JsonValue] | None = None
    form: tuple[FormPart, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"

    @property
    def body(self) -> bytes | None:
        """The JSON body as bytes: the ones that are sent, and so the ones to sign."""
        return None if self.json is None else json.dumps(self.json, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A whole response with status 200."""

    content: bytes
    headers: Mapping[str, str]
    e2e_latency_s: float
    """Seconds from sending to the last byte."""
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def text(self) -> str:
        """The body as text, with keys hidden: some servers echo them, and answers are recorded.

        Raises:
            ResponseFormatError: It is not UTF-8.
        """
        try:
            return _hidden(self.content.decode("utf-8"), self.secrets)
        except UnicodeDecodeError as error:
            raise ResponseFormatError("The answer is not UTF-8, although JSON has to be.") from error


Authorize = Callable[[HttpCall], Awaitable[Mapping[str, str]]]
"""Returns headers that authorize one call, for providers that sign each or whose tokens run out."""
ErrorOf = Callable[[int, str, Mapping[str, str]], RunnerError]
"""Returns the error of a response: status, body and headers."""


class Transport:
    """Sends requests of one runner. Each call is one request; nothing is sent again."""

    def __init__(
        self,
        base_url: str,
        settings: RunnerSettings,
        *,
        secrets: tuple[str, ...] = (),
        authorize: Authorize | None = None,
        error_of: ErrorOf = error_of_status,
    ) -> None:
        """`base_url` names the provider in messages; `secrets` are hidden wherever they are echoed."""
        self._base_url, self._settings = base_url, settings
        self._secrets = tuple(secret for secret in secrets if len(secret) >= _SHORTEST_SECRET)
        self._authorize, self._error_of = authorize, error_of

    async def whole(self, call: HttpCall) -> Received:
        """Return the whole response to a call.

        Raises:
            RunnerError: It could not be had, or its status says that there is none.
        """
        began_s = time.perf_counter()
        until_s = self._until_s()
        async with self._answered(call, until_s) as response:
            content = await self._bounded(response, until_s)
            headers = dict(response.headers)
        return Received(
            content=content,
            headers=headers,
            e2e_latency_s=time.perf_counter() - began_s,
            secrets=self._secrets,
        )

    async def pieces(self, call: HttpCall) -> AsyncGenerator[bytes, None]:
        """Yield the response's body as it comes.

        Raises:
            RunnerError: As for `whole`; also in the middle.
        """
        until_s = self._until_s()
        async with self._answered(call, until_s) as response:
            read = 0
            async for piece in self._body(response, until_s):
                read += len(piece)
                if read > _MOST_STREAM_BYTES:
                    raise ResponseFormatError("The stream is larger than 128 MiB and was not read to its end.")
                yield piece

    def hidden(self, text: str) -> str:
        """Return a text with this runner's keys hidden."""
        return _hidden(text, self._secrets)

    def _hide(self, given: Mapping[str, str]) -> None:
        """Hide tokens that were fetched from here on; signatures are no secrets."""
        authorization, session = given.get("Authorization", ""), given.get("X-Amz-Security-Token")
        token = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else session
        if token and token not in self._secrets:
            self._secrets += (token,)

    def _until_s(self) -> float:
        return asyncio.get_running_loop().time() + self._settings.deadline_s

    @contextlib.asynccontextmanager
    async def _answered(self, call: HttpCall, until_s: float) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send and give the response, once it is one that answers; turn every fault into one of our errors."""
        import aiohttp

        where = self._base_url
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with asyncio.timeout_at(until_s):
                    response = await stack.enter_async_context(await self._sending(call))
                    if response.status != 200:
                        said = (await self._bounded(response, until_s)).decode("utf-8", "replace")
                        raise self._error_of(response.status, self.hidden(said), response.headers)
                yield response
        except aiohttp.ConnectionTimeoutError as error:
            raise RunnerUnavailableError(
                f"{where} cannot be reached within {CONNECT_TIMEOUT_S:.0f} s.", unreached=True
            ) from error
        except TimeoutError as error:
            raise self._too_late() from error
        except aiohttp.ClientConnectorError as error:
            raise RunnerUnavailableError(
                f"{where} cannot be reached: {error.os_error.strerror or error}.",
                unreached=True,
                hint="Is the server running, and is this its address?",
            ) from error
        except aiohttp.ClientPayloadError as error:
            raise ResponseFormatError(f"{where} broke off in the middle of its answer.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise RunnerUnavailableError(f"{where} broke off: {str(error) or type(error).__name__}.") from error

    async def _sending(self, call: HttpCall) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientResponse]:
        import aiohttp

        headers = dict(call.headers)
        if self._authorize is not None:
            given = await self._authorize(call)
            headers |= given
            self._hide(given)
        if call.json is not None:
            headers = {"Content-Type": "application/json"} | headers
        if any(_FORBIDDEN.search(value) for value in headers.values()):
            raise AuthenticationError(
                "The key holds characters that no key has, such as a line break; nothing was sent.",
                hint="Set the variable that holds it anew.",
            )
        return self._settings.session().request(
            call.method,
            call.url,
            data=_form(call.form) if call.form else call.body,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            proxy=self._settings.proxy_for(call.url),
            allow_redirects=False,
        )

    async def _body(self, response: aiohttp.ClientResponse, until_s: float) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Silence is bounded once it has begun; until then the deadline alone counts."""
        clock = asyncio.get_running_loop().time
        limit_s = until_s
        while True:
            try:
                async with asyncio.timeout_at(limit_s):
                    piece = await response.content.readany()
            except TimeoutError as error:
                if clock() >= until_s:
                    raise self._too_late() from error
                raise RunnerTimeoutError(
                    f"{self._base_url} fell silent for {self._settings.idle_timeout_s:g} s within its answer."
                ) from error
            if not piece:
                return
            yield piece
            if response.content.at_eof():
                return
            limit_s = min(until_s, clock() + self._settings.idle_timeout_s)

    async def _bounded(self, response: aiohttp.ClientResponse, until_s: float) -> bytes:
        """Return the whole body, with a bound on its size."""
        body = bytearray()
        async for piece in self._body(response, until_s):
            body += piece
            if len(body) > _MOST_BODY_BYTES:
                body.clear()
                raise ResponseFormatError("The answer is larger than 32 MiB and was not read.")
        return bytes(body)

    def _too_late(self) -> RunnerTimeoutError:
        return RunnerTimeoutError(f"No complete answer within {self._settings.deadline_s:g} s.")


def _form(parts: tuple[FormPart, ...]) -> aiohttp.FormData:
    import aiohttp

    form = aiohttp.FormData(default_to_multipart=True)
    for part in parts:
        form.add_field(part.name, part.value, filename=part.file_name, content_type=part.media_type)
    return form


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def check_address(base_url: str) -> str:
    """Return the base URL without its last slash.

    Raises:
        UsageError: It is not an HTTP address, or holds a key.
    """
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{base_url!r} is not an HTTP address.", hint="Write it as http://HOST:PORT/v1#MODEL.")
    if parts.username or parts.password or parts.query:
        raise UsageError("A key in the address would be recorded.", hint="Use `--api-key-env VARIABLE` instead.")
    return base_url.rstrip("/")
