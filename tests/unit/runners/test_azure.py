"""Azure: surfaces, keys, and tokens of Entra ID."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from openai import AzureOpenAI
from openai._models import FinalRequestOptions

from fieldguide.domain import CompletionRequest, Message
from fieldguide.errors import (
    AuthenticationError,
    ExpiredCredentialsError,
    MissingKeyError,
    RunnerUnavailableError,
    UsageError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners._transport import HttpCall
from fieldguide.runners.azure import open_runner
from fieldguide.runners.azure._access import KEY, Entra, access_of
from fieldguide.runners.azure._address import surface_of
from fieldguide.runners.azure.foundry import open_runner as open_foundry
from fieldguide.runners.azure.responses import open_runner as open_responses
from tests.support.fake_server import chat, fake_server

ENDPOINT = "https://name.openai.azure.com"
CALL = HttpCall(url=ENDPOINT)


def settings(tmp_path: Path, **environment: str) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=LazySession(), environment=environment)


@dataclass
class Token:
    """As azure-identity gives it."""

    token: str
    expires_on: int


@pytest.mark.parametrize("opened", [open_runner, open_responses, open_foundry])
async def test_a_missing_key_or_address_names_its_variable(opened: Callable[..., Any], tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(MissingKeyError) as caught:
        await opened("d", settings(tmp_path, AZURE_OPENAI_ENDPOINT=ENDPOINT))
    assert caught.value.variable in caught.value.message
    assert "portal.azure.com" in str(caught.value.hint)
    with pytest.raises(UsageError, match="address of your resource"):
        await opened("d", settings(tmp_path, AZURE_OPENAI_API_KEY="k"))


@pytest.mark.parametrize(
    ("endpoint", "version", "url"),
    [
        (ENDPOINT, "", f"{ENDPOINT}/openai/v1"),
        (f"{ENDPOINT}/openai/v1/", "2024-10-21", f"{ENDPOINT}/openai/v1"),
        (ENDPOINT, "2024-10-21", f"{ENDPOINT}/openai/deployments/my%20gpt?api-version=2024-10-21"),
        (f"{ENDPOINT}/models", "", f"{ENDPOINT}/models?api-version=2024-05-01-preview"),
    ],
)
def test_the_address_and_the_version_choose_the_surface(endpoint: str, version: str, url: str, tmp_path: Path) -> None:
    """The current one, the older one of a deployment, and Foundry's of every maker's models."""
    given = {"AZURE_OPENAI_ENDPOINT": endpoint, **({"OPENAI_API_VERSION": version} if version else {})}
    surface = surface_of(settings(tmp_path, **given), "my gpt")
    assert surface.base_url + surface.query == url
    assert surface.endpoint == ENDPOINT


def test_a_deployment_is_asked_where_openais_library_asks_it(tmp_path: Path) -> None:
    """The address that `AzureOpenAI` builds for the same deployment and version."""
    client = AzureOpenAI(azure_endpoint=ENDPOINT, api_key="k", api_version="2024-10-21")
    options = FinalRequestOptions(method="post", url="/chat/completions", json_data={"model": "gpt-4o"})
    theirs = str(client._build_request(options).url)
    given = settings(tmp_path, AZURE_OPENAI_ENDPOINT=ENDPOINT, OPENAI_API_VERSION="2024-10-21")
    surface = surface_of(given, "gpt-4o")
    assert f"{surface.base_url}/chat/completions{surface.query}" == theirs


async def test_key_version_and_limit_go_out_as_each_surface_wants_them(tmp_path: Path) -> None:
    """Old versions know neither usage in streams nor the new name of the limit."""
    session = LazySession()
    async with fake_server(lambda call: chat("4")) as server:
        endpoint = server.url.removesuffix("/v1")
        for version in ("", "2024-02-01"):
            environment = {"AZURE_OPENAI_API_KEY": "secret", "AZURE_OPENAI_ENDPOINT": endpoint}
            environment |= {"OPENAI_API_VERSION": version} if version else {}
            runner = await open_runner("d", RunnerSettings(home=tmp_path, session=session, environment=environment))
            await runner.complete(CompletionRequest(messages=(Message(role="user", content="?"),), max_output_tokens=5))
    await session.close()
    new, old = server.calls
    assert (new.headers["api-key"], new.body["max_completion_tokens"], new.body["model"]) == ("secret", 5, "d")
    assert old.body["max_tokens"] == 5
    assert "Authorization" not in new.headers
    assert runner.model.identity == {"provider": "azure", "base_url": endpoint, "model": "d"}


async def test_a_token_is_kept_and_renewed_before_it_runs_out() -> None:
    """Many calls at once fetch one token; one that is about to run out is fetched anew."""
    asked: list[str] = []

    def get_token(scope: str) -> Token:
        asked.append(scope)
        return Token(token=f"t{len(asked)}", expires_on=int(time.time()) + (3600 if len(asked) == 1 else 100))

    entra = Entra("scope", get_token)
    sent = await asyncio.gather(*(entra.headers(CALL) for _ in range(5)))
    assert {each["Authorization"] for each in sent} == {"Bearer t1"}
    assert asked == ["scope"]
    entra._token = Token(token="t1", expires_on=int(time.time()) + 60)
    assert (await entra.headers(CALL))["Authorization"] == "Bearer t2"
    assert (await entra.headers(CALL))["Authorization"] == "Bearer t3"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("AADSTS700082: The refresh token has expired due to inactivity.", ExpiredCredentialsError),
        ("DefaultAzureCredential failed to retrieve a token from the included credentials.", AuthenticationError),
    ],
)
async def test_who_is_not_signed_in_is_told_how(said: str, kind: type[AuthenticationError]) -> None:
    """Credentials that ran out are told apart from none."""
    exceptions = pytest.importorskip("azure.core.exceptions", reason="the azure extra is not installed")

    def get_token(scope: str) -> Token:
        raise exceptions.ClientAuthenticationError(message=said)

    with pytest.raises(AuthenticationError) as caught:
        await Entra("scope", get_token).headers(CALL)
    assert type(caught.value) is kind
    assert caught.value.hint


async def test_entra_that_cannot_be_reached_may_be_asked_again() -> None:
    """It is no fault of the credentials."""
    exceptions = pytest.importorskip("azure.core.exceptions", reason="the azure extra is not installed")

    def get_token(scope: str) -> Token:
        raise exceptions.ServiceRequestError(message="no route")

    with pytest.raises(RunnerUnavailableError):
        await Entra("scope", get_token).headers(CALL)


def test_a_sign_of_entra_takes_the_place_of_a_key(tmp_path: Path) -> None:
    """A key goes first, then a ready token, then Entra ID where a variable of its own is set."""
    pytest.importorskip("azure.identity", reason="the azure extra is not installed")
    keyed = access_of(
        settings(tmp_path, AZURE_OPENAI_API_KEY="k", AZURE_TENANT_ID="t"), "AZURE_OPENAI_API_KEY", scope="s"
    )
    assert keyed.headers == {"api-key": "k"}
    ready = access_of(settings(tmp_path, AZURE_OPENAI_AD_TOKEN="token"), KEY, scope="s")
    assert ready.headers == {"Authorization": "Bearer token"}
    known = access_of(settings(tmp_path, AZURE_TOKEN_CREDENTIALS="dev"), KEY, scope="s")
    assert known.authorize is not None
    assert not known.headers
