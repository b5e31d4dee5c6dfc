"""Lists of prices as their owners send them, and a server on loopback that sends them, or lies."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from aiohttp import web

from fieldguide.catalogue.prices import shelf
from fieldguide.catalogue.prices._genai import _plain

Respond = Callable[[web.Request], web.StreamResponse]


def genai_list() -> list[dict[str, Any]]:
    """genai-prices' update file, made from what its package holds."""
    from genai_prices.data import providers

    made: list[dict[str, Any]] = json.loads(json.dumps([_plain(provider) for provider in providers], default=float))
    return made


def models_dev_list(home: Path) -> dict[str, Any]:
    """models.dev's api.json, made from the snapshot."""
    names = {"input_tokens": "input", "output_tokens": "output", "cached_input_tokens": "cache_read"}
    book = next(each for each in shelf(home).books if each.source.name == "models.dev")
    made: dict[str, Any] = {}
    for entry in book.entries:
        rates = book.listing(entry).rates_on(date(2026, 11, 25))[0].rates
        cost = {names[rate.unit.name]: float(rate.amount) for rate in rates if rate.unit.name in names}
        made.setdefault(entry.provider, {"models": {}})["models"][entry.model] = {"name": entry.model, "cost": cost}
    return made


@dataclass
class ListServer:
    """Two addresses, what they answer, and what they were asked."""

    url: str = ""
    answers: dict[str, Respond] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(path, If-None-Match) of each request."""

    def environment(self, setenv: Callable[[str, str], None]) -> None:
        """Point the program here."""
        setenv("FIELDGUIDE_GENAI_PRICES_URL", f"{self.url}/genai")
        setenv("FIELDGUIDE_MODELS_DEV_URL", f"{self.url}/modelsdev")


def sending(value: Any, etag: str = '"one"') -> Respond:
    """Answer with JSON, and with 304 to whoever has it already."""
    content = json.dumps(value).encode()

    def respond(request: web.Request) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=content, content_type="application/json", headers={"ETag": etag})

    return respond


@asynccontextmanager
async def list_server(**answers: Respond) -> AsyncIterator[ListServer]:
    """Serve lists at `/genai` and `/modelsdev` on loopback."""
    server = ListServer(answers=dict(answers))

    async def handle(request: web.Request) -> web.StreamResponse:
        name = request.path.strip("/")
        server.asked.append((name, request.headers.get("If-None-Match")))
        if name == "cut":
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b"[")
            assert request.transport is not None
            request.transport.abort()
            return response
        return server.answers[name](request)

    application = web.Application()
    application.router.add_get("/{name}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
