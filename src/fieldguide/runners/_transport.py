"""HTTP as every runner uses it: deadlines, silence, sizes and faults in one place."""

from __future__ import annotations

import asyncio
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
from fieldguide.http_client import CONNECT_TIMEOUT_S, LineBrokenError, UnreachedError
from fieldguide.runners._exchange import Exchange, over_session
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners._interface import RunnerSettings

if TYPE_CHECKING:
    import aiohttp

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What a header's value may not hold (RFC 9110, 5.5)."""
_ENCODER = json.JSONEncoder(separators=(",", ":"))
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
        return None if self.json is None else _ENCODER.encode(self.json).encode()


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
        self._looked_over: Mapping[str, str] | None = None
        self._ready: Mapping[str, str] = {}

    async def whole(self, call: HttpCall) -> Received:
        """Return the whole response to a call.

        Raises:
            RunnerError: It could not be had, or its status says that there is none.
        """
        began_s = time.perf_counter()
        until_s = self._until_s()
        try:
            answer = await self._asked(call, until_s)
            try:
                content = await self._bounded(answer, until_s)
            finally:
                answer.release()
        except Exception as error:
            if (ours := self._ours(error)) is error:
                raise
            raise ours from error
        return Received(
            content=content,
            headers=answer.headers,
            e2e_latency_s=time.perf_counter() - began_s,
            secrets=self._secrets,
        )

    async def pieces(self, call: HttpCall, *, done: Callable[[], bool] = lambda: False) -> AsyncGenerator[bytes, None]:
        """Yield the response's body as it comes, until its end or until all that matters is `done`.

        Raises:
            RunnerError: As for `whole`; also in the middle.
        """
        until_s = self._until_s()
        read = 0
        try:
            answer = await self._asked(call, until_s)
            try:
                async for piece in self._body(answer, until_s):
                    read += len(piece)
                    if read > _MOST_STREAM_BYTES:
                        raise ResponseFormatError("The stream is larger than 128 MiB and was not read to its end.")
                    yield piece
                    if done():
                        answer.linger()
                        return
            finally:
                answer.release()
        except Exception as error:
            if (ours := self._ours(error)) is error:
                raise
            raise ours from error

    def hidden(self, text: str) -> str:
        """Return a text with this runner's keys hidden."""
        return _hidden(text, self._secrets)

    def _hide(self, given: Mapping[str, str]) -> None:
        """Hide tokens that were fetched from here on; signatures are no secrets."""
        authorization, session = given.get("Authorization", ""), given.get("X-Amz-Security-Token")
        token = authorization.removeprefix("Bearer ") if authorization.startswith("Bearer ") else session
        if token and token not in self._secrets:
            self._secrets += (token,)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()

    def _until_s(self) -> float:
        return self._now_s() + self._settings.deadline_s

    async def _asked(self, call: HttpCall, until_s: float) -> Exchange:
        """Send a call and return the response, once it is one that answers."""
        answer = await self._sent(call, until_s)
        if answer.status == 200:
            return answer
        try:
            said = (await self._bounded(answer, until_s)).decode("utf-8", "replace")
        finally:
            answer.release()
        raise self._error_of(answer.status, self.hidden(said), answer.headers)

    async def _sent(self, call: HttpCall, until_s: float) -> Exchange:
        headers = await self._headers(call, until_s)
        settings, proxy = self._settings, self._settings.proxy_for(call.url)
        if settings.lines is not None and proxy is None and not call.form:
            return await settings.lines().send(call.method, call.url, headers, call.body or b"", until_s=until_s)
        return await over_session(
            settings.session(),
            call.method,
            call.url,
            headers=headers,
            data=_form(call.form) if call.form else call.body,
            proxy=proxy,
            until_s=until_s,
        )

    async def _headers(self, call: HttpCall, until_s: float) -> Mapping[str, str]:
        """Return the headers of a call, looked over; those that are the same for every call are looked over once."""
        if self._authorize is None and call.headers is self._looked_over and call.json is not None:
            return self._ready
        headers = dict(call.headers)
        if self._authorize is not None:
            async with asyncio.timeout_at(until_s):
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
        if self._authorize is None and call.json is not None:
            self._looked_over, self._ready = call.headers, headers
        return headers

    def _ours(self, error: Exception) -> Exception:
        """Return one of our errors for a fault of the network; any other as it is."""
        import aiohttp

        where = self._base_url
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            return RunnerUnavailableError(
                f"{where} cannot be reached within {CONNECT_TIMEOUT_S:.0f} s.", unreached=True
            )
        if isinstance(error, TimeoutError):
            return self._too_late()
        if isinstance(error, aiohttp.ClientConnectorError | UnreachedError):
            said = error.os_error.strerror if isinstance(error, aiohttp.ClientConnectorError) else None
            return RunnerUnavailableError(
                f"{where} cannot be reached: {said or error}.",
                unreached=True,
                hint="Is the server running, and is this its address?",
            )
        if isinstance(error, aiohttp.ClientPayloadError) or (isinstance(error, LineBrokenError) and error.begun):
            return ResponseFormatError(f"{where} broke off in the middle of its answer.")
        if isinstance(error, aiohttp.ClientError | OSError):
            return RunnerUnavailableError(f"{where} broke off: {str(error) or type(error).__name__}.")
        return error

    async def _body(self, answer: Exchange, until_s: float) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Silence is bounded once it has begun; until then the deadline alone counts."""
        limit_s = until_s
        while piece := await self._read(answer, limit_s, until_s):
            yield piece
            if answer.at_end:
                return
            limit_s = self._silent_until_s(until_s)

    def _silent_until_s(self, until_s: float) -> float:
        return min(until_s, self._now_s() + self._settings.idle_timeout_s)

    async def _read(self, answer: Exchange, limit_s: float, until_s: float) -> bytes:
        """Return what has come of the body, until `limit_s` of silence or `until_s` of all."""
        try:
            return await answer.read(limit_s)
        except TimeoutError as error:
            if self._now_s() >= until_s:
                raise self._too_late() from error
            raise RunnerTimeoutError(
                f"{self._base_url} fell silent for {self._settings.idle_timeout_s:g} s within its answer."
            ) from error

    async def _bounded(self, answer: Exchange, until_s: float) -> bytes:
        """Return the whole body, with a bound on its size."""
        piece = await self._read(answer, until_s, until_s)
        if answer.at_end and len(piece) <= _MOST_BODY_BYTES:
            return piece
        body = bytearray(piece)
        while piece and not answer.at_end and len(body) <= _MOST_BODY_BYTES:
            piece = await self._read(answer, self._silent_until_s(until_s), until_s)
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
