"""Asking: as a plain form, or streamed where a script of ours may run; stopping, and taking conversations away."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from fieldguide.app.ask_beside import AnswerBeside, Lend, ask_beside, beside_json, conversation_of
from fieldguide.app.talk_records import delete
from fieldguide.domain import TextDelta
from fieldguide.errors import FieldguideError, UnknownNameError
from fieldguide.web._asking import ASK, Upload, asked_page, read_question
from fieldguide.web._entry import VISITOR, Visitor
from fieldguide.web._guard import HEADERS
from fieldguide.web._render import render

if TYPE_CHECKING:
    from fieldguide.web._site import Site

_STILL_THERE_S = 1.0
"""How often whoever listens is sent something, so that it is noticed when nobody does any more."""
_FILES = {"image": "image", "audio": "audio"}
STREAMED = "/ask/stream"
"""Asked by a script of ours, which reads errors as JSON."""
STREAM = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}


def add_asking(site: Site, router: web.UrlDispatcher) -> None:
    """Add the routes."""
    routes = _AskRoutes(site)
    router.add_post("/ask", routes.ask)
    router.add_post(STREAMED, routes.stream)
    router.add_post("/ask/stop", routes.stop)
    router.add_post("/history/delete", routes.delete)


class _AskRoutes:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._asking: dict[str, tuple[str | None, asyncio.Event]] = {}

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Ask, and show the page when every answer is whole."""
        site, visitor = self._site, request[VISITOR]
        form, uploads = await self._form(request)
        sides, saying = read_question(form, uploads, visitor)
        lend = await self._lend(visitor)
        answers = await ask_beside(site.house, lend, sides, saying, told=lambda *_: None, noted=lambda *_: None)
        told = [_told(each, visitor) for each in answers]
        numbers = [each.conversation_id for each in answers]
        filled = form | ({} if any(each.error for each in answers) else {"prompt": ""})
        shown = await site.readers.read(lambda house: asked_page(house, visitor, filled, numbers, told))
        text = render(ASK.template, **site.around(request), page=ASK, title=shown.title, **shown.context, **shown.drawn)
        return site.html(request, text)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Ask, and send each piece as it comes; whoever goes away ends the asking."""
        visitor = request[VISITOR]
        try:
            form, uploads = await self._form(request)
            sides, saying = read_question(form, uploads, visitor)
            lend = await self._lend(visitor)
        except FieldguideError as error:
            return self._site.fault(request, error, as_json=True)
        response = web.StreamResponse(headers=HEADERS | STREAM)
        await response.prepare(request)
        events: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
        asking_id, stop = secrets.token_urlsafe(16), asyncio.Event()
        self._asking[asking_id] = (visitor.owner, stop)
        events.put_nowait(("begun", {"asking": asking_id}))

        def told(place: int, piece: TextDelta) -> None:
            events.put_nowait(("piece", {"place": place, "text": piece.text, "reasoning": piece.reasoning}))

        def noted(place: int, text: str) -> None:
            events.put_nowait(("note", {"place": place, "text": text}))

        def answered(place: int, answer: AnswerBeside) -> None:
            events.put_nowait(("answer", {"place": place, **_told(answer, visitor)}))

        async def work() -> None:
            try:
                await ask_beside(
                    self._site.house, lend, sides, saying, told=told, noted=noted, stop=stop, answered=answered
                )
            finally:
                events.put_nowait(None)

        working = asyncio.ensure_future(work())
        try:
            with suppress(ConnectionError):  # whoever asked has gone away
                await _sent(response, events)
                await working
                await response.write_eof()
        finally:
            del self._asking[asking_id]
            working.cancel()
            with suppress(asyncio.CancelledError, FieldguideError):
                await working  # what had come is kept before anybody is told that this has ended
        return response

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """End an asking whose number its own page has; what had come is kept as its answer."""
        form = await self._site.own_form(request)
        owner, stop = self._asking.get(form.get("asking", ""), (None, None))
        if stop is None or owner != request[VISITOR].owner:
            raise UnknownNameError("asking", form.get("asking", "")[:40], hint="It has ended already.")
        stop.set()
        return web.Response(status=204)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Remove a conversation for good."""
        form = await self._site.own_form(request)
        number, owner = form.get("conversation", ""), request[VISITOR].owner
        if not (number.isascii() and number.isdecimal() and len(number) <= 15):
            raise UnknownNameError("conversation", number[:40], hint="The history lists those that there are.")
        house = self._site.house
        await asyncio.to_thread(lambda: delete(house, conversation_of(house, int(number), owner)))
        return web.Response(status=303, headers={"Location": "/history"})

    async def _form(self, request: web.Request) -> tuple[dict[str, Any], list[Upload]]:
        """Return fields and files of one of our own forms."""
        form: dict[str, Any] = {"tools": []}
        uploads: list[Upload] = []
        given = await request.post()
        for name, value in given.items():
            if isinstance(value, web.FileField):
                if name in _FILES and value.filename:
                    data = await asyncio.to_thread(value.file.read)
                    uploads.append(Upload(name=value.filename[:100], kind=name, data=data))
            elif isinstance(value, str):
                form[name] = [*form["tools"], value] if name == "tools" else value
        self._site.check_own(request, str(form.get("token", "")))
        return form, uploads

    async def _lend(self, visitor: Visitor) -> Lend:
        gateway = await self._site.begun_gateway()
        return lambda name, note: gateway.lent(
            visitor.identity, name, endpoint="web", anything=visitor.is_admin, note=note
        )


def _told(answer: AnswerBeside, visitor: Visitor) -> dict[str, Any]:
    """Return an answer; where a model's file lies is an admin's to know."""
    return beside_json(answer) | ({} if visitor.is_admin else {"took": None})


async def _sent(response: web.StreamResponse, events: asyncio.Queue[tuple[str, dict[str, Any]] | None]) -> None:
    """Write events as they come, and a line without meaning where none does."""
    while True:
        try:
            event = await asyncio.wait_for(events.get(), _STILL_THERE_S)
        except TimeoutError:
            await response.write(b":\n\n")
            continue
        if event is None:
            return
        name, held = event
        await response.write(f"event: {name}\ndata: {json.dumps(held)}\n\n".encode())
