"""An OpenAI-compatible server on loopback that counts its calls and can misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Respond = Callable[["Call"], web.StreamResponse | dict[str, Any] | str]


@dataclass
class Call:
    """One request as the server saw it."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]
    number: int
    """From 1."""

    @property
    def prompt(self) -> str:
        """The text asked, whatever its form."""
        if "prompt" in self.body:
            return str(self.body["prompt"])
        return str(self.body["messages"][-1]["content"])


@dataclass
class FakeServer:
    """Where it listens and what it was asked."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    async def has_heard(self, calls: int) -> None:
        """Wait until it was asked this many times."""
        async with asyncio.timeout(60):
            while len(self.calls) < calls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def chat(
    text: str | None, *, finish_reason: str = "stop", input_tokens: int = 10, output_tokens: int = 2
) -> dict[str, Any]:
    """Return a whole chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "served-model",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": input_tokens,
            "completion_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        },
    }


def sse(*events: dict[str, Any] | str) -> str:
    """Return events as a stream's text."""
    return "".join(f"data: {event if isinstance(event, str) else json.dumps(event)}\n\n" for event in events)


def streamed(text: str) -> str:
    """Return an answer as a stream of two pieces, with 7 tokens read and 5 written."""
    pieces: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": part}}]} for part in (text[:3], text[3:])
    ]
    end: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage: dict[str, Any] = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}}
    return sse(*({"id": "x", "object": "chat.completion.chunk", **each} for each in (*pieces, end, usage)), "[DONE]")


@asynccontextmanager
async def fake_server(
    respond: Respond, *, delay_s: float = 0.0, before: Callable[[], Awaitable[None]] | None = None
) -> AsyncIterator[FakeServer]:
    """Run a server that answers each POST with what `respond` returns: a response, JSON, or the text of a stream.

    Each answer comes after `delay_s`, or where `before` is given, when that is done.
    """
    state = FakeServer()

    async def handle(request: web.Request) -> web.StreamResponse:
        state.in_flight += 1
        state.most_in_flight = max(state.most_in_flight, state.in_flight)
        try:
            call = Call(request.path, await request.json(), dict(request.headers), len(state.calls) + 1)
            state.calls.append(call)
            await (asyncio.sleep(delay_s) if before is None else before())
            answer = respond(call)
        finally:
            state.in_flight -= 1
        if isinstance(answer, web.StreamResponse):
            return answer
        if isinstance(answer, str):
            return web.Response(text=answer, content_type="text/event-stream")
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/{tail:.*}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    state.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield state
    finally:
        await runner.cleanup()
