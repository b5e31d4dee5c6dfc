"""The server: takes requests apart, asks the page, and answers as HTML or as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from aiohttp import web

from fieldguide.app.wiring import House
from fieldguide.errors import FieldguideError, UnknownNameError, UsageError
from fieldguide.web._asking import ASK, answered, asked_page, read_question, stream_answers
from fieldguide.web._assets import assets
from fieldguide.web._errors import StaleFormError, error_json, status_of, unforeseen
from fieldguide.web._guard import HEADERS, VISIT, Guard
from fieldguide.web._page import Asked, Page, Shown
from fieldguide.web._pages import PAGES
from fieldguide.web._render import render
from fieldguide.web._runs import exported
from fieldguide.web._works import WorkDesk

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_LOOK = "fieldguide_look"
_LOOKS = {"auto": "As the system", "light": "Light", "dark": "Dark"}
_MOST_BODY_BYTES = 32 * 1024 * 1024
_MOST_FIELD = 4000
_YEAR_S = 365 * 24 * 3600
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """Pages over one user's house. Reading has a thread of its own, so that a slow page never holds a stream up."""

    def __init__(self, open_house: Callable[[], House], *, host: str = "127.0.0.1", port: int = 8091) -> None:
        """Answer under `host` and `port`; `open_house` opens the user's house, once for each thread."""
        self.house = open_house()
        self._open_house = open_house
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fieldguide-web")
        self._reading: House | None = None
        self.host = host
        self.guard = Guard(host=host, port=port)

    def learn_port(self, port: int) -> None:
        """Say on which port the site is served, which the names it answers to end in."""
        self.guard = Guard(host=self.host, port=port)

    def application(self) -> web.Application:
        """Return the site as an application of aiohttp."""
        made = web.Application(middlewares=[self._guarded], client_max_size=_MOST_BODY_BYTES)
        for page in PAGES:
            shown, as_json = partial(self._page, page, False), partial(self._page, page, True)
            if page.path != "/":
                made.router.add_get(f"{page.path}.json", as_json)
            made.router.add_get(page.path, shown)
        made.router.add_get("/index.json", partial(self._page, PAGES[0], True))
        made.router.add_get("/assets/{hash}/{name}", self._asset)
        made.router.add_get("/runs/{run:[^/]+}/export.jsonl", self._export)
        made.router.add_post("/ask", self._ask)
        made.router.add_post("/ask/stream", self._ask_streaming)
        made.router.add_post("/look", self._choose_look)
        WorkDesk(self).add_to(made)
        made.on_cleanup.append(self._close)
        return made

    async def _close(self, _: web.Application) -> None:
        await asyncio.get_running_loop().run_in_executor(self._reader, self._close_reading)
        self._reader.shutdown()
        await self.house.close()

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close_store()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if (refused := self.guard.refusal(request)) is not None:
            status, reason = refused
            return web.Response(status=status, text=reason + "\n", headers=HEADERS)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            response = self._http_fault(request, error)
        except FieldguideError as error:
            response = self._fault(request, error)
        except Exception as error:
            _LOG.exception("unforeseen, at %s", request.path)
            response = self._fault(request, unforeseen(error))
        if not response.prepared:
            for name, value in HEADERS.items():
                response.headers.setdefault(name, value)
        return response

    async def _page(self, page: Page, as_json: bool, request: web.Request) -> web.StreamResponse:
        as_json = as_json or request.query.get("format") == "json"
        query = {
            name: tuple(value[:_MOST_FIELD] for value in request.query.getall(name) if value.strip())
            for name in request.query
            if name != "format"
        }
        parts, around = dict(request.match_info), self._around(request)
        try:
            text = await asyncio.get_running_loop().run_in_executor(
                self._reader, partial(self._made, page, parts, query, around, as_json)
            )
        except FieldguideError as error:
            return self._fault(request, error, as_json=as_json)
        if as_json:
            return web.Response(text=text, content_type="application/json")
        return self._html(request, text, around["visit"])

    def _made(
        self,
        page: Page,
        parts: dict[str, str],
        query: dict[str, tuple[str, ...]],
        around: dict[str, Any],
        as_json: bool,
    ) -> str:
        """Return a page as text; runs in the thread of reading."""
        shown = page.make(Asked(house=self._own_reading(), parts=parts, query=query))
        if as_json:
            told = json.dumps(shown.context, ensure_ascii=False, indent=2, default=str)
            return told.encode("utf-8", "replace").decode()  # a lone surrogate cannot be sent
        whole = around | {"page": page, "title": shown.title}
        return render(page.template, **whole, **shown.context, **shown.drawn)

    def _around(self, request: web.Request) -> dict[str, Any]:
        """Return what every page shows around what is its own."""
        look, visit = request.cookies.get(_LOOK, "auto"), self.guard.visit(request)
        return {
            "visit": visit,
            "nav": [(each.path, each.nav) for each in PAGES if each.nav],
            "look": look if look in _LOOKS else "auto",
            "looks": _LOOKS,
            "here": request.path_qs,
            "token": self.guard.token(visit),
        }

    def _html(self, request: web.Request, text: str, visit: str, *, status: int = 200) -> web.Response:
        response = web.Response(text=text, content_type="text/html", status=status)
        if request.cookies.get(VISIT) != visit:
            response.set_cookie(VISIT, visit, httponly=True, samesite="Strict", path="/")
        return response

    def _fault(self, request: web.Request, error: FieldguideError, *, as_json: bool | None = None) -> web.Response:
        told, status = error_json(error), status_of(error)
        if as_json is None:
            as_json = request.path.endswith(".json") or request.query.get("format") == "json"
        if as_json:
            text = json.dumps(told, ensure_ascii=False, indent=2)
            return web.Response(text=text, status=status, content_type="application/json")
        nearest = error.close_matches if isinstance(error, UnknownNameError) else ()
        kind = error.kind if isinstance(error, UnknownNameError) else ""
        around = self._around(request)
        title = "Not found" if status == 404 else "This did not work"
        text = render(
            "error.html.j2",
            **around,
            page=None,
            title=title,
            error=error,
            status=status,
            plain_hint=UsageError.default_hint,
            nearest=nearest,
            kind=kind,
        )
        return self._html(request, text, around["visit"], status=status)

    def _http_fault(self, request: web.Request, error: web.HTTPException) -> web.Response:
        if error.status == 404:
            return self._fault(
                request, UnknownNameError("page", request.path, hint="The navigation above has every page.")
            )
        told = FieldguideError(f"The server answers {error.status}: {error.reason}.")
        response = self._fault(request, told)
        response.set_status(error.status)
        return response

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        held = assets().get(request.match_info["name"])
        if held is None:
            raise web.HTTPNotFound
        headers = {"Cache-Control": f"public, max-age={_YEAR_S}, immutable"}
        return web.Response(body=held[0], content_type=held[1], charset="utf-8", headers=headers)

    async def _export(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        run_id, lines = await loop.run_in_executor(self._reader, self._exported, request.match_info["run"])
        response = web.StreamResponse(headers=HEADERS)
        response.content_type = "application/x-ndjson"
        response.headers["Content-Disposition"] = f'attachment; filename="{run_id}.jsonl"'
        await response.prepare(request)
        while part := await loop.run_in_executor(self._reader, lambda: "".join(islice(lines, 200))):
            await response.write(part.encode("utf-8", "replace"))
        await response.write_eof()
        return response

    def _exported(self, run_id: str) -> tuple[str, Iterator[str]]:
        return exported(self._own_reading(), run_id)

    async def in_reading(self, work: Callable[[House], T]) -> T:
        """Return what `work` makes of the house in the thread of reading."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, lambda: work(self._own_reading()))

    async def shown(
        self, request: web.Request, page: Page, make: Callable[[House], Shown], *, status: int
    ) -> web.Response:
        """Return a page that is the answer to a form."""
        around = self._around(request)
        made = await self.in_reading(make)
        text = render(page.template, **around, page=page, title=made.title, **made.context, **made.drawn)
        return self._html(request, text, around["visit"], status=status)

    def _own_reading(self) -> House:
        """Return the house of the thread of reading."""
        if self._reading is None:
            self._reading = self._open_house()
        return self._reading

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        form = await self.own_form(request)
        shown = asked_page(form, await answered(self.house, form))
        around = self._around(request)
        text = render(ASK.template, **around, page=ASK, title=shown.title, **shown.context)
        return self._html(request, text, around["visit"])

    async def _ask_streaming(self, request: web.Request) -> web.StreamResponse:
        try:
            form = await self.own_form(request)
            read_question(form)
        except FieldguideError as error:
            return self._fault(request, error, as_json=True)
        response = web.StreamResponse(headers=HEADERS | {"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        with suppress(ConnectionError):  # whoever asked has gone away: the asking ends with the next piece
            await stream_answers(self.house, form, response)
            await response.write_eof()
        return response

    async def _choose_look(self, request: web.Request) -> web.StreamResponse:
        form = await self.own_form(request)
        response = web.HTTPSeeOther(_own_path(form.get("back", "/")))
        response.headers.update(HEADERS)
        if form.get("look") in _LOOKS:
            response.set_cookie(_LOOK, form["look"], max_age=_YEAR_S, httponly=True, samesite="Strict", path="/")
        raise response

    async def own_form(self, request: web.Request) -> dict[str, str]:
        """Return the fields of a form that one of our own pages sent.

        Raises:
            FieldguideError: It comes from elsewhere, or from a page made before the server was started again.
        """
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        if not self.guard.is_own_form(request, form.get("token", "")):
            raise StaleFormError
        return form


def _own_path(text: str) -> str:
    """Return a path of this server, and never another address."""
    return text if re.fullmatch(r"/(?![/\\])[^\\\x00-\x20]*", text) else "/"
