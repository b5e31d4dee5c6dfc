"""Keys and tokens stay out of what is raised, recorded and shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fieldguide.errors import AuthenticationError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners._transport import HttpCall, Transport
from tests.support.fake_server import Call, fake_server

CANARY = "canary-7f3a91"


def _echo(call: Call) -> dict[str, Any]:
    """Say back what authorized a request, as some servers do."""
    return {"heard": dict(call.headers)}


@pytest.mark.parametrize("header", ["Authorization", "X-Amz-Security-Token"])
async def test_a_token_that_was_fetched_is_hidden_where_it_is_echoed(header: str, tmp_path: Path) -> None:
    """As a key is that was given."""

    async def authorize(call: HttpCall) -> Mapping[str, str]:
        return {header: f"Bearer {CANARY}" if header == "Authorization" else CANARY}

    session = LazySession()
    async with fake_server(_echo) as server:
        transport = Transport(server.url, RunnerSettings(home=tmp_path, session=session), authorize=authorize)
        received = await transport.whole(HttpCall(url=f"{server.url}/x", json={}))
    await session.close()
    assert server.calls[0].headers[header].endswith(CANARY)
    assert CANARY not in received.text
    assert "***" in received.text


@pytest.mark.parametrize("broken", ["\n", "\r", "\x00", "\x7f"])
async def test_a_key_that_cannot_be_one_is_told_before_anything_is_sent(broken: str, tmp_path: Path) -> None:
    """A line break in a variable is a common slip; the key itself is not shown."""
    session = LazySession()
    async with fake_server(_echo) as server:
        transport = Transport(server.url, RunnerSettings(home=tmp_path, session=session))
        headers = {"Authorization": f"Bearer {CANARY}{broken}x"}
        with pytest.raises(AuthenticationError) as caught:
            await transport.whole(HttpCall(url=f"{server.url}/x", json={}, headers=headers))
    await session.close()
    assert not server.calls
    assert CANARY not in str(caught.value)
    assert CANARY not in str(caught.value.hint)


def test_a_call_that_is_shown_hides_its_headers() -> None:
    """They hold the key."""
    assert CANARY not in repr(HttpCall(url="https://a/", json={}, headers={"Authorization": CANARY}))
