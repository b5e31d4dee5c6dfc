"""Vertex AI: where it is asked, with whose credentials, and in whose language."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import google.auth
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.exceptions import DefaultCredentialsError

from fieldguide.domain import CompletionRequest, EmbeddingRequest, Message, Reasoning
from fieldguide.errors import (
    AuthenticationError,
    ContextLengthExceededError,
    ExpiredCredentialsError,
    MissingDependencyError,
    MissingKeyError,
    RunnerUnavailableError,
    UnsupportedError,
    UsageError,
    WrongRegionError,
)
from fieldguide.http_client import LazySession
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.vertex import VARIABLES, VertexRunner, open_runner
from fieldguide.runners.vertex._address import host_of, named
from fieldguide.runners.vertex._auth import Tokens, credentials_of
from tests.support.fake_server import Call, fake_server

ASKED = CompletionRequest(messages=(Message(role="user", content="?"),))
ANSWER = {"candidates": [{"content": {"parts": [{"text": "4"}]}, "finishReason": "STOP"}]}
MESSAGE = {"type": "message", "id": "m", "content": [{"type": "text", "text": "4"}], "stop_reason": "end_turn"}
CHAT = {"id": "c", "choices": [{"message": {"content": "4"}, "finish_reason": "stop"}]}
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@pytest.fixture
async def session() -> AsyncIterator[LazySession]:
    lazy = LazySession()
    yield lazy
    await lazy.close()


def settings(tmp_path: Path, session: LazySession, **environment: str) -> RunnerSettings:
    return RunnerSettings(home=tmp_path, session=session, environment=environment)


def with_token(tmp_path: Path, session: LazySession, url: str, **environment: str) -> RunnerSettings:
    given = {"GOOGLE_OAUTH_ACCESS_TOKEN": "secret-token", "GOOGLE_CLOUD_PROJECT": "p", "GOOGLE_VERTEX_BASE_URL": url}
    return settings(tmp_path, session, **given, **environment)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("gemini-2.5-flash", "publishers/google/models/gemini-2.5-flash"),
        ("claude-sonnet-4-5@20250929", "publishers/anthropic/models/claude-sonnet-4-5@20250929"),
        ("mistral-medium-3", "publishers/mistralai/models/mistral-medium-3"),
        ("meta/llama-3.3-70b-instruct-maas", "publishers/meta/models/llama-3.3-70b-instruct-maas"),
        ("publishers/google/models/gemini-x", "publishers/google/models/gemini-x"),
        ("endpoints/123", "endpoints/123"),
        ("google/a?b#c", "publishers/google/models/a%3Fb%23c"),
    ],
)
def test_references_name_publisher_and_model(target: str, path: str) -> None:
    """The publisher is known from the usual names, or said."""
    assert named(target).path == path


def test_locations_have_their_hosts() -> None:
    """One for the whole world, one for each region, and one for the two regions of several."""
    assert host_of("global") == "https://aiplatform.googleapis.com"
    assert host_of("europe-west4") == "https://europe-west4-aiplatform.googleapis.com"
    assert host_of("eu") == "https://aiplatform.eu.rep.googleapis.com"


@pytest.mark.parametrize("given", [{"GOOGLE_CLOUD_LOCATION": "evil.example/#"}, {"GOOGLE_CLOUD_PROJECT": "p/../q"}])
async def test_names_of_places_are_no_addresses(given: dict[str, str], tmp_path: Path, session: LazySession) -> None:
    """A token must not go to a host of someone else's choosing."""
    environment = {"GOOGLE_OAUTH_ACCESS_TOKEN": "t", "GOOGLE_CLOUD_PROJECT": "p"} | given
    with pytest.raises(UsageError):
        await open_runner("gemini-x", settings(tmp_path, session, **environment))


async def test_a_token_without_a_project_is_wrong_use(tmp_path: Path, session: LazySession) -> None:
    """The hint names the variable."""
    with pytest.raises(UsageError) as caught:
        await open_runner("gemini-x", settings(tmp_path, session, GOOGLE_OAUTH_ACCESS_TOKEN="t"))
    assert "GOOGLE_CLOUD_PROJECT" in str(caught.value.hint)
    assert "GOOGLE_CLOUD_PROJECT" in VARIABLES


async def answered(runner: Runner) -> str:
    return (await runner.complete(ASKED)).text


async def test_each_publisher_is_asked_in_its_own_language(tmp_path: Path, session: LazySession) -> None:
    """Google's models, Anthropic's, Mistral's, and others over OpenAI's protocol."""

    def respond(call: Call) -> dict[str, Any]:
        return (
            CHAT
            if "messages" in call.body and "anthropic" not in call.path
            else MESSAGE
            if "messages" in call.body
            else ANSWER
        )

    async with fake_server(respond) as server:
        given = with_token(tmp_path, session, server.url.removesuffix("/v1"), GOOGLE_CLOUD_LOCATION="us-east5")
        for target in ("gemini-x", "claude-x", "mistral-x", "meta/llama-x"):
            assert await answered(await open_runner(target, given)) == "4"
    place = "projects/p/locations/us-east5"
    assert [call.path for call in server.calls] == [
        f"/v1beta1/{place}/publishers/google/models/gemini-x:generateContent",
        f"/v1/{place}/publishers/anthropic/models/claude-x:rawPredict",
        f"/v1/{place}/publishers/mistralai/models/mistral-x:rawPredict",
        f"/v1/{place}/endpoints/openapi/chat/completions",
    ]
    assert {call.headers["Authorization"] for call in server.calls} == {"Bearer secret-token"}
    _, claude, mistral, llama = (call.body for call in server.calls)
    assert claude["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in claude
    assert (mistral["model"], llama["model"]) == ("mistral-x", "meta/llama-x")


async def test_a_key_alone_is_of_express_mode(tmp_path: Path, session: LazySession) -> None:
    """It needs no project, and reaches Google's models only; beside a project it is left alone."""
    async with fake_server(lambda call: ANSWER) as server:
        url = server.url.removesuffix("/v1")
        given = settings(tmp_path, session, GOOGLE_API_KEY="secret-key", GOOGLE_VERTEX_BASE_URL=url)
        assert await answered(await open_runner("gemini-x", given)) == "4"
        with pytest.raises(UsageError):
            await open_runner("claude-x", given)
        both = with_token(tmp_path, session, url, GOOGLE_API_KEY="secret-key")
        await answered(await open_runner("gemini-x", both))
    express, usual = server.calls
    assert express.path == "/v1beta1/publishers/google/models/gemini-x:generateContent"
    assert express.headers["x-goog-api-key"] == "secret-key"
    assert "x-goog-api-key" not in usual.headers


async def test_identity_leaves_the_place_out(tmp_path: Path, session: LazySession) -> None:
    """A model is the same in every region; one of one's own is of its project."""
    environment = {"GOOGLE_OAUTH_ACCESS_TOKEN": "t", "GOOGLE_CLOUD_PROJECT": "p"}
    here = await open_runner("gemini-x", settings(tmp_path, session, **environment))
    there = await open_runner("gemini-x", settings(tmp_path, session, **environment, GOOGLE_CLOUD_LOCATION="eu"))
    assert here.model.identity == there.model.identity == {"provider": "vertex", "model": "google/gemini-x"}
    own = await open_runner("endpoints/1", settings(tmp_path, session, **environment))
    assert own.model.identity["scope"] == "projects/p/locations/global/"


async def test_vectors_go_to_the_method_of_their_model(tmp_path: Path, session: LazySession) -> None:
    """The newer models have one of their own."""

    def respond(call: Call) -> dict[str, Any]:
        if call.path.endswith(":predict"):
            vector = {"values": [1], "statistics": {"token_count": 2, "truncated": True}}
            return {"predictions": [{"embeddings": vector}] * len(call.body["instances"])}
        return {"embedding": {"values": [2]}, "usageMetadata": {"promptTokenCount": 3}}

    async with fake_server(respond) as server:
        given = with_token(tmp_path, session, server.url.removesuffix("/v1"))
        old, new = await open_runner("text-embedding-005", given), await open_runner("gemini-embedding-2", given)
        assert isinstance(old, VertexRunner)
        assert isinstance(new, VertexRunner)
        first = await old.embed(EmbeddingRequest(texts=("a", "b"), dimensions=1, purpose="CLUSTERING"))
        second = await new.embed(EmbeddingRequest(texts=("a",), dimensions=1))
    assert (first.vectors, first.usage.input_tokens) == (((1.0,), (1.0,)), 4)
    assert first.raw_usage["statistics"][0]["truncated"] is True  # type: ignore[index,call-overload]
    assert (second.vectors, second.usage.input_tokens) == (((2.0,),), 3)
    predict, embed = server.calls
    assert predict.body["parameters"] == {"outputDimensionality": 1}
    assert predict.body["instances"][0] == {"content": "a", "task_type": "CLUSTERING"}
    assert embed.body["embedContentConfig"] == {"outputDimensionality": 1}


async def test_reasoning_of_the_gemini_api_is_not_vertexs(tmp_path: Path, session: LazySession) -> None:
    """Whoever changes provider carries the conversation over first."""
    environment = {"GOOGLE_OAUTH_ACCESS_TOKEN": "t", "GOOGLE_CLOUD_PROJECT": "p"}
    runner = await open_runner("gemini-x", settings(tmp_path, session, **environment))
    thought = Message(role="assistant", content=(Reasoning(text="hm", provider="gemini"),))
    with pytest.raises(UnsupportedError):
        await runner.complete(CompletionRequest(messages=(thought,)))


@pytest.mark.parametrize(
    ("target", "body", "kind"),
    [
        (
            "claude-x",
            {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": "prompt is too long: 3 tokens > 2"},
            },
            ContextLengthExceededError,
        ),
        (
            "claude-x",
            {"error": {"code": 400, "message": "Publisher Model `x` is not servable in region us-west1."}},
            WrongRegionError,
        ),
        (
            "gemini-x",
            {"error": {"code": 400, "message": "Model is not available in region us-west1"}},
            WrongRegionError,
        ),
    ],
)
async def test_errors_come_in_googles_form_and_in_the_partners(
    target: str, body: dict[str, Any], kind: type[Exception], tmp_path: Path, session: LazySession
) -> None:
    """Both are of their kind."""
    async with fake_server(lambda call: web.json_response(body, status=400)) as server:
        runner = await open_runner(target, with_token(tmp_path, session, server.url.removesuffix("/v1")))
        with pytest.raises(kind):
            await runner.complete(ASKED)


class TokenService:
    """Google's token service on loopback."""

    def __init__(self) -> None:
        self.url = ""
        self.asked = 0
        self.status = 200
        self.lifetime_s = 3600

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.status != 200:
            return web.json_response({"error": "invalid_grant", "error_description": "Revoked."}, status=self.status)
        return web.json_response({"access_token": f"token-{self.asked}", "expires_in": self.lifetime_s})


@asynccontextmanager
async def token_service() -> AsyncIterator[TokenService]:
    service = TokenService()
    app = web.Application()
    app.router.add_post("/token", service.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    try:
        yield service
    finally:
        await runner.cleanup()


def key_file(tmp_path: Path, token_url: str) -> str:
    """Write a service account's key file, with a key made here."""
    path = tmp_path / "key.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "of-the-key",
                "private_key_id": "1",
                "private_key": KEY.decode(),
                "client_email": "a@example.com",
                "token_uri": token_url,
            }
        )
    )
    return str(path)


async def test_a_service_account_gets_one_token_for_all_calls(tmp_path: Path, session: LazySession) -> None:
    """Calls at once wait for one renewal; the project is the key's."""
    async with token_service() as service, fake_server(lambda call: ANSWER) as server:
        url = server.url.removesuffix("/v1")
        file = key_file(tmp_path, service.url)
        given = settings(tmp_path, session, GOOGLE_APPLICATION_CREDENTIALS=file, GOOGLE_VERTEX_BASE_URL=url)
        runner = await open_runner("gemini-x", given)
        assert service.asked == 0
        await asyncio.gather(*(answered(runner) for _ in range(5)))
        assert service.asked == 1
    assert {call.headers["Authorization"] for call in server.calls} == {"Bearer token-1"}
    assert "/projects/of-the-key/locations/global/" in server.calls[0].path


async def test_a_token_is_renewed_before_it_runs_out(tmp_path: Path, session: LazySession) -> None:
    """Not when it has: a request may take some minutes."""
    async with token_service() as service:
        given = settings(tmp_path, session, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, service.url))
        credentials, _ = await credentials_of(given)
        tokens = Tokens(credentials, given)
        call: Any = None
        assert (await tokens(call))["authorization"] == "Bearer token-1"
        credentials.expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(minutes=4)
        assert (await tokens(call))["authorization"] == "Bearer token-2"
        assert (await tokens(call))["authorization"] == "Bearer token-2"


async def test_credentials_that_are_refused_have_expired(tmp_path: Path, session: LazySession) -> None:
    """The hint says how to renew them."""
    async with token_service() as service:
        service.status = 400
        given = settings(
            tmp_path,
            session,
            GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, service.url),
            GOOGLE_VERTEX_BASE_URL="http://127.0.0.1:9",
        )
        runner = await open_runner("gemini-x", given)
        with pytest.raises(ExpiredCredentialsError) as caught:
            await runner.complete(ASKED)
    assert "invalid_grant" in caught.value.message
    assert "gcloud auth application-default login" in str(caught.value.hint)


async def test_a_token_service_that_cannot_be_reached_was_not_asked(
    tmp_path: Path, session: LazySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be owed for it, and only the user's proxy is taken: the environment's is not looked at."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    seen: list[str] = []

    def proxy_for(url: str) -> str | None:
        seen.append(url)
        return None

    async with token_service() as service:
        file = key_file(tmp_path, service.url)
        given = RunnerSettings(
            home=tmp_path,
            session=session,
            proxy_for=proxy_for,
            environment={"GOOGLE_APPLICATION_CREDENTIALS": file},
        )
        credentials, _ = await credentials_of(given)
        await Tokens(credentials, given)(None)  # type: ignore[arg-type]
    assert seen == [service.url]
    credentials.token = None
    with pytest.raises(RunnerUnavailableError) as caught:
        await Tokens(credentials, given)(None)  # type: ignore[arg-type]
    assert caught.value.unreached


async def test_a_token_service_in_trouble_is_not_a_reason_to_sign_in(
    tmp_path: Path, session: LazySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be asked again."""
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda seconds: None)
    async with token_service() as service:
        service.status = 503
        given = settings(tmp_path, session, GOOGLE_APPLICATION_CREDENTIALS=key_file(tmp_path, service.url))
        credentials, _ = await credentials_of(given)
        with pytest.raises(RunnerUnavailableError) as caught:
            await Tokens(credentials, given)(None)  # type: ignore[arg-type]
    assert caught.value.retryable
    assert service.asked > 1


@pytest.mark.parametrize("content", [None, "no JSON", '{"type": "unheard of"}'])
async def test_a_file_without_credentials_is_told(content: str | None, tmp_path: Path, session: LazySession) -> None:
    """By the variable that names it."""
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(AuthenticationError) as caught:
        await open_runner("gemini-x", settings(tmp_path, session, GOOGLE_APPLICATION_CREDENTIALS=str(path)))
    assert "GOOGLE_APPLICATION_CREDENTIALS" in caught.value.message


async def test_no_credentials_at_all_name_the_variable_and_where_to_get_some(
    tmp_path: Path, session: LazySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for keys."""

    def none(**_: Any) -> Any:
        raise DefaultCredentialsError("none")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(MissingKeyError) as caught:
        await open_runner("gemini-x", settings(tmp_path, session))
    assert caught.value.variable == "GOOGLE_APPLICATION_CREDENTIALS"
    assert "https://cloud.google.com/docs/authentication" in str(caught.value.hint)


async def test_a_missing_package_names_its_extra(
    tmp_path: Path, session: LazySession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token or a key needs no package."""
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(MissingDependencyError) as caught:
        await open_runner("gemini-x", settings(tmp_path, session))
    assert caught.value.extra == "vertex"
    await open_runner("gemini-x", settings(tmp_path, session, GOOGLE_API_KEY="k"))
