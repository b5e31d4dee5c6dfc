"""Amazon's services as botocore and boto3 know them: streams, vectors, counts, and what a real client sends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiohttp import web

from fieldguide.domain import EmbeddingRequest
from fieldguide.errors import RunnerError, UnsupportedError
from fieldguide.http_client import LazySession
from fieldguide.runners import RunnerSettings
from fieldguide.runners.aws import StreamMessage, error_of, events_of
from fieldguide.runners.bedrock import open_runner
from fieldguide.runners.bedrock._request import family_of
from fieldguide.runners.bedrock._runner import BedrockRunner, count_body, parse_count
from tests.support.event_stream import in_pieces, signature_of
from tests.support.replay import differences, exchanges
from tests.support.replays import _aws
from tests.support.replays.bedrock import model_of, request_of

_SECRET = "not-a-secret"


@pytest.mark.parametrize("name", ["bedrock/converse_stream", "bedrock/invoke_stream", "bedrock/agent"])
def test_every_recorded_stream_is_read_as_botocore_reads_it(name: str) -> None:
    """The same messages, whatever the pieces that they come in."""
    streams = [each for each in exchanges(name) if each.status == 200]
    assert streams
    for exchange in streams:
        for size in (1, 1000):
            ours = [(each.name, each.payload) for each in _read(exchange.response, size)]
            assert ours == _aws.payloads(exchange.response), exchange.id


def _read(data: bytes, size: int) -> list[StreamMessage]:
    async def read() -> list[StreamMessage]:
        return [each async for each in events_of(in_pieces(data, size))]

    found: list[StreamMessage] = _aws.run(read())
    return found


def test_every_recorded_count_of_tokens_would_have_been_ours() -> None:
    """Of conversations; bodies of InvokeModel are not counted by us."""
    tried = 0
    for exchange in exchanges("bedrock/count_tokens"):
        given = exchange.body["input"].get("converse")
        if exchange.status == 200:
            assert parse_count(exchange.text) == json.loads(exchange.text)["inputTokens"]
        else:
            error: RunnerError = error_of(exchange.status, exchange.text, exchange.response_headers)
            assert json.loads(exchange.text)["message"] in error.message
        if given is None:
            continue
        tried += 1
        model = model_of(exchange)
        ours = json.loads(json.dumps(count_body(request_of(given, family_of(model)), model=model)))
        recorded = {"input": {"converse": {name: value for name, value in given.items() if value}}}
        assert differences(recorded, ours) == []
        assert not _aws.schema_errors("bedrock-runtime", "CountTokens", ours, modelId=model)
    assert tried


@pytest.mark.parametrize("model", ["us.amazon.nova-micro-v1:0", "arn:aws:bedrock:us-east-1:000000000000:p/us.x.y-v1:0"])
async def test_a_real_client_sends_the_same_request_and_both_are_signed_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """Path, body and signature of boto3's and of ours, as a server of Amazon's checks them."""
    import asyncio

    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    heard: list[tuple[str, Mapping[str, str], bytes]] = []

    async def answer(request: web.Request) -> web.Response:
        heard.append((request.raw_path, dict(request.headers), await request.read()))
        message = {"role": "assistant", "content": [{"text": "4"}]}
        usage = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
        return web.json_response(
            {"output": {"message": message}, "stopReason": "end_turn", "usage": usage, "metrics": {"latencyMs": 1}}
        )

    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    serving = web.AppRunner(app, access_log=None)
    await serving.setup()
    await web.TCPSite(serving, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{serving.addresses[0][1]}"
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": [{"text": "2+2? ä"}]}],
        "inferenceConfig": {"maxTokens": 5},
    }
    session = LazySession()
    try:
        client = boto3.client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key=_SECRET,
            aws_session_token="token",
        )
        await asyncio.to_thread(client.converse, modelId=model, **body)
        client.close()
        environment = {
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_SESSION_TOKEN": "token",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": url,
        }
        runner = await open_runner(model, RunnerSettings(home=tmp_path, session=session, environment=environment))
        assert (await runner.complete(request_of(body, family_of(model)))).text == "4"
    finally:
        await session.close()
        await serving.cleanup()
    (their_path, _, their_body), (our_path, _, our_body) = heard
    assert json.loads(our_body) == json.loads(their_body) == body
    assert our_path.replace("%3A", ":") == their_path.replace("%3A", ":")
    for path, headers, sent in heard:
        authorization = headers["Authorization"]
        assert "/us-east-1/bedrock/aws4_request" in authorization
        assert "x-amz-security-token" in authorization
        signature = signature_of("POST", path, headers, sent, secret=_SECRET, authorization=authorization)
        assert authorization.endswith(f"Signature={signature}")


async def test_vectors_and_counts_come_over_a_real_connection(tmp_path: Path) -> None:
    """Each to its own address; a profile's tokens are counted by its model."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        if request.path.endswith("count-tokens"):
            return web.json_response({"inputTokens": 11})
        headers = {"X-Amzn-Bedrock-Input-Token-Count": "3"}
        return web.json_response({"embedding": [0.5, 1], "inputTextTokenCount": 3}, headers=headers)

    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    serving = web.AppRunner(app, access_log=None)
    await serving.setup()
    await web.TCPSite(serving, "127.0.0.1", 0).start()
    session = LazySession()
    environment = {
        "AWS_BEARER_TOKEN_BEDROCK": "key",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"http://127.0.0.1:{serving.addresses[0][1]}",
    }
    given = RunnerSettings(home=tmp_path, session=session, environment=environment)
    try:
        vectors, chat = (
            await open_runner("amazon.titan-embed-text-v2:0", given),
            await open_runner("us.a.b-v1:0", given),
        )
        assert isinstance(vectors, BedrockRunner)
        assert isinstance(chat, BedrockRunner)
        result = await vectors.embed(EmbeddingRequest(texts=("hello",)))
        hello = request_of({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, None)
        assert await chat.count_tokens(hello) == 11
        with pytest.raises(UnsupportedError):
            await chat.embed(EmbeddingRequest(texts=("hello",)))
    finally:
        await session.close()
        await serving.cleanup()
    assert result.vectors == ((0.5, 1.0),)
    assert result.usage.input_tokens == 3
    assert asked == ["/model/amazon.titan-embed-text-v2:0/invoke", "/model/a.b-v1:0/count-tokens"]
