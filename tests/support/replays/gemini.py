"""The Gemini API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from google.genai import types

from fieldguide.domain import CompletionRequest, EmbeddingRequest
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.gemini import open_runner
from fieldguide.runners.gemini._compatible import COMPATIBLE
from fieldguide.runners.gemini._count import counting_body, parse_count
from fieldguide.runners.gemini._errors import error_of
from fieldguide.runners.gemini._media import embedding_body, parse_embeddings
from tests.support.replay import Allowed, Exchange, Replay, SkippedError, without_nulls
from tests.support.replays import _openai_chat
from tests.support.replays._google import ALLOWED, Reader, model_of, oracle, path_of, schema_errors

_READER = Reader("gemini")
_CHAT = _openai_chat.Reader(COMPATIBLE)


def _settings(url: str, settings: RunnerSettings, **options: str) -> RunnerSettings:
    environment = {"GEMINI_API_KEY": "not-a-key", "GOOGLE_GEMINI_BASE_URL": url}
    return replace(settings, environment=environment, options=options)


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_runner(model_of(exchange), _settings(url, settings))


async def _open_compatible(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    return await open_runner(exchange.body["model"], _settings(url, settings, endpoint="compatible"))


def _read_texts(exchange: Exchange) -> Any:
    first, *_ = requests = _as_requests(exchange.body)["requests"]
    if not all(set(part) == {"text"} for each in requests for part in each["content"]["parts"]):
        raise SkippedError("vectors of other things than texts")
    known = {"model", "content", "taskType", "outputDimensionality"}
    extra = {name: value for name, value in first.items() if name not in known}
    return EmbeddingRequest(
        texts=tuple(part["text"] for each in requests for part in each["content"]["parts"]),
        purpose=first.get("taskType"),
        dimensions=first.get("outputDimensionality"),
        extra={"gemini": extra} if extra else {},
    )


def _write_texts(request: Any, exchange: Exchange) -> Mapping[str, Any]:
    return embedding_body(request, model=f"models/{model_of(exchange)}", provider="gemini")


def _as_requests(body: dict[str, Any]) -> dict[str, Any]:
    return body if "requests" in body else {"requests": [body]}


def _parse_vectors(exchange: Exchange) -> Any:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_embeddings(exchange.text, e2e_latency_s=1.0)


def _vectors(body: Any) -> Any:
    body = {"embeddings": [body["embedding"]], **body} if "embedding" in body else body
    return without_nulls(types.EmbedContentResponse._from_response(response=body, kwargs={}).model_dump(mode="json"))


def _restored_vectors(result: Any) -> Any:
    usage = {} if result.raw_usage is None else {"usageMetadata": result.raw_usage}
    return _vectors({"embeddings": [{"values": each} for each in result.vectors], **usage})


def _read_counted(exchange: Exchange) -> CompletionRequest:
    inner = exchange.body.get("generateContentRequest", exchange.body)
    return _READER.request(replace(exchange, body={name: each for name, each in inner.items() if name != "model"}))


def _write_counted(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    return counting_body(request, model=f"models/{model_of(exchange)}", provider="gemini")


def _parse_count(exchange: Exchange) -> Any:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_count(exchange.text)


def _unwrapped(body: dict[str, Any]) -> dict[str, Any]:
    inner = body.get("generateContentRequest", body)
    return {name: each for name, each in inner.items() if name != "model"}


async def _embed(runner: Any, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


REPLAYS = (
    *(
        Replay(
            provider="gemini",
            recordings=(name,),
            read=_READER.request,
            write=_READER.write,
            parse=_READER.parse,
            oracle=oracle,
            restored=_READER.restored,
            allowed=ALLOWED,
            schema_errors=schema_errors,
            open=_open,
            path=lambda exchange: path_of(exchange, "v1beta"),
            streams=lambda exchange: ":stream" in exchange.url,
        )
        for name in ("gemini/generate", "gemini/generate_stream")
    ),
    Replay(
        provider="gemini",
        recordings=("gemini/embeddings",),
        read=_read_texts,
        write=_write_texts,
        parse=_parse_vectors,
        oracle=lambda exchange: _vectors(json.loads(exchange.text)),
        restored=_restored_vectors,
        allowed=(Allowed(reason="one text is asked for like several", normal=_as_requests),),
        open=_open,
        ask=_embed,
        path=lambda exchange: path_of(exchange, "v1beta").replace(":embedContent", ":batchEmbedContents"),
    ),
    Replay(
        provider="gemini",
        recordings=("gemini/count_tokens",),
        read=_read_counted,
        write=_write_counted,
        parse=_parse_count,
        oracle=lambda exchange: {"totalTokens": json.loads(exchange.text)["totalTokens"]},
        restored=lambda count: {"totalTokens": count},
        allowed=(
            Allowed(reason="the request to count stands whole in `generateContentRequest`", normal=_unwrapped),
            *ALLOWED,
        ),
    ),
    Replay(
        provider="gemini (endpoint=compatible)",
        recordings=("gemini/compatible",),
        read=_CHAT.request,
        write=_CHAT.write,
        parse=_CHAT.parse,
        oracle=_openai_chat.oracle,
        restored=_CHAT.restored,
        allowed=_openai_chat.ALLOWED,
        open=_open_compatible,
    ),
)
