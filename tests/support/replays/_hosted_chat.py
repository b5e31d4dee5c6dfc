"""What replays of the hosts that speak OpenAI's chat completions share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from fieldguide.runners import Runner, RunnerSettings
from fieldguide.runners.openai_chat import Dialect
from tests.support.replay import Allowed, Exchange, Replay, sse_data, without_nulls
from tests.support.replays._openai_chat import ALLOWED, Reader, _put_together, oracle

Open = Callable[[str, RunnerSettings], Awaitable[Runner]]


def hosted_oracle(exchange: Exchange) -> Any:
    """Return what OpenAI's library exposes.

    Its helper for streams suits OpenAI's own: it takes id, model and time of the first chunk, which at Azure is the
    filter's and has none; and of content in parts and of reasoning in details it makes one thing of unlike ones. Those
    are joined here.
    """
    if not exchange.streamed:
        return oracle(exchange)
    chunks = sse_data(exchange.text)
    if any(chunk.get("error") for chunk in chunks):
        raise ValueError("the library's stream raises an error that comes in the middle of it")
    for name in ("id", "model", "created"):
        chunks[0][name] = chunks[0].get(name) or next((chunk[name] for chunk in chunks if chunk.get(name)), None)
    deltas = [choice.get("delta") or {} for chunk in chunks for choice in chunk.get("choices") or ()]
    parts, details = _parts(deltas), _details(deltas)
    whole = _put_together(chunks)
    message = whole["choices"][0]["message"]
    if parts:
        message["content"] = parts
    if details:
        message["reasoning_details"] = details
    return whole


def _parts(deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the content of deltas as parts, where it comes so; the helper is left with none."""
    if not any(isinstance(delta.get("content"), list) for delta in deltas):
        return []
    thought, said = "", ""
    closed: dict[str, Any] = {}
    for delta in deltas:
        content = delta.pop("content", None)
        parts: list[dict[str, Any]] = (
            content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
        )
        for part in parts:
            if part["type"] == "text":
                said += part["text"]
            else:
                thought += "".join(each["text"] for each in part["thinking"])
                closed = {name: value for name, value in part.items() if name not in {"type", "thinking"}} or closed
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": thought}], **closed}
    return [thinking, {"type": "text", "text": said}]


def _details(deltas: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return OpenRouter's details of reasoning: pieces of one kind under one index are one."""
    found: dict[Any, dict[str, Any]] = {}
    for detail in [each for delta in deltas for each in delta.pop("reasoning_details", None) or ()]:
        key = len(found) if detail.get("index") is None else (detail["type"], detail["index"])
        known = found.setdefault(key, {})
        for name, value in detail.items():
            joined = name in {"text", "summary", "data"} and known.get(name)
            known[name] = known[name] + value if joined and value else value or known.get(name)
    return list(found.values())


def hosted(
    dialect: Dialect,
    recordings: tuple[str, ...],
    open_runner: Open,
    *,
    key: str,
    address: str,
    allowed: tuple[Allowed, ...] = (),
    oracle: Callable[[Exchange], Any] = hosted_oracle,
    reader: Reader | None = None,
) -> Replay:
    """Return the replay of a host: its key and its address stand in the variables of these names."""
    reading = reader or Reader(dialect)

    async def opened(url: str, exchange: Exchange, settings: RunnerSettings) -> Runner:
        base_url = url + exchange.path.partition("/chat/completions")[0]
        environment = {key: "not-a-key", address: base_url}
        return await open_runner(exchange.body["model"], replace(settings, environment=environment))

    return Replay(
        provider=dialect.provider,
        recordings=recordings,
        read=reading.request,
        write=reading.write,
        parse=reading.parse,
        oracle=oracle,
        restored=reading.restored,
        allowed=(*ALLOWED, NO_NULL_FIELDS, *allowed),
        open=opened,
    )


def _no_null_fields(body: dict[str, Any]) -> dict[str, Any]:
    for message in body.get("messages", ()):
        if isinstance(message.get("content"), list):
            message["content"] = without_nulls(message["content"])
    return body


NO_NULL_FIELDS = Allowed(reason="null fields of parts of a message are left out", normal=_no_null_fields)
