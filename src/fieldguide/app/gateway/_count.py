"""How many tokens a request holds, before it is answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from fieldguide.app.gateway._models import Open
from fieldguide.domain import CompletionRequest
from fieldguide.errors import ResponseFormatError
from fieldguide.runners import HttpRunner
from fieldguide.runners.anthropic import AnthropicWire

_BYTES_PER_TOKEN = 4
_NOT_COUNTED = {"max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Tokens of a request."""

    input_tokens: int
    estimated: bool
    """Whether nobody has counted, and a token is taken for four bytes."""


async def count_tokens(model: Open, request: CompletionRequest) -> Count:
    """Return the tokens of a request: counted by Anthropic where it answers, else estimated.

    Raises:
        RunnerError: It cannot be counted.
    """
    runner = model.runner
    if not isinstance(runner, HttpRunner) or not isinstance(runner.wire, AnthropicWire):
        text = json.dumps(request.as_json().get("messages"), ensure_ascii=False)
        tools = json.dumps(request.as_json().get("tools") or "", ensure_ascii=False)
        return Count(input_tokens=max(len((text + tools).encode()) // _BYTES_PER_TOKEN, 1), estimated=True)
    call = runner.wire.call(request, stream=False)
    body = {name: value for name, value in (call.json or {}).items() if name not in _NOT_COUNTED}
    received = await runner.whole(replace(call, url=f"{call.url}/count_tokens", json=body))
    try:
        return Count(input_tokens=int(json.loads(received.text)["input_tokens"]), estimated=False)
    except (ValueError, KeyError, TypeError) as error:
        raise ResponseFormatError("The endpoint answered without a count.") from error
