"""A stream that never ends does not fill the memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.errors import ResponseFormatError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings, _transport
from fieldguide.runners._transport import HttpCall, Transport
from tests.support.fake_server import fake_server


async def test_a_stream_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One byte more is an error; what is within it comes whole."""
    session = LazySession()
    async with fake_server(lambda call: "x" * 1000) as server:
        transport = Transport(server.url, RunnerSettings(home=tmp_path, session=session))
        call = HttpCall(url=f"{server.url}/x", json={})
        monkeypatch.setattr(_transport, "_MOST_STREAM_BYTES", 1000)
        assert len(b"".join([piece async for piece in transport.pieces(call)])) == 1000
        monkeypatch.setattr(_transport, "_MOST_STREAM_BYTES", 999)
        with pytest.raises(ResponseFormatError, match="larger"):
            _ = [piece async for piece in transport.pieces(call)]
    await session.close()
