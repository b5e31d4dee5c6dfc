"""`fieldguide web` refuses what it cannot do safely, or at all."""

from __future__ import annotations

import socket

import pytest

from tests.support.program import fieldguide


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
async def test_other_addresses_are_refused_with_a_way_out(host: str) -> None:
    """Without a sign-in nothing is shown to other machines; a tunnel is named."""
    ran = await fieldguide("web", "--host", host, "--no-browser", "--json")
    assert ran.code == 2
    assert "ssh -L" in ran.json["error"]["hint"]


async def test_a_port_in_use_is_said() -> None:
    """With another way to go on, and no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = await fieldguide("web", "--port", str(taken.getsockname()[1]), "--no-browser")
    assert ran.code == 2
    assert "--port 0" in ran.err
    assert "Traceback" not in ran.err
