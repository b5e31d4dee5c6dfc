"""One request for a range of bytes: redirects followed, and what came held against what was asked."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from fieldguide.sources.transfer._refusals import FaultError, RefusalError
from fieldguide.sources.transfer._remote import RemoteFile, TransferSettings
from fieldguide.sources.transfer._secrets import plain_url, without_secrets

if TYPE_CHECKING:
    import aiohttp

_MOST_REDIRECTS = 6
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_READ_BUFFER_BYTES = 1 << 20
_BODY_BYTES = 2048
_LONGEST_RETRY_AFTER_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An answer whose bytes are about to be read."""

    start: int
    """Offset of the first byte that comes."""
    size_bytes: int | None
    """Of the whole file, as the server says."""
    etag: str | None
    response: aiohttp.ClientResponse

    async def pieces(self, idle_timeout_s: float) -> AsyncIterator[bytes]:
        """Yield the bytes as they come.

        Raises:
            FaultError: The connection broke off or fell silent.
        """
        import aiohttp

        content = self.response.content
        while True:
            try:
                async with asyncio.timeout(idle_timeout_s):  # `wait_for` may swallow a cancellation (Python 3.11).
                    piece = await content.readany()
            except TimeoutError as error:
                raise FaultError(f"no byte came for {idle_timeout_s:.0f} s") from error
            except (aiohttp.ClientError, OSError) as error:
                raise FaultError(f"the connection broke off ({_said(error)})") from error
            if not piece:
                return
            yield piece


@dataclass(slots=True)
class Exchange:
    """Asks for ranges of one file and remembers where it was redirected to.

    A header of the file goes to the origin of its address alone. A redirect from https to http is refused.
    """

    session: aiohttp.ClientSession
    file: RemoteFile
    settings: TransferSettings
    _elsewhere: str | None = field(default=None, init=False)
    """Where the last redirect led, until it fails: signed addresses expire."""

    @asynccontextmanager
    async def open(self, start: int, end: int | None, *, etag: str | None) -> AsyncIterator[Opened]:
        """Ask for the bytes from `start` up to `end` (exclusive; None: to the end, without a range where start is 0).

        Args:
            start: First byte.
            end: One past the last byte.
            etag: Validator of the bytes that are here; a server that knows another then sends the whole file.

        Raises:
            FaultError: Asking again may help.
            RefusalError: It does not.
        """
        headers = {"Accept-Encoding": "identity"}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
            if etag is not None and not etag.startswith("W/"):
                headers["If-Range"] = etag
        response = await self._answer(headers)
        try:
            yield await self._checked(response, start, end)
        finally:
            response.close()  # Not released: the rest of an unread body is not worth waiting for.

    async def _answer(self, headers: dict[str, str]) -> aiohttp.ClientResponse:
        remembered = self._elsewhere
        url = remembered or self.file.url
        for _ in range(_MOST_REDIRECTS):
            response = await self._send(url, headers)
            if response.status not in _REDIRECTS:
                if response.status >= 400 and url == remembered:  # Perhaps it has only expired: ask at the start again.
                    self._elsewhere = remembered = None
                    response.close()
                    url = self.file.url
                    continue
                return response
            location = response.headers.get("Location")
            response.close()
            if not location:
                raise RefusalError(f"{self.file.name}: a redirect that leads nowhere", status=response.status)
            there = urljoin(url, location)
            if urlsplit(there).scheme not in {"http", "https"} or (
                url.startswith("https:") > there.startswith("https:")
            ):
                raise RefusalError(f"{self.file.name}: a redirect that leaves https", status=response.status)
            url = self._elsewhere = there
        self._elsewhere = None
        raise RefusalError(f"{self.file.name}: more than {_MOST_REDIRECTS} redirects")

    async def _send(self, url: str, headers: dict[str, str]) -> aiohttp.ClientResponse:
        import aiohttp

        own = self.file.headers if _origin(url) == _origin(self.file.url) else {}
        try:
            async with asyncio.timeout(self.settings.idle_timeout_s):
                return await self.session.get(
                    url,
                    headers={**headers, **own},
                    allow_redirects=False,
                    proxy=self.settings.proxy_for(url),
                    read_bufsize=_READ_BUFFER_BYTES,
                )
        except TimeoutError as error:
            raise FaultError(f"no answer within {self.settings.idle_timeout_s:.0f} s") from error
        except (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError) as error:
            raise RefusalError(f"{self.file.name}: the server's certificate is not valid ({_said(error)})") from error
        except aiohttp.InvalidURL as error:
            raise RefusalError(f"{self.file.name}: {plain_url(url)[:200]!r} is not an address") from error
        except (aiohttp.ClientError, OSError) as error:
            unreached = isinstance(error, aiohttp.ClientConnectorError)
            raise FaultError(f"the server cannot be reached ({_said(error)})", unreached=unreached) from error

    async def _checked(self, response: aiohttp.ClientResponse, start: int, end: int | None) -> Opened:
        headers = response.headers
        if response.status == 416:
            raise RefusalError(f"{self.file.name}: the server's file is shorter than expected", status=416)
        if response.status not in {200, 206}:
            await self._refused(response)
        encoding = headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise FaultError(f"the bytes came in the encoding {encoding!r}, which was not asked for")
        etag = headers.get("ETag")
        if response.status == 200:
            return Opened(start=0, size_bytes=response.content_length, etag=etag, response=response)
        said = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
        if said is None or int(said[1]) != start or (end is not None and int(said[2]) > end - 1):
            raise FaultError(
                f"other bytes came than were asked for ({headers.get('Content-Range', 'no Content-Range')!r})"
            )
        size = None if said[3] == "*" else int(said[3])
        return Opened(start=start, size_bytes=size, etag=etag, response=response)

    async def _refused(self, response: aiohttp.ClientResponse) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status in _PASSING:
            raise FaultError(f"HTTP {response.status}", retry_after_s=retry_after_s(headers.get("retry-after")))
        try:
            async with asyncio.timeout(self.settings.idle_timeout_s):
                body = await response.content.read(_BODY_BYTES)
        except Exception:  # The status alone says enough.
            body = b""
        text = body.decode("utf-8", "replace")
        raise RefusalError(
            f"{self.file.name}: HTTP {response.status}", status=response.status, headers=headers, body=text
        )


def retry_after_s(value: str | None) -> float | None:
    """Return the seconds that a `Retry-After` header asks for, at most five minutes; None where it cannot be read."""
    if value is None:
        return None
    value = value.strip()
    if re.fullmatch(r"\d{1,12}(?:\.\d+)?", value):
        return min(float(value), _LONGEST_RETRY_AFTER_S)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    from datetime import UTC, datetime

    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return min(max(0.0, (when - datetime.now(UTC)).total_seconds()), _LONGEST_RETRY_AFTER_S)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _said(error: Exception) -> str:
    return without_secrets(str(error).strip().split("\n")[0]) or type(error).__name__
