"""Small questions to a hub over HTTP: manifests, lists, the head of a file."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from fieldguide.errors import OfflineError, SourceError
from fieldguide.sources._offer import SourceSettings
from fieldguide.sources.transfer import without_secrets

_WAIT_S = 20.0
_KNOCK_S = 3.0
_MOST_REDIRECTS = 5
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    url: str
    """Where it came from, after redirects."""


def ask(
    settings: SourceSettings,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    most_bytes: int = _MOST_BYTES,
    head_only: bool = False,
    cut: bool = False,
) -> Answer:
    """Return the answer to one request, whatever its status; redirects are followed without the headers' secrets.

    `head_only` leaves the body unread; `cut` reads `most_bytes` of a longer one and leaves the rest.

    Raises:
        OfflineError: There is no answer.
        SourceError: The answer is larger than `most_bytes`, or redirects without end.
    """
    return asyncio.run(_ask(settings, url, dict(headers or {}), method, 0 if head_only else most_bytes, cut))


def knock(title: str, address: str) -> None:
    """Connect once: the hubs' own clients try for many seconds where there is no network.

    Raises:
        OfflineError: Nobody answers.
    """
    parts = urlsplit(address)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=_KNOCK_S).close()
    except OSError as error:
        raise OfflineError(f"{title} cannot be reached ({parts.hostname}).") from error


async def _ask(
    settings: SourceSettings, url: str, headers: dict[str, str], method: str, most_bytes: int, cut: bool
) -> Answer:
    import aiohttp

    session, start = settings.new_session(), url
    try:
        async with asyncio.timeout(_WAIT_S):
            for _ in range(_MOST_REDIRECTS):
                sent = headers if _same_origin(url, start) else _without_secrets(headers)
                async with session.request(
                    method, url, headers=sent, allow_redirects=False, proxy=settings.proxy_for(url)
                ) as response:
                    named = {name.lower(): value for name, value in response.headers.items()}
                    if response.status in {301, 302, 303, 307, 308} and "location" in named:
                        there = urljoin(url, named["location"])
                        if not there.startswith("https:" if url.startswith("https:") else ("https:", "http:")):
                            raise SourceError(f"{urlsplit(start).netloc} redirects to where nothing is encrypted.")
                        url = there
                        continue
                    if not most_bytes:
                        return Answer(status=response.status, headers=named, body=b"", url=url)
                    body = await response.content.read(most_bytes + 1)
                    while len(body) <= most_bytes and (more := await response.content.read(most_bytes + 1)):
                        body += more
                    if len(body) > most_bytes and cut:
                        body = body[:most_bytes]
                        response.close()
                    if len(body) > most_bytes:
                        raise SourceError(f"{urlsplit(start).netloc} answered with more than {most_bytes:,} bytes.")
                    return Answer(status=response.status, headers=named, body=body, url=url)
            raise SourceError(f"{urlsplit(start).netloc} redirects without end.")
    except TimeoutError as error:
        raise OfflineError(f"{urlsplit(start).netloc} gave no answer within {_WAIT_S:.0f} s.") from error
    except (aiohttp.ClientError, OSError) as error:
        reason = without_secrets(str(error).strip().split("\n")[0]) or type(error).__name__
        raise OfflineError(f"{urlsplit(start).netloc} cannot be reached: {reason}.") from error
    finally:
        await session.close()


def _same_origin(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in {"authorization", "cookie"}}
