"""Hugging Face: conversations over its router and endpoints, texts to continue over TGI, vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from huggingface_hub import TextGenerationOutput, TextGenerationStreamOutput

from fieldguide.domain import Completion, CompletionRequest, EmbeddingRequest, EmbeddingResult
from fieldguide.runners import RunnerSettings
from fieldguide.runners._http_errors import error_of_status
from fieldguide.runners.huggingface import (
    HUGGINGFACE,
    PROVIDER,
    HuggingFaceRunner,
    StreamedText,
    generate_body,
    open_runner,
    parse_generated,
    tasks,
)
from tests.support.replay import Allowed, Exchange, Replay, SkippedError, sse_data, without_nulls
from tests.support.replays._hosted_chat import hosted

_PARAMETERS = {
    "max_new_tokens": "max_output_tokens", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    "seed": "seed",
}  # fmt: skip


def read(exchange: Exchange) -> Any:
    """Read a text to continue, or texts to make vectors of; only addresses and answers tell the task."""
    body = exchange.body
    if not isinstance(body, dict) or not isinstance(body.get("inputs"), str | list):
        raise SkippedError("a task other than to continue a text or to make vectors")
    if _is_features(exchange):
        given = body["inputs"]
        return EmbeddingRequest(
            texts=(given,) if isinstance(given, str) else tuple(given), extra=_further(body, "inputs")
        )
    if not isinstance(body["inputs"], str) or not _continues(exchange):
        raise SkippedError("a task other than to continue a text or to make vectors")
    given = {name: value for name, value in (body.get("parameters") or {}).items() if value is not None}
    own = _further(body, "inputs", "parameters", "stream")
    other = {name: value for name, value in given.items() if name not in _PARAMETERS}
    return CompletionRequest(
        prompt=body["inputs"],
        extra={PROVIDER: {**own.get(PROVIDER, {}), **({"parameters": other} if other else {})}},
        **{ours: given[theirs] for theirs, ours in _PARAMETERS.items() if theirs in given},
    )


def _further(body: Mapping[str, Any], *known: str) -> dict[str, dict[str, Any]]:
    own = {name: value for name, value in body.items() if name not in known and value not in (None, {})}
    return {PROVIDER: own} if own else {}


def _is_features(exchange: Exchange) -> bool:
    return "feature-extraction" in exchange.path


def _continues(exchange: Exchange) -> bool:
    return "stream" in exchange.features or '"generated_text"' in exchange.text[:200]


def _streams(exchange: Exchange) -> bool:
    return bool(exchange.body.get("stream"))


def write(request: Any, exchange: Exchange) -> Mapping[str, Any]:
    """Return our body."""
    if isinstance(request, EmbeddingRequest):
        return tasks.feature_body(request)
    return generate_body(request, stream=_streams(exchange))


def parse(exchange: Exchange) -> Any:
    """Parse the recorded response."""
    if exchange.status != 200:
        raise error_of_status(exchange.status, exchange.text, exchange.response_headers)
    if _is_features(exchange):
        given = exchange.body["inputs"]
        return tasks.parse_features(exchange.text, count=1 if isinstance(given, str) else len(given), e2e_latency_s=1.0)
    if not _streams(exchange):
        return parse_generated(exchange.text, e2e_latency_s=1.0)
    answer = StreamedText(began_s=0.0)
    for event in sse_data(exchange.text):
        answer.take(json.dumps(event), now_s=1.0)
    return answer.completion(now_s=2.0)


def oracle(exchange: Exchange) -> Any:
    """Return what Hugging Face's library exposes; the tokens of a stream stand in the details of its whole."""
    if _is_features(exchange):
        rows = json.loads(exchange.text)
        return rows if isinstance(rows[0], list) else [rows]
    if not _streams(exchange):
        found = TextGenerationOutput.parse_obj_as_list(exchange.response)
        return _plain(without_nulls(json.loads(json.dumps(found[0]))))
    events = sse_data(exchange.text)
    if any("error" in event for event in events):
        raise ValueError("the library raises an error that comes in the middle of a stream")
    read_events = [TextGenerationStreamOutput.parse_obj_as_instance(json.dumps(event).encode()) for event in events]
    last = without_nulls(json.loads(json.dumps(read_events[-1])))
    tokens = [{"text": event.token.text, "logprob": event.token.logprob} for event in read_events]
    said = "".join(event.token.text for event in read_events if not event.token.special)
    return {"generated_text": said, "details": {**last.get("details", {}), "tokens": tokens}}


def _plain(found: dict[str, Any]) -> dict[str, Any]:
    tokens = found.get("details", {}).get("tokens", [])
    for token in tokens:
        for name in ("id", "special"):
            token.pop(name, None)
    return found


def restored(answer: Any) -> Any:
    """Return the body that our value stands for."""
    if isinstance(answer, EmbeddingResult):
        return [list(vector) for vector in answer.vectors]
    assert isinstance(answer, Completion)
    details = answer.metadata.get("details")
    return {
        **answer.metadata,
        "generated_text": answer.text,
        "details": {
            **(details if isinstance(details, dict) else {}),
            "finish_reason": answer.raw_finish_reason,
            "tokens": [{"text": token.token, "logprob": token.logprob} for token in answer.logprobs or ()],
        },
    }


def _plain_body(body: dict[str, Any]) -> dict[str, Any]:
    if isinstance(body["inputs"], list) and len(body["inputs"]) == 1:
        body["inputs"] = body["inputs"][0]
    parameters = {name: value for name, value in (body.pop("parameters", None) or {}).items() if value is not None}
    for name in ("return_full_text", "details"):
        parameters.pop(name, None)
    plain = {name: value for name, value in body.items() if value not in (None, {}, False)}
    return {**plain, "parameters": parameters} if parameters else plain


async def _open(url: str, exchange: Exchange, settings: RunnerSettings) -> HuggingFaceRunner:
    given = replace(settings, environment={"HF_TOKEN": "not-a-key"}, options={"endpoint": "generate"})
    model = exchange.path.rpartition("/models/")[2] if "/models/" in exchange.path else "any/model"
    return await open_runner(f"{url}{exchange.path.rstrip('/')}#{model}", given)


REPLAYS = (
    hosted(HUGGINGFACE, ("huggingface/chat",), open_runner, key="HF_TOKEN", address="HF_INFERENCE_BASE_URL"),
    Replay(
        provider=PROVIDER,
        recordings=("huggingface/inference",),
        read=read,
        write=write,
        parse=parse,
        oracle=oracle,
        restored=restored,
        allowed=(
            Allowed(
                reason="one text may stand in a list, what is empty is left out, and a text is continued with its "
                "details and without being repeated",
                normal=_plain_body,
            ),
        ),
        streams=_streams,
        mostly_skipped="most are tasks that no runner has (to fill masks, to classify, to find objects), or lack the "
        "request",
    ),
)
