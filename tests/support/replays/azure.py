"""Azure OpenAI and Foundry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fieldguide.domain import CompletionRequest, EmbeddingRequest
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners._http_runner import HttpRunner
from fieldguide.runners.azure import AZURE, dialect_of, open_runner
from fieldguide.runners.azure._address import Surface, surface_of
from fieldguide.runners.azure.responses import PROVIDER as RESPONSES
from fieldguide.runners.azure.responses import open_runner as open_responses
from fieldguide.runners.openai_chat import request_body
from fieldguide.runners.openai_media import MediaRunner, embedding_body
from tests.support.replay import Allowed, Exchange, Replay
from tests.support.replays import _openai_responses as responses
from tests.support.replays._hosted_chat import hosted_oracle
from tests.support.replays._openai_chat import ALLOWED, Reader, text_oracle, text_restored
from tests.support.replays._openai_media import (
    EMBEDDING_ALLOWED,
    MediaReader,
    embedding_oracle,
    embedding_restored,
)

_READER, _MEDIA, _RESPONSES = Reader(AZURE), MediaReader(AZURE.provider), responses.Reader(RESPONSES)


def _path(exchange: Exchange) -> str:
    """Return the path without the second slash that one client's settings put before it."""
    return "/" + exchange.path.lstrip("/")


def _environment(url: str, exchange: Exchange) -> dict[str, str]:
    """Return what a user would have set to reach what the recording reached."""
    path, _, version = _path(exchange).partition("?api-version=")
    place = "/models" if path.startswith("/models/") else ""
    found = {"AZURE_OPENAI_API_KEY": "not-a-key", "AZURE_OPENAI_ENDPOINT": url + place}
    return {**found, "OPENAI_API_VERSION": version} if version else found


def _deployment(exchange: Exchange) -> str:
    _, found, after = exchange.path.partition("/deployments/")
    return after.partition("/")[0] if found else str(exchange.body["model"])


def _surface(exchange: Exchange) -> Surface:
    environment = _environment("http://host", exchange)
    given = RunnerSettings(home=Path(), session=LazySession(), environment=environment)
    return surface_of(given, _deployment(exchange))


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    given = replace(settings, environment=_environment(url, exchange))
    return await open_runner(_deployment(exchange), given)


async def _open_text(url: str, exchange: Exchange, settings: RunnerSettings) -> MediaRunner:
    return await _open(url, exchange, replace(settings, options={"endpoint": "completions"}))


async def _open_responses(url: str, exchange: Exchange, settings: RunnerSettings) -> HttpRunner:
    given = replace(settings, environment=_environment(url, exchange))
    return await open_responses(_deployment(exchange), given)


async def _embed(runner: MediaRunner, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


def _read(exchange: Exchange) -> CompletionRequest:
    """Read a request; at the older paths the body may leave out the model, which the path names."""
    body = exchange.body
    if isinstance(body, dict) and "/deployments/" in exchange.path:
        body = {"model": _deployment(exchange), **body}
    return _READER.request(replace(exchange, body=body))


def _write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    dialect = dialect_of(_surface(exchange))
    return request_body(request, model=_deployment(exchange), stream=bool(exchange.body.get("stream")), dialect=dialect)


def _write_embedding(request: EmbeddingRequest, exchange: Exchange) -> Mapping[str, Any]:
    return embedding_body(request, model=_deployment(exchange), provider=AZURE.provider)


def _no_model(body: dict[str, Any]) -> dict[str, Any]:
    body.pop("model", None)
    return body


_NAMED_IN_PATH = Allowed(
    reason="at the older paths the deployment stands in the path and the body's model says nothing; elsewhere the "
    "model is the deployment, as the end-to-end sample checks",
    normal=_no_model,
)

REPLAYS = (
    Replay(
        provider="azure",
        recordings=("azure/chat",),
        read=_read,
        write=_write,
        parse=_READER.parse,
        oracle=hosted_oracle,
        restored=_READER.restored,
        allowed=(*ALLOWED, _NAMED_IN_PATH),
        open=_open,
        path=_path,
    ),
    Replay(
        provider="azure",
        recordings=("azure/completions",),
        read=_read,
        write=_write,
        parse=_READER.parse,
        oracle=text_oracle,
        restored=text_restored,
        allowed=(*ALLOWED, _NAMED_IN_PATH),
        open=_open_text,
        path=_path,
    ),
    Replay(
        provider="azure",
        recordings=("azure/embeddings",),
        read=_MEDIA.embedding,
        write=_write_embedding,
        parse=_MEDIA.parse_embedding,
        oracle=embedding_oracle,
        restored=embedding_restored,
        allowed=(*EMBEDDING_ALLOWED, _NAMED_IN_PATH),
        open=_open,
        path=_path,
        ask=_embed,
    ),
    Replay(
        provider=RESPONSES,
        recordings=("azure/responses",),
        read=_RESPONSES.request,
        write=_RESPONSES.write,
        parse=_RESPONSES.parse,
        oracle=responses.oracle,
        restored=_RESPONSES.restored,
        allowed=responses.ALLOWED,
        open=_open_responses,
    ),
)
