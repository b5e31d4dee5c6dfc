"""Requests that are not for this server, or come from somebody else's page, are turned away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fieldguide.web._guard import is_loopback
from tests.support.site import Client, site_over


async def _token(client: Client) -> str:
    text = await (await client.get("/cost")).text()
    found = re.search(r'name="token" value="([0-9a-f]{64})"', text)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "localhost.evil.example:{port}", ""]
)
async def test_only_our_own_names_are_answered(tmp_path: Path, host: str) -> None:
    """A name that was made to resolve to this machine gets nothing (DNS rebinding)."""
    async with site_over(tmp_path) as client:
        answer = await client.get("/cost", headers={"Host": host.format(port=client.port)})
        assert answer.status == 421
        assert "Fieldguide" not in await answer.text()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
async def test_the_names_of_this_machine_are_answered(tmp_path: Path, name: str) -> None:
    """Whatever loopback is called."""
    async with site_over(tmp_path) as client:
        assert (await client.get("/cost", headers={"Host": f"{name}:{client.port}"})).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
async def test_pages_of_others_read_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    """Neither by their Origin nor by what the browser says of where the request comes from."""
    async with site_over(tmp_path) as client:
        assert (await client.get("/cost.json", headers=headers)).status == 403


async def test_a_link_from_elsewhere_may_be_followed(tmp_path: Path) -> None:
    """Reading a page by a link in somebody's page or mail does no harm."""
    async with site_over(tmp_path) as client:
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert (await client.get("/cost", headers=headers)).status == 200
        assert (await client.post("/look", headers=headers, data={"look": "dark"})).status == 403


async def test_a_form_without_our_token_does_nothing(tmp_path: Path) -> None:
    """None, a wrong one, and another browser's."""
    async with site_over(tmp_path) as client, site_over(tmp_path) as other:
        for token in ("", "0" * 64, await _token(other)):
            answer = await client.post("/look", data={"look": "dark", "token": token}, allow_redirects=False)
            assert answer.status == 403
            assert "stale" in await answer.text()
            assert "fieldguide_look" not in answer.cookies


async def test_colours_are_kept_in_a_cookie_without_any_script(tmp_path: Path) -> None:
    """The choice stands on every later page; where it leads back to is always this server."""
    async with site_over(tmp_path) as client:
        form = {"look": "dark", "token": await _token(client), "back": "/claims?benchmark=gpqa"}
        answer = await client.post("/look", data=form, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, "/claims?benchmark=gpqa")
        assert 'data-look="dark"' in await (await client.get("/cost")).text()
        for back in ("https://evil.example/", "//evil.example/", "/\\evil.example", "/a b", "x"):
            answer = await client.post("/look", data=form | {"back": back}, allow_redirects=False)
            assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/cost", "/cost.json", "/no-such-page", "/models/no-such-model"])
async def test_every_answer_carries_a_strict_policy(tmp_path: Path, path: str) -> None:
    """No script but our files, nothing from elsewhere, no frame around it; errors too."""
    async with site_over(tmp_path) as client:
        headers = (await client.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("host", "expected"), [
    ("127.0.0.1", True), ("127.8.8.8", True), ("localhost", True), ("::1", True), ("[::1]", True),
    ("0.0.0.0", False), ("::", False), ("192.168.1.5", False), ("example.org", False), ("", False),
])  # fmt: skip
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    """What other machines can reach is not loopback."""
    assert is_loopback(host) is expected
