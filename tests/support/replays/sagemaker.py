"""Endpoints of Amazon SageMaker whose containers speak chat completions, or take `inputs` and `parameters`."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.aws import error_of
from fieldguide.runners.sagemaker import DIALECT, PROVIDER, open_runner
from fieldguide.runners.sagemaker._inputs import inputs_body
from fieldguide.runners.sagemaker._wire import ChatEndpointWire, InputsWire
from tests.support.replay import Allowed, Exchange, Replay, SkippedError
from tests.support.replays import _aws, _openai_chat

_CHAT = _openai_chat.Reader(DIALECT)
_PARAMETERS = {
    "max_new_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
}


def _of_chat(exchange: Exchange) -> bool:
    return isinstance(exchange.body, dict) and "messages" in exchange.body


def _as_chat(exchange: Exchange) -> Exchange:
    body = {"model": _endpoint(exchange), **exchange.body}
    return replace(exchange, body=body, url="https://endpoint/chat/completions")


def _endpoint(exchange: Exchange) -> str:
    return exchange.path.split("/")[2]


def _read(exchange: Exchange) -> CompletionRequest:
    body = exchange.body
    if _of_chat(exchange):
        return _CHAT.request(_as_chat(exchange))
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), str) or "embeddings" in exchange.features:
        raise SkippedError("a body of a container's own")
    given = dict(body.get("parameters") or {})
    known: dict[str, Any] = {ours: given.pop(name) for name, ours in _PARAMETERS.items() if name in given}
    stop = tuple(given.pop("stop", None) or ())
    extra = {name: value for name, value in body.items() if name not in {"inputs", "parameters", "stream"}}
    if given:
        extra["parameters"] = given
    return CompletionRequest(prompt=body["inputs"], stop=stop, **known, extra={PROVIDER: extra} if extra else {})


def _write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    if _of_chat(exchange):
        return _CHAT.write(request, _as_chat(exchange))
    return inputs_body(request, stream=_streams(exchange))


def _streams(exchange: Exchange) -> bool:
    return exchange.path.endswith("-response-stream")


def _wire(exchange: Exchange) -> Any:
    if _of_chat(exchange):
        return ChatEndpointWire("", "e", "m", DIALECT, headers={})
    return InputsWire("", "e", headers={})


def _parse(exchange: Exchange) -> Completion:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    wire = _wire(exchange)
    if _streams(exchange):
        return _aws.streamed(exchange, wire.frames, wire.streamed(began_s=0.0))
    found: Completion = wire.completion(exchange.text, headers=exchange.response_headers, e2e_latency_s=1.0)
    return found


def _oracle(exchange: Exchange) -> Any:
    """Return the container's own words: what botocore gives of them is the bytes as they stand."""
    said = exchange.response
    if _streams(exchange):
        events = _aws.events("sagemaker-runtime", "ResponseStream", exchange.response)
        said = b"".join(base64.b64decode(each["PayloadPart"]["Bytes"]) for each in events)
    if _of_chat(exchange):
        return _openai_chat.oracle(replace(_as_chat(exchange), response=said))
    if not _streams(exchange):
        return json.loads(said)
    tokens = [json.loads(line.removeprefix("data:")) for line in said.decode().split("\n") if "token" in line]
    return [{"generated_text": "".join(t["token"]["text"] for t in tokens if not t["token"].get("special"))}]


def _restored(completion: Completion) -> Any:
    return [{"generated_text": completion.text}] if completion.message is None else _CHAT.restored(completion)


def _named(body: dict[str, Any]) -> dict[str, Any]:
    if "messages" in body:
        body.pop("model", None)
    return body


def _of_messages(allowed: Allowed) -> Allowed:
    return Allowed(reason=allowed.reason, normal=lambda body: allowed.normal(body) if "messages" in body else body)


def _quiet(body: dict[str, Any]) -> dict[str, Any]:
    parameters = body.get("parameters", {})
    if parameters.get("return_full_text") is False:
        del parameters["return_full_text"]
    return body


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
    environment = {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
    }
    form = "chat" if _of_chat(exchange) else "inputs"
    return await open_runner(f"{form}/{_endpoint(exchange)}", replace(settings, environment=environment))


REPLAYS = (
    Replay(
        provider="sagemaker",
        recordings=("sagemaker/invoke",),
        read=_read,
        write=_write,
        parse=_parse,
        oracle=_oracle,
        restored=_restored,
        allowed=(
            *(_of_messages(each) for each in _openai_chat.ALLOWED),
            Allowed(reason="the container is asked not to repeat the prompt", normal=_quiet),
            Allowed(reason="the model is named in every body", normal=_named),
        ),
        open=_open,
        streams=_streams,
    ),
)
