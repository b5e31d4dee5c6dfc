"""Google Vertex AI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fieldguide.domain import Completion, CompletionRequest, EmbeddingRequest
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.gemini import error_of
from fieldguide.runners.gemini._count import parse_count
from fieldguide.runners.gemini._media import parse_embeddings
from fieldguide.runners.vertex import open_runner
from fieldguide.runners.vertex._partners import VertexAnthropicWire, partner_error_of
from fieldguide.runners.vertex._runner import counting_body, embed_content, predict_body
from tests.support.replay import Exchange, Replay, SkippedError
from tests.support.replays import _anthropic
from tests.support.replays._google import ALLOWED, Reader, model_of, oracle, path_of, schema_errors

_READER = Reader("vertex")


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    found = re.search(r"/projects/([^/]+)/locations/([^/]+)/publishers/([^/]+)/", exchange.path)
    if found is None:
        environment = {"GOOGLE_API_KEY": "not-a-key", "GOOGLE_VERTEX_BASE_URL": url}
        return await open_runner(model_of(exchange), replace(settings, environment=environment))
    environment = {
        "GOOGLE_OAUTH_ACCESS_TOKEN": "not-a-token",
        "GOOGLE_CLOUD_PROJECT": found[1],
        "GOOGLE_CLOUD_LOCATION": found[2],
        "GOOGLE_VERTEX_BASE_URL": url,
    }
    return await open_runner(f"{found[3]}/{model_of(exchange)}", replace(settings, environment=environment))


def _write_anthropic(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    wire = VertexAnthropicWire("https://example.com/model", headers={})
    call = wire.call(request, stream=bool(exchange.body.get("stream")))
    assert call.json is not None
    return call.json


def _read_anthropic(exchange: Exchange) -> CompletionRequest:
    body = {name: each for name, each in exchange.body.items() if name != "anthropic_version"}
    return _anthropic.read(replace(exchange, body=body))


def _parse_anthropic(exchange: Exchange) -> Completion:
    if exchange.status != 200:
        raise partner_error_of(exchange.status, exchange.text, exchange.response_headers)
    return _anthropic.parse(exchange)


def _read_predicted(exchange: Exchange) -> Any:
    instances = exchange.body["instances"]
    if not all(isinstance(each.get("content"), str) for each in instances):
        raise SkippedError("predictions other than vectors of texts")
    parameters = dict(exchange.body.get("parameters", {}))
    dimensions = parameters.pop("outputDimensionality", None)
    return EmbeddingRequest(
        texts=tuple(each["content"] for each in instances),
        purpose=instances[0].get("task_type"),
        dimensions=dimensions,
        extra={"vertex": parameters} if parameters else {},
    )


def _predicted(exchange: Exchange) -> Any:
    body = json.loads(exchange.text)
    return {"vectors": [each["embeddings"]["values"] for each in body["predictions"]], "usage": _accounts(body)}


def _accounts(body: Any) -> Any:
    statistics = [each["embeddings"].get("statistics") for each in body["predictions"]]
    return {**body.get("metadata", {}), "statistics": statistics}


def _read_embedded(exchange: Exchange) -> Any:
    if "content" not in exchange.body or not all(set(part) == {"text"} for part in exchange.body["content"]["parts"]):
        raise SkippedError("vectors of other things than one text")
    config = dict(exchange.body.get("embedContentConfig", {}))
    purpose, dimensions = config.pop("taskType", None), config.pop("outputDimensionality", None)
    return EmbeddingRequest(
        texts=tuple(part["text"] for part in exchange.body["content"]["parts"]),
        purpose=purpose,
        dimensions=dimensions,
        extra={"vertex": config} if config else {},
    )


def _embedded(exchange: Exchange) -> Any:
    body = json.loads(exchange.text)
    return {"vectors": [body["embedding"]["values"]], "usage": body.get("usageMetadata")}


def _vectors(exchange: Exchange) -> Any:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_embeddings(exchange.text, e2e_latency_s=1.0)


def _parse_count(exchange: Exchange) -> Any:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_count(exchange.text)


def _restored_vectors(result: Any) -> Any:
    return {"vectors": result.vectors, "usage": result.raw_usage}


async def _embed(runner: Any, request: Any, stream: bool) -> Any:
    return await runner.embed(request)


REPLAYS = (
    *(
        Replay(
            provider="vertex",
            recordings=(name,),
            read=_READER.request,
            write=_READER.write,
            parse=_READER.parse,
            oracle=oracle,
            restored=_READER.restored,
            allowed=ALLOWED,
            schema_errors=schema_errors,
            open=_open,
            path=lambda exchange: path_of(exchange, "v1beta1"),
            streams=lambda exchange: ":stream" in exchange.url,
        )
        for name in ("vertex/generate", "vertex/generate_stream")
    ),
    Replay(
        provider="vertex",
        recordings=("vertex/anthropic",),
        read=_read_anthropic,
        write=_write_anthropic,
        parse=_parse_anthropic,
        oracle=_anthropic.oracle,
        restored=_anthropic.restored,
        allowed=_anthropic.ALLOWED,
        open=_open,
        path=lambda exchange: path_of(exchange, "v1"),
    ),
    Replay(
        provider="vertex",
        recordings=("vertex/predict",),
        read=_read_predicted,
        write=lambda request, exchange: predict_body(request),
        parse=_vectors,
        oracle=_predicted,
        restored=_restored_vectors,
        open=_open,
        ask=_embed,
        path=lambda exchange: path_of(exchange, "v1beta1"),
    ),
    Replay(
        provider="vertex",
        recordings=("vertex/embeddings",),
        read=_read_embedded,
        write=lambda request, exchange: embed_content(request)[1],
        parse=_vectors,
        oracle=_embedded,
        restored=_restored_vectors,
        open=_open,
        ask=_embed,
        path=lambda exchange: path_of(exchange, "v1beta1"),
    ),
    Replay(
        provider="vertex",
        recordings=("vertex/count_tokens",),
        read=_READER.request,
        write=lambda request, exchange: counting_body(request, model=model_of(exchange)),
        parse=_parse_count,
        oracle=lambda exchange: {"totalTokens": json.loads(exchange.text)["totalTokens"]},
        restored=lambda count: {"totalTokens": count},
        allowed=ALLOWED,
    ),
)
