"""Endpoints of Amazon SageMaker whose containers take `inputs` and `parameters`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fieldguide.domain import Completion, CompletionRequest
from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.aws import error_of
from fieldguide.runners.sagemaker import PROVIDER, open_runner
from fieldguide.runners.sagemaker._inputs import inputs_body, parse_generated
from tests.support.replay import Allowed, Exchange, Replay, SkippedError

_PARAMETERS = {
    "max_new_tokens": "max_output_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "seed": "seed",
}


def _read(exchange: Exchange) -> CompletionRequest:
    body = exchange.body
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), str):
        raise SkippedError("a body of a container's own")
    given = dict(body.get("parameters") or {})
    known: dict[str, Any] = {ours: given.pop(name) for name, ours in _PARAMETERS.items() if name in given}
    stop = tuple(given.pop("stop", None) or ())
    extra = {name: value for name, value in body.items() if name not in {"inputs", "parameters", "stream"}}
    if given:
        extra["parameters"] = given
    return CompletionRequest(prompt=body["inputs"], stop=stop, **known, extra={PROVIDER: extra} if extra else {})


def _write(request: CompletionRequest, exchange: Exchange) -> Mapping[str, Any]:
    return inputs_body(request, stream=bool(exchange.body.get("stream")))


def _parse(exchange: Exchange) -> Completion:
    if exchange.status != 200:
        raise error_of(exchange.status, exchange.text, exchange.response_headers)
    return parse_generated(exchange.text, e2e_latency_s=1.0)


def _oracle(exchange: Exchange) -> Any:
    """Return the container's own words: what botocore gives is the body as it stands."""
    return json.loads(exchange.text)


def _restored(completion: Completion) -> Any:
    return [{"generated_text": completion.text}]


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
    return await open_runner(f"inputs/{exchange.path.split('/')[2]}", replace(settings, environment=environment))


REPLAYS = (
    Replay(
        provider="sagemaker",
        recordings=("sagemaker/invoke",),
        read=_read,
        write=_write,
        parse=_parse,
        oracle=_oracle,
        restored=_restored,
        allowed=(Allowed(reason="the container is asked not to repeat the prompt", normal=_quiet),),
        open=_open,
    ),
)
