"""`fieldguide web` refuses what it cannot do safely, or at all."""

from __future__ import annotations

import socket

import pytest

from tests.support.program import fieldguide


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
async def test_other_addresses_are_refused_with_a_way_out(host: str) -> None:
    """Without a key in force nothing is shown to other machines; making one and a tunnel are named."""
    ran = await fieldguide("web", "--host", host, "--no-browser", "--json")
    assert ran.code == 2
    assert "ssh -L" in ran.json["error"]["hint"]
    assert "keys create" in ran.json["error"]["hint"]


async def test_a_port_in_use_is_said() -> None:
    """With another way to go on, and no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = await fieldguide("web", "--port", str(taken.getsockname()[1]), "--no-browser")
    assert ran.code == 2
    assert "--port 0" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "flags",
    [
        ("--address", "guide.example.org"),
        ("--address", "https://user@guide.example.org"),
        ("--address", "ftp://guide.example.org"),
        ("--certificate", "cert.pem"),
    ],
)
async def test_flags_that_cannot_be_used_are_told(flags: tuple[str, str]) -> None:
    """Before anything listens."""
    ran = await fieldguide("web", *flags, "--no-browser", "--json")
    assert ran.code == 2
    assert flags[0] in ran.json["error"]["message"]
