"""Which proxy an address is reached through."""

from __future__ import annotations

from pathlib import Path

import pytest

from fieldguide.domain import CompletionRequest, Message
from fieldguide.http_client import new_session, proxy_for
from fieldguide.runners import RunnerSettings
from fieldguide.runners.openai_compatible import open_runner
from tests.support.fake_server import chat, fake_server

HELLO = (Message(role="user", content="hello"),)
PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        ("http://api.example/v1", {}, None),
        ("http://api.example/v1", {"http_proxy": PROXY}, PROXY),
        ("https://api.example/v1", {"http_proxy": PROXY}, None),
        ("https://api.example/v1", {"HTTPS_PROXY": PROXY}, PROXY),
        ("https://api.example/v1", {"ALL_PROXY": PROXY}, PROXY),
        ("https://api.example/v1", {"https_proxy": "proxy.example:3128"}, PROXY),
        ("https://api.example/v1", {"https_proxy": PROXY, "no_proxy": "example"}, None),
        ("https://api.example/v1", {"https_proxy": PROXY, "no_proxy": "other, .example"}, None),
        ("https://api.example/v1", {"https_proxy": PROXY, "no_proxy": "ample"}, PROXY),
        ("http://127.0.0.1:8099/v1", {"http_proxy": PROXY, "no_proxy": "127.0.0.1:8099"}, None),
        ("http://127.0.0.1:8099/v1", {"http_proxy": PROXY, "no_proxy": "*"}, None),
        ("https://api.example/v1", {"https_proxy": PROXY, "HTTPS_PROXY": "http://other"}, PROXY),
    ],
)
def test_the_proxy_is_the_one_that_the_environment_names(
    url: str, environment: dict[str, str], expected: str | None
) -> None:
    """By scheme, then for all; lower case first; not for addresses that `no_proxy` lists."""
    assert proxy_for(url, environment) == expected


async def test_requests_go_through_the_proxy(tmp_path: Path) -> None:
    """A plain HTTP proxy is asked for the whole address, and the endpoint itself is not contacted."""
    async with fake_server(lambda call: chat("hi")) as proxy, new_session() as session:
        settings = RunnerSettings(
            home=tmp_path, session=lambda: session, proxy_for=lambda url: proxy.url.removesuffix("/v1")
        )
        runner = await open_runner("http://api.example/v1#m", settings)
        answer = await runner.complete(CompletionRequest(prompt=None, messages=HELLO, max_output_tokens=1))
    assert answer.text == "hi"
    assert proxy.calls[0].headers["Host"] == "api.example"
