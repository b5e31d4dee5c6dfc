"""Fetching a list of prices, and putting it in place of the old one."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fieldguide.errors import DiskSpaceError, OfflineError, SourceError
from fieldguide.http_client import new_session
from fieldguide.sources import fetch_price_list, keep_price_list, price_lists
from tests.support.price_lists import list_server, sending


async def test_a_tag_asks_for_news_only() -> None:
    """The second time there is nothing to read."""
    async with list_server(genai=sending([1])) as server, new_session() as session:
        first = await fetch_price_list(session, f"{server.url}/genai")
        assert (first.content, first.etag) == (b"[1]", '"one"')
        again = await fetch_price_list(session, f"{server.url}/genai", etag=first.etag)
        assert (again.content, again.etag) == (None, '"one"')


async def test_no_more_is_read_than_a_list_may_have() -> None:
    """A body without end stops at the bound."""
    async with list_server(genai=sending("x" * 5000)) as server, new_session() as session:
        with pytest.raises(SourceError, match="more than"):
            await fetch_price_list(session, f"{server.url}/genai", most_bytes=4000)


async def test_an_address_that_does_not_answer_is_given_up() -> None:
    """Within the deadline, and it may be tried again."""

    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.Response()

    application = web.Application()
    application.router.add_get("/", slow)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with new_session() as session:
            with pytest.raises(OfflineError, match="within") as caught:
                await fetch_price_list(session, f"http://127.0.0.1:{runner.addresses[0][1]}/", deadline_s=0.2)
        assert caught.value.retryable
    finally:
        await runner.cleanup()


def test_a_full_disk_keeps_the_old_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody ever sees half of a list."""
    path = tmp_path / "prices" / "x.gz"
    keep_price_list(tmp_path, path, b"old")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(price_lists, "write_whole", full)
    with pytest.raises(DiskSpaceError):
        keep_price_list(tmp_path, path, b"new")
    assert path.read_bytes() == b"old"
