"""Fetches a list of prices: bounded, conditional, and without following anyone elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.errors import NotFoundError, OfflineError, SourceError
from fieldguide.sources._files import CHUNK_BYTES, free_bytes_at, locked, write_whole, writing_under

if TYPE_CHECKING:
    import aiohttp

MOST_BYTES = 32_000_000
"""Of a list as it is sent and unpacked; the largest known has 4 million."""
DEADLINE_S = 60.0
_KEPT = "The data that were there are still in use."
_AGAIN = f"Try again later; {_KEPT[0].lower()}{_KEPT[1:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedList:
    """What an address answered."""

    content: bytes | None
    """None where it has not changed since."""
    etag: str | None
    """Names this state of it, for the next time."""


async def fetch_price_list(
    session: aiohttp.ClientSession, url: str, *, etag: str | None = None, proxy: str | None = None,
    deadline_s: float = DEADLINE_S, most_bytes: int = MOST_BYTES,
) -> FetchedList:  # fmt: skip
    """Return the list at an address, or that it has not changed since `etag`.

    Redirects are not followed: an address that moved is one that a person should see and set.

    Raises:
        OfflineError: It cannot be reached, or breaks off.
        NotFoundError: There is nothing at this address.
        SourceError: It answers with an error, elsewhere, or with too much.
    """
    import asyncio

    import aiohttp

    headers = {"Accept": "application/json"} | ({"If-None-Match": etag} if etag else {})
    try:
        async with asyncio.timeout(deadline_s):
            async with session.get(url, headers=headers, proxy=proxy, allow_redirects=False) as response:
                if response.status == 304 and etag:
                    return FetchedList(content=None, etag=etag)
                _check(response, url)
                content = await _bounded(response, url, most_bytes)
                return FetchedList(content=content, etag=response.headers.get("ETag"))
    except TimeoutError as error:
        raise OfflineError(f"{url} did not answer within {deadline_s:g} s.", hint=_AGAIN) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise OfflineError(f"{url} cannot be fetched: {str(error) or type(error).__name__}.", hint=_AGAIN) from error


def _check(response: aiohttp.ClientResponse, url: str) -> None:
    status = response.status
    if status == 200:
        return
    if 300 <= status < 400:
        place = response.headers.get("Location", "nowhere")
        raise SourceError(
            f"{url} sends on to {place!r} (HTTP {status}), which is not followed.",
            hint=f"If that is right, set the new address (docs/settings.md). {_KEPT}",
        )
    if status in {404, 410}:
        raise NotFoundError(f"There is nothing at {url} (HTTP {status}).", hint=f"Check the setting. {_KEPT}")
    raise SourceError(f"{url} answers with HTTP {status}.", hint=_AGAIN)


async def _bounded(response: aiohttp.ClientResponse, url: str, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(CHUNK_BYTES):
        size += len(part)
        if size > most_bytes:
            raise SourceError(f"{url} sends more than {most_bytes / 1e6:g} MB: that is no list of prices.", hint=_KEPT)
        parts.append(part)
    return b"".join(parts)


def keep_price_list(
    home: Path, path: Path, content: bytes, *, free_bytes: Callable[[Path], int] = free_bytes_at
) -> None:
    """Put a list in place of the one at `path` below the user folder, whole or not at all.

    Raises:
        DiskSpaceError: The disk is full; what was there is kept.
        SourceError: The folder cannot be written to.
    """
    with writing_under(home, needed_bytes=len(content), free_bytes=free_bytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f".{path.name}.lock"), waiting=lambda: None):
            write_whole(path, content)
